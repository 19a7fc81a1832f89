/// The members of a stack on their way through a task graph, each cross-fitted, and what they become together.
///
/// The rows that cross-fitting holds out serve the weights: those of a unit's model are found from the held-out predictions of
/// the folds that the unit does not leave out, of its own repeat, or of the first for the model of all rows. So each member is fitted once for each
/// unit, and no weights are fitted to the targets of rows that are judged by them.
final class StackedRun: Sendable {
    private let fitter: CrossFitter
    private let spec: StackSpec
    private let runs: [CrossFittingRun]

    /// Nil for what is no stack, or where nothing is held out: `StackEstimator.fit` is what fits then.
    init?(
        _ fitter: CrossFitter, _ estimator: any BaseEstimator, _ objective: TrainingTask.Objective,
        of features: Table?, parts: CrossFitter.Parts
    ) {
        guard let stack = estimator as? StackEstimator, fitter.folds.isCrossFitted,
            StackWeights.supports(objective)
        else { return nil }
        let members = stack.members(for: objective, of: features)
        guard !members.isEmpty else { return nil }
        self.fitter = fitter
        spec = stack.spec
        runs = members.map { CrossFittingRun(fitter, $0, objective, parts: parts.union(.folds)) }
    }

    /// Makes the job known to the members.
    func start(_ job: CrossFitter.Job) {
        for run in runs {
            // What the weights are judged by are predictions from the task's own features: they come first.
            run.start(
                CrossFitter.Job(
                    name: "\(job.name), \(run.estimator.backend.name)", estimator: run.estimator,
                    task: job.task, parts: job.parts.union(.folds),
                    predictionFeatures: job.asksOtherFeatures
                        ? [job.task.features] + job.predictionFeatures : []))
        }
    }

    /// Adds the members' fits to `graph`.
    ///
    /// - Returns: the tasks after which all of them are there.
    func schedule(_ stage: String, in graph: inout TaskGraph, after before: [TaskGraph.Node], bytes: Int)
        -> [TaskGraph.Node]
    {
        var nodes: [TaskGraph.Node] = []
        for run in runs { nodes += run.schedule(stage, in: &graph, after: before, bytes: bytes) }
        return nodes
    }

    /// What a unit gives, once the members are there.
    func result(of unit: CrossFittingUnit, _ job: CrossFitter.Job, _ context: ExecutionContext)
        throws(MetaLearnersError) -> CrossFittingUnit.Result
    {
        try context.checkCancellation()
        let weights = try weights(of: unit, job.task)
        try context.checkCancellation()
        let own = runs.map { $0.result(of: unit) }
        let models = own.compactMap { $0?.model }
        func stack() throws(MetaLearnersError) -> FittedStack {
            guard models.count == runs.count else {
                throw MetaLearnersError(.internalFault, at: job.name, "a member of a stack was not fitted")
            }
            return FittedStack(models: models, weights: weights)
        }
        if case .fold = unit, !job.parts.contains(.folds) {
            return try fitter.predict(unit, of: job, stack(), context)
        }
        let first = job.asksOtherFeatures ? 1 : 0
        let heldOut = unit.heldOutFolds.enumerated().map { place, held in
            let count = fitter.repeats[held.repeat].rows(in: held.fold).count
            return job.predictionFeatures.indices.map { list in
                weights.combine(
                    own.map { $0?.predictions[place][first + list] ?? [] }, count: count)
            }
        }
        return CrossFittingUnit.Result(model: unit.keepsModel ? try stack() : nil, predictions: heldOut)
    }

    /// The weights of a unit's model.
    private func weights(of unit: CrossFittingUnit, _ task: TrainingTask) throws(MetaLearnersError)
        -> StackWeights
    {
        var isOfTask = [Bool](repeating: false, count: task.features.rowCount)
        for row in task.rows { isOfTask[Int(row)] = true }
        let left = unit.heldOutFolds
        let width = task.outputCount
        let number = left.first?.repeat ?? 0
        let folds = fitter.repeats[number]
        let used = (0..<folds.count).filter { fold in !left.contains { $0.fold == fold } }
        var rows: [Int32] = []
        var predictions = [[Double]](repeating: [], count: runs.count)
        for fold in used {
            let heldOut = folds.rows(in: fold)
            let places = heldOut.indices.filter { isOfTask[Int(heldOut[$0])] }
            for place in places { rows.append(heldOut[place]) }
            for (member, run) in runs.enumerated() {
                guard let list = run.result(of: .fold(fold, repeat: number))?.predictions.first?.first
                else {
                    throw MetaLearnersError(.internalFault, "a member of a stack held nothing out")
                }
                for place in places {
                    predictions[member] += list[(place * width)..<((place + 1) * width)]
                }
            }
        }
        return try StackWeights(
            predictions, task, rows: rows, leastAdvantage: spec.leastAdvantage)
    }

    /// Lets go of models and predictions.
    func forget() { for run in runs { run.forget() } }
}
