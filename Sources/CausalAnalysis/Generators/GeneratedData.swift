import MetaLearnersCore

/// Data drawn from a law, with the truth.
public struct GeneratedData: Sendable {
    /// The streams of a law, one for each part of the data.
    enum Part: UInt64 {
        case constants = 0x4C41_5701
        case clusters
        case clusterArms
        case covariates
        case treatment
        case noise
    }

    /// The name of the law.
    public let law: String
    /// The law with every parameter.
    public let parameters: SpecValue
    /// Every column as files have it: `id`, covariates, `treatment`, `outcome`, `cluster` where there are any, further columns
    /// such as `cost`, and the truth.
    public let table: Table
    /// Which column plays which part: what a spec needs to fit the data.
    public let data: DataSpec
    /// What was drawn once for all rows, under the names of the formulas.
    public let constants: [LawConstant]
    /// e_k(x) for each arm.
    public let propensities: [[Double]]
    /// μ_k(x) for each arm.
    public let means: [[Double]]
    /// τ_k(x) for each arm but the control.
    public var effects: [[Double]] {
        means.dropFirst().map { means in zip(means, self.means[0]).map { $0 - $1 } }
    }

    /// The rows as learners take them; nothing of the truth is in it.
    ///
    /// - Throws: `invalidData` where the rows cannot be fitted: a population of whom nobody was treated.
    public func dataset() throws(MetaLearnersError) -> CausalDataset { try CausalDataset(table, data) }

    /// Draws all rows of a law. O(rows).
    ///
    /// - Throws: `invalidSpec` for parameters out of their ranges, `cancelled`.
    public init(_ law: some DataLaw, _ options: ExecutionOptions = ExecutionOptions())
        throws(MetaLearnersError)
    {
        let law = try law.validated()
        let drawn = try Drawing(law, Scheduler(options))
        let shape = law.shape
        self.law = type(of: law).name
        parameters = law.specValue
        constants = drawn.constants
        propensities = drawn.propensities
        means = drawn.means
        var columns = [Column("id", StridedValues((0..<law.rows).map { Int32($0 + 1) }))]
        for (covariate, values) in zip(shape.covariates, drawn.covariates) {
            columns.append(
                covariate.levels.map {
                    Column(covariate.name, codes: StridedValues(values.map { Int32($0) }), levels: $0)
                } ?? Column(covariate.name, values))
        }
        columns.append(Column("treatment", codes: StridedValues(drawn.arms), levels: shape.arms))
        columns.append(Column("outcome", drawn.outcome))
        if let size = shape.clusterSize {
            columns.append(Column("cluster", StridedValues((0..<law.rows).map { Int32($0 / size + 1) })))
        }
        let first = shape.covariates.count + shape.hidden.count
        for (name, values) in zip(shape.extras, drawn.covariates[first...]) {
            columns.append(Column(name, values))
        }
        let truthStart = columns.count
        for (name, values) in zip(shape.hidden, drawn.covariates[shape.covariates.count...]) {
            columns.append(Column("true_" + name, values))
        }
        columns += Self.truth(shape.arms, drawn)
        var data = DataSpec()
        data.treatment = "treatment"
        data.outcome = "outcome"
        data.control = shape.arms[0]
        if shape.clusterSize != nil { data.cluster = "cluster" }
        data.exclude = ["id"] + shape.extras + columns[truthStart...].map(\.name)
        self.data = data
        table = try Table(columns)
    }

    /// The columns of the truth: of two arms `true_effect` and `true_propensity`, of more one for each.
    private static func truth(_ arms: [String], _ drawn: Drawing) -> [Column] {
        let isPair = arms.count == 2
        return arms.indices.dropFirst().map { arm in
            Column(
                isPair ? "true_effect" : "true_effect_" + arms[arm],
                zip(drawn.means[arm], drawn.means[0]).map { $0 - $1 })
        }
            + (isPair ? [1] : Array(arms.indices)).map { arm in
                Column(isPair ? "true_propensity" : "true_propensity_" + arms[arm], drawn.propensities[arm])
            } + arms.indices.map { Column("true_mean_" + arms[$0], drawn.means[$0]) }
    }

    /// What a spec needs to fit the data: lines of YAML.
    public var specLines: String {
        var text = "data:\n  treatment: treatment\n  control: '\(data.control ?? "0")'\n  outcome: outcome\n"
        if let cluster = data.cluster { text += "  cluster: \(cluster)\n" }
        return text + "  exclude: [\(data.exclude.joined(separator: ", "))]\n"
    }
}

/// The numbers of all rows, column by column.
private struct Drawing {
    var constants: [LawConstant]
    var covariates: [[Double]]
    var arms: [Int32]
    var outcome: [Double]
    var propensities: [[Double]]
    var means: [[Double]]

    /// The rows of a block, which is drawn by one thread.
    private static let blockSize = 4096

    init<Law: DataLaw>(_ law: Law, _ scheduler: Scheduler) throws(MetaLearnersError) {
        let shape = law.shape
        let constants = law.constants
        let width = shape.covariates.count + shape.hidden.count + shape.extras.count
        let rows = law.rows
        let (size, arms) = (Self.blockSize, shape.arms.count)
        let blocks = ResultSlots<Block>(count: (rows + size - 1) / size)
        try scheduler.run("draw", count: (rows + size - 1) / size) { index, _ throws(MetaLearnersError) in
            let range = index * size..<min((index + 1) * size, rows)
            var block = Block(width: width, arms: arms, rows: range.count)
            for row in range { block.draw(row, at: row - range.lowerBound, law, shape, constants) }
            blocks[index] = block
        }
        self.constants = constants
        let done = (0..<(rows + size - 1) / size).compactMap { blocks[$0] }
        func joined(_ part: (Block) -> [Double]) -> [Double] { done.flatMap(part) }
        covariates = (0..<width).map { column in joined { $0.covariates[column] } }
        propensities = (0..<arms).map { arm in joined { $0.propensities[arm] } }
        means = (0..<arms).map { arm in joined { $0.means[arm] } }
        outcome = joined(\.outcome)
        self.arms = done.flatMap(\.arms)
    }

    /// Some rows, column by column.
    struct Block: Sendable {
        var covariates: [[Double]]
        var propensities: [[Double]]
        var means: [[Double]]
        var outcome: [Double]
        var arms: [Int32]

        init(width: Int, arms: Int, rows: Int) {
            let zeros = [Double](repeating: 0, count: rows)
            covariates = .init(repeating: zeros, count: width)
            propensities = .init(repeating: zeros, count: arms)
            means = propensities
            outcome = zeros
            self.arms = .init(repeating: 0, count: rows)
        }

        /// Draws a row from streams of its own, so that neither other rows nor threads have a say in it.
        mutating func draw<Law: DataLaw>(
            _ row: Int, at place: Int, _ law: Law, _ shape: LawShape, _ constants: [LawConstant]
        ) {
            func stream(_ part: GeneratedData.Part, _ index: Int) -> RandomStream {
                RandomStream(seed: UInt64(law.seed), path: part.rawValue, UInt64(index))
            }
            let cluster = shape.clusterSize.map { row / $0 }
            var ofCluster: [Double] = []
            if let cluster {
                var stream = stream(.clusters, cluster)
                ofCluster = law.drawCluster(&stream)
            }
            var covariateStream = stream(.covariates, row)
            let x = law.drawCovariates(&covariateStream, cluster: ofCluster)
            for column in covariates.indices { covariates[column][place] = x[column] }
            let truth = law.truth(x, constants, cluster: ofCluster)
            var armStream =
                shape.treatsClusters ? stream(.clusterArms, cluster ?? row) : stream(.treatment, row)
            let arm = Self.arm(truth.propensities, armStream.uniform())
            for index in means.indices {
                propensities[index][place] = truth.propensities[index]
                means[index][place] = truth.means[index]
            }
            arms[place] = Int32(arm)
            var noise = stream(.noise, row)
            let expected = truth.means[arm]
            switch shape.noise {
            case .normal(let deviation): outcome[place] = expected + deviation * noise.standardNormal()
            case .bernoulli: outcome[place] = noise.uniform() < expected ? 1 : 0
            case .poisson: outcome[place] = noise.poisson(expected)
            }
        }

        /// The arm that a uniform number falls to: the treated ones first, so that W = 1 where u < e(x).
        private static func arm(_ propensities: [Double], _ uniform: Double) -> Int {
            var left = uniform
            for arm in propensities.indices.dropFirst() {
                if left < propensities[arm] { return arm }
                left -= propensities[arm]
            }
            return 0
        }
    }
}
