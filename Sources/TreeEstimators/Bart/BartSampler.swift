import MetaLearnersCore

/// Draws from the posterior of sums of trees, and the mean of what is drawn.
///
/// The target is divided by its standard deviation. Row by row it is a level, a sum of trees, plus the regressor times a coefficient,
/// another sum of trees, plus normal noise whose variance falls with the row's weight; some objectives have the one alone, some the other.
struct BartSampler {
    private let task: TrainingTask
    private let spec: BartSpec
    private let matrix: BinnedMatrix
    private let rows: [Int32]
    private let distribution: DistributedRows?

    init(_ task: TrainingTask, _ spec: BartSpec, _ matrix: BinnedMatrix) {
        self.task = task
        self.spec = spec
        self.matrix = matrix
        rows = task.weights.map { weights in task.rows.filter { weights[Int($0)] > 0 } } ?? task.rows
        distribution = task.features.distribution
    }

    /// The model of the function that the objective asks for.
    ///
    /// - Throws: `cancelled`, `outOfMemory`, `numericalFailure` for numbers too large, `unsupported` for too many rows, what other processes
    ///   have to say.
    func model(_ context: ExecutionContext) throws(MetaLearnersError) -> BoostedTreesModel {
        let count = try distribution?.sum(rows.count) ?? rows.count
        guard count < Self.mostRows else {
            throw MetaLearnersError(
                .unsupported, at: "rows", "there are \(count) rows; bart takes fewer than \(Self.mostRows)",
                remedy: "use trees, or fit on a sample of the rows")
        }
        let weights = try RowWeights(
            task.weights.map { weights in rows.map { weights[Int($0)] } }, count, distribution)
        let target = try StandardTarget(
            rows.map { task.numbers[Int($0)] }, weights, hasMean: hasLevel, distribution)
        let regressor = try regressor.map { values throws(MetaLearnersError) in
            try StandardRegressor(values, weights, distribution)
        }
        var builder = EnsembleBuilder(rounds: 1)
        guard target.unit > 0, regressor?.scale != 0 else {
            return fitted(builder.ensemble(matrix, baseScores: [returnsLevel ? target.mean : 0]))
        }
        var residuals = target.values
        let forests = try forests(weights, regressor, bound: 16 * max(target.largest, 1))
        let kept = returnsLevel ? 0 : forests.count - 1
        let unit = target.unit * (returnsLevel ? 1 : regressor?.scale ?? 1)
        if !(1e-18...1e18).contains(unit) { builder.valueScale = 1 / BoostingProblem.scale(unit, bits: 0) }
        var level = 0.0
        var stream = RandomStream(seed: task.seed, path: 0x4241_5254)
        var noise = 1.0
        let share = 1 / Double(spec.sweeps - spec.burnIn)
        for sweep in 0..<spec.sweeps {
            for forest in forests { try forest.sweep(&residuals, noise: noise, &stream, context) }
            noise = try drawNoise(residuals, weights, &stream)
            guard sweep >= spec.burnIn else { continue }
            level += share * forests[kept].level.mean
            for tree in forests[kept].trees {
                if tree.splits.isEmpty {
                    level += share * tree.means[0]
                    continue
                }
                builder.add(
                    GrownTree(
                        splits: tree.splits, leaves: tree.hessians.map { GradientTotals(hessian: $0) }),
                    values: tree.means.map { Float($0 * share * (unit / builder.valueScale)) }, output: 0,
                    round: 0, gainUnit: noise)
            }
        }
        let base = (returnsLevel ? target.mean : 0) + unit * level
        guard base.isFinite, unit.isFinite else {
            throw MetaLearnersError(
                .numericalFailure, at: BartEstimator.backend.name, "predictions overflow",
                remedy: "rescale the target or the regressor")
        }
        return fitted(builder.ensemble(matrix, baseScores: [base]))
    }

    /// Sums of Hessians share a word with counts of rows; more rows leave them too few bits.
    private static let mostRows = 1 << 27

    /// The functions that the target is a sum of: a level, and what the regressor is multiplied by.
    private func forests(_ weights: RowWeights, _ regressor: StandardRegressor?, bound: Double)
        throws(MetaLearnersError) -> [BartForest]
    {
        func prior(ofEffect isOfEffect: Bool) -> BartTreeGrower.Prior {
            BartTreeGrower.Prior(
                splitProbability: isOfEffect ? spec.effectSplitProbability : spec.splitProbability,
                splitDecay: isOfEffect ? spec.effectSplitDecay : spec.splitDecay,
                leastLeaf: Int64(spec.minLeafSize))
        }
        func forest(_ values: [Double]?, ofEffect isOfEffect: Bool) throws(MetaLearnersError) -> BartForest {
            try BartForest(
                matrix, rows: rows, regressor: values, weights: weights.values,
                trees: isOfEffect ? spec.effectTrees : spec.trees, columnsPerSweep: spec.columnsPerSweep,
                prior(ofEffect: isOfEffect), spread: isOfEffect ? 0.5 : 1, largest: bound, distribution)
        }
        var forests: [BartForest] = []
        if hasLevel { forests.append(try forest(nil, ofEffect: task.isOfEffect && regressor == nil)) }
        if let regressor { forests.append(try forest(regressor.values, ofEffect: true)) }
        return forests
    }

    private func fitted(_ ensemble: TreeEnsemble) -> BoostedTreesModel {
        BoostedTreesModel(
            ensemble: ensemble, link: .identity, warnings: [], origin: .drawn)
    }

    /// The regressor of the objective, by position; nil where it has none.
    private var regressor: [Double]? {
        switch task.objective {
        case .residual(let regressor), .coefficient(let regressor): rows.map { regressor[Int($0)] }
        default: nil
        }
    }

    private var hasLevel: Bool { if case .residual = task.objective { false } else { true } }
    private var returnsLevel: Bool { if case .regression = task.objective { true } else { false } }

    /// Draws the variance of the noise, about whose logarithm nothing is known before.
    private func drawNoise(_ residuals: [Double], _ weights: RowWeights, _ stream: inout RandomStream)
        throws(MetaLearnersError) -> Double
    {
        var sum = ExactSum()
        for (position, residual) in residuals.enumerated() {
            sum.add(weights[position] * residual * residual)
        }
        if let distribution { sum = try distribution.sum([sum])[0] }
        // (Never so small that the likelihood has no room.)
        let noise = max(stream.inverseGamma(shape: weights.total / 2, scale: sum.value / 2), 1e-8)
        return try distribution.agreed([noise])[0]
    }
}
