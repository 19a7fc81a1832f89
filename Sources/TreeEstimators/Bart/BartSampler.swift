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
    /// - Throws: `cancelled`, `numericalFailure` for targets too large to be squared, what other processes have to say.
    func model(_ context: ExecutionContext) throws(MetaLearnersError) -> BoostedTreesModel {
        var weights = task.weights.map { weights in rows.map { weights[Int($0)] } }
        var sums = [ExactSum](repeating: ExactSum(), count: 4)
        let target = task.numbers
        for (position, row) in rows.enumerated() {
            let weight = weights?[position] ?? 1
            let value = target[Int(row)]
            sums[0].add(weight)
            sums[1].add(weight * weight)
            sums[2].add(weight * value)
        }
        if let distribution { sums = try distribution.sum(sums) }
        let total = sums[0].value
        let regressor = regressor
        // A level takes up the mean.
        let mean = hasLevel && total > 0 ? sums[2].value / total : 0
        var largest = 0.0
        for (position, row) in rows.enumerated() {
            let value = target[Int(row)] - mean
            sums[3].add((weights?[position] ?? 1) * value * value)
            largest = max(largest, abs(value))
        }
        if let distribution {
            sums[3] = try distribution.sum([sums[3]])[0]
            largest = try distribution.maximum([largest])[0]
        }
        let variance = total > 0 ? sums[3].value / total : 0
        guard variance.isFinite, mean.isFinite else {
            throw MetaLearnersError(
                .numericalFailure, at: BartEstimator.backend.name, "the squares of the target overflow",
                remedy: "rescale the target")
        }
        var builder = EnsembleBuilder(rounds: spec.sweeps - spec.burnIn)
        let unit = variance.squareRoot()
        guard unit > largest * 1e-13, unit > 0 else {
            return fitted(builder.ensemble(matrix, baseScores: [returnsLevel ? mean : 0]))
        }
        // As many rows as say as much, because the unit of weights has no meaning (Kish): Σ w / Σ w² of them.
        if let given = weights {
            let factor = total / sums[1].value
            weights = given.map { $0 * factor }
        }
        let effectiveRows = weights == nil ? total : total * total / sums[1].value
        var residuals = rows.map { (target[Int($0)] - mean) / unit }
        var forests: [BartForest] = []
        let bound = 16 * max(largest / unit, 1)
        let ofEffect = BartTreeGrower.Prior(
            splitProbability: spec.effectSplitProbability, splitDecay: spec.effectSplitDecay,
            leastLeaf: Int64(spec.minLeafSize))
        if hasLevel {
            let isOfEffect = task.isOfEffect && regressor == nil
            forests.append(
                try BartForest(
                    matrix, rows: rows, regressor: nil, weights: weights,
                    trees: isOfEffect ? spec.effectTrees : spec.trees, columnsPerSweep: spec.columnsPerSweep,
                    isOfEffect
                        ? ofEffect
                        : BartTreeGrower.Prior(
                            splitProbability: spec.splitProbability, splitDecay: spec.splitDecay,
                            leastLeaf: Int64(spec.minLeafSize)),
                    spread: isOfEffect ? 0.5 : 1, largest: bound, distribution))
        }
        if let regressor {
            var largestFactor = regressor.reduce(0) { max($0, abs($1)) }
            if let distribution { largestFactor = try distribution.maximum([largestFactor])[0] }
            guard largestFactor > 0 else {
                return fitted(builder.ensemble(matrix, baseScores: [0]))
            }
            forests.append(
                try BartForest(
                    matrix, rows: rows, regressor: regressor, weights: weights, trees: spec.effectTrees,
                    columnsPerSweep: spec.columnsPerSweep, ofEffect,
                    spread: 0.5 / (largestFactor * largestFactor), largest: bound, distribution))
        }
        let kept = returnsLevel ? 0 : forests.count - 1
        var level = 0.0
        if !(1e-18...1e18).contains(unit) { builder.valueScale = 1 / BoostingProblem.scale(unit, bits: 0) }
        var stream = RandomStream(seed: task.seed, path: 0x4241_5254)
        var noise = 1.0
        for sweep in 0..<spec.sweeps {
            try context.checkCancellation()
            for forest in forests { try forest.sweep(&residuals, noise: noise, &stream) }
            noise = try drawNoise(residuals, weights, effectiveRows, &stream)
            guard sweep >= spec.burnIn else { continue }
            let share = 1 / Double(spec.sweeps - spec.burnIn)
            level += share * forests[kept].level.mean
            for tree in forests[kept].trees where !tree.splits.isEmpty {
                builder.add(
                    GrownTree(
                        splits: tree.splits, leaves: tree.hessians.map { GradientTotals(hessian: $0) }),
                    values: tree.means.map { Float($0 * share * unit / builder.valueScale) }, output: 0,
                    round: sweep - spec.burnIn, gainUnit: noise * variance)
            }
            for tree in forests[kept].trees where tree.splits.isEmpty { level += share * tree.means[0] }
        }
        return fitted(
            builder.ensemble(matrix, baseScores: [(returnsLevel ? mean : 0) + unit * level]))
    }

    private func fitted(_ ensemble: TreeEnsemble) -> BoostedTreesModel {
        BoostedTreesModel(
            ensemble: ensemble, link: .identity, warnings: [], backendName: BartEstimator.backend.name)
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
    private func drawNoise(
        _ residuals: [Double], _ weights: [Double]?, _ effectiveRows: Double, _ stream: inout RandomStream
    ) throws(MetaLearnersError) -> Double {
        var sum = ExactSum()
        for (position, residual) in residuals.enumerated() {
            sum.add((weights?[position] ?? 1) * residual * residual)
        }
        if let distribution { sum = try distribution.sum([sum])[0] }
        // (Never so small that the likelihood has no room.)
        return max(
            stream.inverseGamma(shape: effectiveRows / 2, scale: sum.value / 2), 1e-8)
    }
}
