import MetaLearnersCore

/// What models of logistic regression along a path of penalties say of rows that they were not fitted to.
///
/// Folds are even in their classes, and whole clusters stay together; columns are standardised once, over all rows.
struct HeldOutLogistic: Sendable {
    let folds: HeldOutFolds
    private let classes: ClassLabels
    private let make: @Sendable (ClassLabels) throws(MetaLearnersError) -> any LogisticObjective

    /// Solves for a penalty, from what was found for the one before.
    typealias Solver =
        @Sendable (any LogisticObjective, Double, DoubleBuffer?) throws(MetaLearnersError) ->
        NewtonSolver.Solution

    /// - Parameter make: the loss of rows of some classes, without a penalty.
    /// - Throws: what the collective throws.
    init(
        _ classes: ClassLabels, _ task: TrainingTask, folds: Int,
        make: @escaping @Sendable (ClassLabels) throws(MetaLearnersError) -> any LogisticObjective
    ) throws(MetaLearnersError) {
        self.classes = classes
        self.make = make
        self.folds = try HeldOutFolds(
            classes.rows, clusters: task.clusters, groups: classes.labels, count: folds, seed: task.seed,
            classes.distribution)
    }

    /// Fits each fold's complement along the path, and judges the fold by each model.
    ///
    /// - Parameters:
    ///   - judge: makes a value of the fold's rows, whose classes are those of the complement, and of their loss there.
    /// - Returns: for each fold a value for each penalty; none where the complement has one class alone, or the fold no row of
    ///   its classes.
    /// - Throws: as `LogisticEstimator.fit`.
    func path<Value: Sendable>(
        _ penalties: [Double], _ context: ExecutionContext, _ solve: Solver,
        judge: @Sendable (ClassLabels, LogisticEvaluation) -> Value
    ) throws(MetaLearnersError) -> [[Value]] {
        try ParallelParts.run(folds.ranges.count, oneByOne: classes.distribution != nil, context) {
            fold throws(MetaLearnersError) in
            let held = Set(folds.order[folds.ranges[fold]])
            let training = try classes.selecting(classes.rows.indices.filter { !held.contains($0) })
            guard training.present.count > 1 else { return [] }
            let present = training.present.compactMap { label in
                classes.present.firstIndex(of: label).map { Int32(clamping: $0) }
            }
            let heldOut = try classes.selecting(held.sorted(), present: present)
            guard heldOut.totalWeight > 0 else { return [] }
            let loss = try make(training)
            let outside = try make(heldOut)
            var point: DoubleBuffer?
            var values: [Value] = []
            for penalty in penalties {
                let solution = try solve(loss, penalty, point)
                point = solution.parameters
                values.append(
                    judge(heldOut, try outside.evaluate(solution.parameters, .products, context)))
            }
            return values
        }
    }
}
