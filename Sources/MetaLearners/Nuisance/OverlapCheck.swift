import MetaLearnersCore

/// A second look at overlap, whatever the propensity's model: small boosted trees predict the treatment out of fold.
///
/// A model that cannot follow how the arms were assigned, such as a logistic one, may find every row comparable where
/// hardly any is. The trees decide nothing but whether there is a warning. It is given where they predict held-out
/// treatments better than the propensity in use does, and put rows outside the bounds that this one puts inside; and where
/// the treatments of these rows agree: next to none of them is in the arm that the trees rule out.
struct OverlapCheck {
    /// Rows that the trees are fitted to at most; of more, so many are drawn.
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
    private let dataset: CausalDataset
    private let overlap: OverlapSpec
    private let rows: [Int32]
    private let features: Table
    private let run: CrossFittingRun
    private let remedy: String

    /// Adds the fits to `graph`.
    ///
    /// - Returns: nil where there is nothing to look at: the spec wants none, propensities are known or by such trees
    ///   already, there are too few rows to hold any out, or no such backend.
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
            bringsModels || spec.models.propensity.choice.backend != Self.backend,
            fitter.registry.estimators.descriptions.contains(where: { $0.name == Self.backend }),
            let folds = request.folds.isCrossFitted
                ? request.folds : try? FoldAssignment(dataset, count: 2, seed: UInt64(spec.seed))
        else { return nil }
        self.dataset = dataset
        overlap = spec.overlap
        remedy =
            (bringsModels
                ? "use a learner such as dr with models.propensity: trees"
                : "use models.propensity: trees")
            + " and overlap.policy: trim to keep to the rows that can be compared"
        let seed = RandomStream.derivedSeed(UInt64(spec.seed), Self.seedPath)
        var rows = dataset.activeRows ?? Array(0..<Int32(dataset.rowCount))
        if rows.count > Self.mostRows {
            var stream = RandomStream(seed: seed)
            stream.shuffle(&rows)
            rows = rows.prefix(Self.mostRows).sorted()
        }
        self.rows = rows
        self.features = features.selecting(rows: rows)
        let task = try TrainingTask(
            features: self.features, rows: Array(0..<Int32(rows.count)),
            target: rows.map { Double(dataset.treatment.arms[Int($0)]) },
            weights: dataset.weights.map { weights in rows.map { weights[Int($0)] } },
            objective: .classification(classes: dataset.armCount), seed: seed, cache: FeatureCache())
        let trees = try fitter.registry.estimators.makeEstimator(
            EstimatorChoice(Self.backend, Self.parameters), at: SpecPath.root.appending("overlap"))
        let footprint = trees.footprint(rows: rows.count, of: self.features, for: task.objective)
        bytes = footprint.shared + 8 * rows.count * (features.columns.count + 2 * dataset.armCount)
        run = CrossFittingRun(
            CrossFitter(try FoldAssignment(rows.map { folds.folds[Int($0)] }, count: folds.count)),
            CrossFitter.Job(name: "overlap check", estimator: trees, task: task, parts: .folds))
        run.schedule("overlap", in: &graph, bytes: footprint.working)
    }

    /// What the trees say against the propensities in use, once the graph has run.
    ///
    /// - Parameter used: of the training rows, after the overlap policy.
    func warnings(_ used: NuisanceEstimates) -> [String] {
        let armCount = dataset.armCount
        let fit = run.fit()
        guard let shares = fit.outOfFold.first, let propensities = used.propensities else { return [] }
        var count = 0
        var counterparts = 0
        var advantage = 0.0
        for (position, row) in rows.map(Int.init).enumerated() where used.hasOverlap?[row] ?? true {
            let own = Int(dataset.treatment.arms[row])
            func logLikelihood(_ share: Double) -> Double {
                Double.log(min(max(share, overlap.low()), overlap.high()))
            }
            advantage +=
                logLikelihood(shares[position * armCount + own]) - logLikelihood(propensities[own][row])
            // With two arms the treated one is judged, the control being the rest.
            for arm in armCount == 2 ? 1..<2 : 0..<armCount {
                let share = shares[position * armCount + arm]
                let isBelow = share < overlap.low()
                guard isBelow || share > overlap.high(), propensities[arm][row] > overlap.low(),
                    propensities[arm][row] < overlap.high()
                else { continue }
                count += 1
                if (own == arm) == isBelow { counterparts += 1 }
                break
            }
        }
        let ruledOut = max(overlap.low(), 1 - overlap.high())
        guard advantage > 0, Double(count) >= Self.leastShare * Double(rows.count),
            Double(counterparts) <= 2 * ruledOut * Double(count)
        else { return [] }
        let sampled = rows.count < dataset.rowCount ? "\(rows.count) sampled" : "\(rows.count)"
        let names = columnNames(fit.models.foldModels)
        return [
            "overlap: trees tell the arm of \(count) of \(sampled) rows from their covariates, where the propensity in use is "
                + "within \(overlap.bounds) (\(counterparts) of them are in an arm that the trees rule out); "
                + (names.isEmpty ? "" : "the arms differ most in \(names); ")
                + "average effects over these rows are extrapolation, which their intervals do not cover: "
                + remedy
        ]
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
