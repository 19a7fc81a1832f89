import MetaLearnersCore

/// Logistic regression with an elastic net whose penalty cross-validation chooses.
///
/// Penalties λ stand beside the mean of the negative log-likelihood, as λ·(ratio·|β|₁ + (1 − ratio)/2·|β|²): a geometric
/// sequence from the least at which every coefficient is 0 (for a ratio below 0.001, from that of 0.001). Folds are even
/// in their classes, and whole clusters stay together; columns are standardised once, over all rows. A fold's loss is the
/// negative log-likelihood of its rows at the model fitted to the others; rows of a class that those lack count alike at
/// every penalty.
struct LogisticPath {
    /// The solution at the penalty that was chosen.
    let solution: NewtonSolver.Solution
    /// The penalties, their mean losses, and which was chosen.
    let choice: PenaltyChoice

    /// - Parameters:
    ///   - make: the loss of rows of `classes`, l2 being 0.
    /// - Throws: `numericalFailure` where sums overflow, `outOfMemory`, `cancelled`.
    init(
        _ classes: ClassLabels, _ task: TrainingTask, _ spec: LogisticSpec, denseLimit: Int,
        _ context: ExecutionContext,
        make: @escaping @Sendable (ClassLabels) throws(MetaLearnersError) -> any LogisticObjective
    ) throws(MetaLearnersError) {
        let whole = try make(classes)
        let total = classes.totalWeight
        let start = try whole.startingPoint()
        let gradient = try whole.evaluate(start, .none, context).gradient
        var largest = 0.0
        for index in 0..<whole.parameterCount where index % whole.size < whole.size - 1 {
            largest = max(largest, abs(gradient.start[index]) / total)
        }
        largest /= max(spec.l1Ratio, 1e-3)
        guard largest.isFinite else { throw NewtonSolver.overflow }
        let penalties = try classes.distribution.agreed(
            (0..<spec.pathLength).map { step in
                largest * Double.exp(Double.log(spec.pathRatio) * Double(step) / Double(spec.pathLength - 1))
            })
        @Sendable func solve(
            _ loss: any LogisticObjective, _ penalty: Double, from start: DoubleBuffer?
        ) throws(MetaLearnersError) -> NewtonSolver.Solution {
            let scale = penalty * loss.classes.totalWeight
            loss.l2 = scale * (1 - spec.l1Ratio)
            return try ProximalNewton(
                loss: loss, l1: scale * spec.l1Ratio, maxIterations: spec.maxIterations,
                tolerance: spec.tolerance, denseLimit: denseLimit
            ).solve(from: start, context)
        }
        let heldOut = try HeldOutLogistic(classes, task, folds: spec.folds, make: make)
        let folds = heldOut.folds
        var chosen = 0
        var errors: [Double] = []
        if folds.ranges.count > 1, largest > 0 {
            let losses = try heldOut.path(penalties, context, solve) { $1.loss }
                .map { $0.isEmpty ? [Double](repeating: 0, count: penalties.count) : $0 }
            let weights = try classes.distribution.sum(
                folds.ranges.map { range in folds.order[range].reduce(0) { $0 + classes.weights[$1] } })
            let selection = spec.selection == .oneStandardError ? LambdaSelection.oneStandardError : .min
            chosen = PenaltyPath.choice(losses, weights: weights, selection)
            errors = penalties.indices.map { step in losses.reduce(0) { $0 + $1[step] } / total }
        }
        var point = start
        var solution = NewtonSolver.Solution(parameters: start, converged: true, iterations: 0)
        if largest > 0 {
            for penalty in penalties[...chosen] {
                solution = try solve(whole, penalty, from: point)
                point = solution.parameters
            }
        }
        self.solution = solution
        choice = PenaltyChoice(
            criterion: "cross_validated_deviance", penalties: largest > 0 ? penalties : [], errors: errors,
            chosen: chosen)
    }
}
