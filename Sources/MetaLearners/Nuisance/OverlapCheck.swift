import MetaLearnersCore

/// A second look at overlap, whatever the propensity's model: small boosted trees predict the treatment out of fold.
///
/// A model that cannot follow how the arms were assigned, such as a logistic one, may find every row comparable where
/// hardly any is. The trees decide nothing but whether there is a warning. It is given where they predict held-out
/// treatments better than the propensity in use does, and put rows outside the bounds that this one puts inside; and where
/// the treatments of these rows agree: next to none of them is in the arm that the trees rule out.
struct OverlapCheck {
    /// Rows that the trees are fitted to at most; of more, one row of each of so many equal stretches is drawn. Where several
    /// processes hold the rows, each fits the trees to the same rows of all.
    static let mostRows = 20_000
    /// Categories with more levels are left out: the trees would learn them by heart.
    static let mostLevels = 256
    /// From this share of the rows looked at on there is a warning.
    static let leastShare = 0.02
    /// How many columns the warning names.
    private static let namedColumns = 3
    private static let seedPath: UInt64 = 0x4F56_4C50
    private static let backend = "trees"
    private static let parameters: SpecObject = ["trees": 40, "learning_rate": 0.2, "max_leaves": 8]

    /// What the trees take beside the fits themselves, in bytes.
    let bytes: Int
    private let armCount: Int
    /// How many rows there are.
    private let rowCount: Int
    private let overlap: OverlapSpec
    /// The rows looked at that are here, and the arm of every row looked at.
    private let rows: [Int32]
    private let arms: [Int32]
    private let features: Table
    private let distribution: DistributedRows?
    private let run: CrossFittingRun
    private let remedy: String

    /// Adds the fits to `graph`.
    ///
    /// - Returns: nil where there is nothing to look at: the spec wants none, propensities are known or by such trees
    ///   already, covariates are not there as numbers, there are too few rows to hold any out, or no such backend.
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
            !features.isCoded,
            bringsModels || spec.models.propensity.choice.backend != Self.backend,
            fitter.registry.estimators.descriptions.contains(where: { $0.name == Self.backend }),
            let folds = try Self.folds(request, seed: UInt64(spec.seed))
        else { return nil }
        armCount = dataset.armCount
        rowCount = dataset.totalRowCount
        distribution = dataset.distribution
        overlap = spec.overlap
        remedy =
            (bringsModels
                ? "use a learner such as dr with models.propensity: trees"
                : "use models.propensity: trees")
            + " and overlap.policy: trim to keep to the rows that can be compared"
        let seed = RandomStream.derivedSeed(UInt64(spec.seed), Self.seedPath)
        rows = Self.sample(dataset, seed: seed)
        let sample = try OverlapSample(dataset, features, rows, folds)
        self.features = sample.features
        arms = sample.arms
        let task = try TrainingTask(
            features: self.features, rows: Array(0..<Int32(arms.count)),
            target: arms.map(Double.init), weights: sample.weights,
            objective: .classification(classes: dataset.armCount), seed: seed, cache: FeatureCache())
        let trees = try fitter.registry.estimators.makeEstimator(
            EstimatorChoice(Self.backend, Self.parameters), at: SpecPath.root.appending("overlap"))
        let footprint = trees.footprint(rows: arms.count, of: self.features, for: task.objective)
        bytes = footprint.shared + 8 * arms.count * (features.columns.count + 2 * dataset.armCount)
        run = CrossFittingRun(
            CrossFitter(try FoldAssignment(sample.folds, count: folds.count)),
            CrossFitter.Job(name: "overlap check", estimator: trees, task: task, parts: .folds))
        run.schedule("overlap", in: &graph, bytes: footprint.working)
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

    /// What the trees say against the propensities in use, once the graph has run.
    ///
    /// - Parameter used: of the training rows, after the overlap policy.
    func warnings(_ used: NuisanceEstimates) throws(MetaLearnersError) -> [String] {
        let fit = run.fit()
        guard let shares = fit.outOfFold.first, let own = used.propensities else { return [] }
        var propensities: [[Double]] = []
        for values in own { propensities.append(try gathered(values)) }
        let hasOverlap = try used.hasOverlap.map { flags throws(MetaLearnersError) in
            try gathered(flags.map { $0 ? 1 : 0 })
        }
        var count = 0
        var counterparts = 0
        var advantage = 0.0
        for position in arms.indices where hasOverlap?[position] ?? 1 > 0 {
            let own = Int(arms[position])
            func logLikelihood(_ share: Double) -> Double {
                Double.log(min(max(share, overlap.low()), overlap.high()))
            }
            advantage +=
                logLikelihood(shares[position * armCount + own]) - logLikelihood(propensities[own][position])
            // With two arms the treated one is judged, the control being the rest.
            for arm in armCount == 2 ? 1..<2 : 0..<armCount {
                let share = shares[position * armCount + arm]
                let isBelow = share < overlap.low()
                guard isBelow || share > overlap.high(), propensities[arm][position] > overlap.low(),
                    propensities[arm][position] < overlap.high()
                else { continue }
                count += 1
                if (own == arm) == isBelow { counterparts += 1 }
                break
            }
        }
        let ruledOut = max(overlap.low(), 1 - overlap.high())
        guard advantage > 0, Double(count) >= Self.leastShare * Double(arms.count),
            Double(counterparts) <= 2 * ruledOut * Double(count)
        else { return [] }
        let sampled = arms.count < rowCount ? "\(arms.count) sampled" : "\(arms.count)"
        let names = columnNames(fit.models.foldModels)
        return [
            "overlap: trees tell the arm of \(count) of \(sampled) rows from their covariates, where the propensity in use is "
                + "within \(overlap.bounds) (\(counterparts) of them are in an arm that the trees rule out); "
                + (names.isEmpty ? "" : "the arms differ most in \(names); ")
                + "average effects over these rows are extrapolation, which their intervals do not cover: "
                + remedy
        ]
    }

    /// The rows to look at that are here.
    private static func sample(_ dataset: CausalDataset, seed: UInt64) -> [Int32] {
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

    /// The values of the rows looked at, those of other processes among them.
    private func gathered(_ values: [Double]) throws(MetaLearnersError) -> [Double] {
        let own = rows.map { values[Int($0)] }
        return try distribution?.gather(own) ?? own
    }

    /// The columns that the trees gain most by.
    private func columnNames(_ models: [any FittedEstimator]) -> String {
        var gains = [Double](repeating: 0, count: features.columns.count)
        for case let model as any ExplainableEstimator in models {
            for (column, gain) in model.importances(.gain).enumerated() { gains[column] += gain }
        }
        return gains.indices.sorted { (gains[$1], $0) < (gains[$0], $1) }.prefix(Self.namedColumns)
            .filter { gains[$0] > 0 }.map { "'\(features.columns[$0].name)'" }.joined(separator: ", ")
    }
}

/// What the trees of the second look are fitted to: some rows of all processes, in each of them.
private struct OverlapSample {
    let features: Table
    let arms: [Int32]
    let folds: [Int32]
    let weights: [Double]?

    init(
        _ dataset: CausalDataset, _ features: Table, _ rows: [Int32], _ folds: FoldAssignment
    ) throws(MetaLearnersError) {
        let own = features.selecting(rows: rows)
        let arms = rows.map { dataset.treatment.arms[Int($0)] }
        let ownFolds = rows.map { folds.folds[Int($0)] }
        let weights = dataset.weights.map { weights in rows.map { weights[Int($0)] } }
        guard let distribution = dataset.distribution else {
            self.features = own
            self.arms = arms
            self.folds = ownFolds
            self.weights = weights
            return
        }
        self.arms = try distribution.gather(arms.map(Double.init)).map { Int32($0) }
        self.folds = try distribution.gather(ownFolds.map(Double.init)).map { Int32($0) }
        var all: [Double]?
        if let weights { all = try distribution.gather(weights) }
        self.weights = all
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
