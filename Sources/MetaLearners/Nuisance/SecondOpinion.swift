import MetaLearnersCore

/// A second opinion on how the arms were assigned, whatever the propensity's model: small boosted trees predict the treatment out of fold.
///
/// They decide nothing but whether there are warnings (`OverlapCheck`, `PropensityCheck`), and are fitted beside everything else.
struct SecondOpinion {
    /// Rows that they are fitted to at most; of more, one row of each of so many equal stretches is drawn. Where several
    /// processes hold the rows, each fits them to the same rows of all.
    static let mostRows = 20_000
    /// Categories with more levels are left out: the trees would learn them by heart.
    static let mostLevels = 256
    private static let seedPath: UInt64 = 0x4F56_4C50
    private static let backend = "trees"
    private static let parameters: SpecObject = ["trees": 40, "learning_rate": 0.2, "max_leaves": 8]

    /// What the fits take beside the fits themselves, in bytes.
    let bytes: Int
    let armCount: Int
    /// How many rows there are.
    let rowCount: Int
    let overlap: OverlapSpec
    /// Whether the learner brings models of its own.
    let bringsModels: Bool
    /// Whether anybody asks for average effects.
    let hasAverages: Bool
    /// The rows looked at that are here.
    private let rows: [Int32]
    private let sample: OpinionSample
    private let distribution: DistributedRows?
    private let run: CrossFittingRun

    /// Adds the fits to `graph`.
    ///
    /// - Returns: nil where there is nothing to look at: the spec wants none, propensities are known or by such trees already,
    ///   covariates are not there as numbers, there are too few rows to hold any out, or no such backend.
    init?(_ fitter: MetaLearnerFitter, _ request: FitRequest, in graph: inout TaskGraph)
        throws(MetaLearnersError)
    {
        let spec = fitter.spec
        let dataset = request.dataset
        let bringsModels = fitter.registry.traits(of: spec.learner)?.bringsModels ?? false
        let features = dataset.covariates.selecting(
            columns: dataset.covariates.columns.indices.filter {
                (dataset.covariates.columns[$0].levels?.count ?? 0) <= Self.mostLevels
            })
        guard spec.overlap.check, dataset.knownPropensities == nil, !features.columns.isEmpty,
            !features.isCoded, bringsModels || spec.models.propensity.choice.backend != Self.backend,
            fitter.registry.estimators.descriptions.contains(where: { $0.name == Self.backend }),
            let folds = try Self.folds(request, seed: UInt64(spec.seed))
        else { return nil }
        self.bringsModels = bringsModels
        hasAverages = spec.averageEffects
        armCount = dataset.armCount
        rowCount = dataset.totalRowCount
        distribution = dataset.distribution
        overlap = spec.overlap
        let seed = RandomStream.derivedSeed(UInt64(spec.seed), Self.seedPath)
        rows = Self.sampled(dataset, seed: seed)
        sample = try OpinionSample(dataset, features, rows, folds)
        guard sample.hasEveryFold(folds.count) else { return nil }
        let task = try TrainingTask(
            features: sample.features, rows: Array(0..<Int32(sample.arms.count)),
            target: sample.arms.map(Double.init), weights: sample.weights,
            objective: .classification(classes: dataset.armCount), seed: seed, cache: FeatureCache())
        let trees = try fitter.registry.estimators.makeEstimator(
            EstimatorChoice(Self.backend, Self.parameters), at: SpecPath.root.appending("overlap"))
        let footprint = trees.footprint(rows: sample.arms.count, of: sample.features, for: task.objective)
        bytes = footprint.shared + 8 * sample.arms.count * (features.columns.count + 2 * dataset.armCount)
        run = CrossFittingRun(
            CrossFitter(try FoldAssignment(sample.folds, count: folds.count)),
            CrossFitter.Job(name: "overlap check", estimator: trees, task: task, parts: .folds))
        run.schedule("overlap", in: &graph, bytes: footprint.working)
    }

    /// Of each row looked at, those of other processes among them: its arm.
    var arms: [Int32] { sample.arms }
    /// Its fold, weight and cluster; nil where there are none.
    var folds: [Int32] { sample.folds }
    var weights: [Double]? { sample.weights }
    var clusters: [Int32]? { sample.clusters }

    /// What the trees say out of fold, once the graph has run, as many shares a row looked at as there are arms, and the trees
    /// of the folds.
    func shares() -> (shares: [Double], models: [any FittedEstimator])? {
        let fit = run.fit()
        return fit.outOfFold.first.map { ($0, fit.models.foldModels) }
    }

    /// The values of the rows looked at, those of other processes among them.
    func gathered(_ values: [Double]) throws(MetaLearnersError) -> [Double] {
        let own = rows.map { values[Int($0)] }
        return try distribution?.gather(own) ?? own
    }

    /// The columns that some models gain most by.
    func columnNames(_ models: [any FittedEstimator], count: Int) -> String {
        let columns = sample.features.columns
        var gains = [Double](repeating: 0, count: columns.count)
        for case let model as any ExplainableEstimator in models {
            for (column, gain) in model.importances(.gain).enumerated() { gains[column] += gain }
        }
        return gains.indices.sorted { (gains[$1], $0) < (gains[$0], $1) }.prefix(count)
            .filter { gains[$0] > 0 }.map { "'\(columns[$0].name)'" }.joined(separator: ", ")
    }

    /// The folds of the fit, two of its own where it has none; nil where there are too few rows for that.
    private static func folds(_ request: FitRequest, seed: UInt64) throws(MetaLearnersError)
        -> FoldAssignment?
    {
        guard !request.folds.isCrossFitted else { return request.folds }
        do throws(MetaLearnersError) {
            return try FoldAssignment(request.dataset, count: 2, seed: seed)
        } catch {
            guard error.kind == .invalidData else { throw error }
            return nil
        }
    }

    /// The rows to look at that are here.
    private static func sampled(_ dataset: CausalDataset, seed: UInt64) -> [Int32] {
        let active = dataset.activeRows ?? Array(0..<Int32(dataset.rowCount))
        let firstRow = dataset.distribution?.firstRow ?? 0
        let total = dataset.distribution?.rowCount ?? active.count
        guard total > mostRows else { return active }
        var stream = RandomStream(seed: seed)
        return (0..<mostRows).compactMap { part in
            let first = part * total / mostRows
            let end = (part + 1) * total / mostRows
            let row = first + stream.integer(below: end - first) - firstRow
            return active.indices.contains(row) ? active[row] : nil
        }
    }
}

/// What second opinions are fitted to: some rows of all processes, in each of them.
private struct OpinionSample {
    let features: Table
    let arms: [Int32]
    let folds: [Int32]
    let weights: [Double]?
    let clusters: [Int32]?

    /// Whether every fold has rows, and rows that count outside it.
    func hasEveryFold(_ count: Int) -> Bool {
        var rows = [Int](repeating: 0, count: count)
        var counting = rows
        for (position, fold) in folds.enumerated() {
            rows[Int(fold)] += 1
            if weights?[position] ?? 1 > 0 { counting[Int(fold)] += 1 }
        }
        let all = counting.reduce(0, +)
        return (0..<count).allSatisfy { rows[$0] > 0 && (count == 1 || counting[$0] < all) }
    }

    init(
        _ dataset: CausalDataset, _ features: Table, _ rows: [Int32], _ folds: FoldAssignment
    ) throws(MetaLearnersError) {
        let own = features.selecting(rows: rows)
        let arms = rows.map { dataset.treatment.arms[Int($0)] }
        let ownFolds = rows.map { folds.folds[Int($0)] }
        let ownClusters = dataset.clusters.map { clusters in rows.map { clusters[Int($0)] } }
        let weights = dataset.weights.map { weights in rows.map { weights[Int($0)] } }
        guard let distribution = dataset.distribution else {
            self.features = own
            self.arms = arms
            self.folds = ownFolds
            self.weights = weights
            clusters = ownClusters
            return
        }
        self.arms = try distribution.gather(arms.map(Double.init)).map { Int32($0) }
        self.folds = try distribution.gather(ownFolds.map(Double.init)).map { Int32($0) }
        var all: [Double]?
        if let weights { all = try distribution.gather(weights) }
        self.weights = all
        var allClusters: [Int32]?
        if let ownClusters {
            allClusters = try distribution.gather(ownClusters.map(Double.init)).map { Int32($0) }
        }
        clusters = allClusters
        var columns: [Column] = []
        for column in own.columns {
            let codes = column.codes()
            let values = try distribution.gather(codes?.map(Double.init) ?? column.values.doubles())
            columns.append(
                column.levels.map { levels in
                    Column(column.name, codes: StridedValues(values.map { Int32($0) }), levels: levels)
                } ?? Column(column.name, values))
        }
        self.features = try Table(columns, rowCount: self.arms.count)
    }
}
