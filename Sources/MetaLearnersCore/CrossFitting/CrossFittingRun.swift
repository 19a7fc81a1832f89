/// A job on its way through a task graph: its units, where their results go, and what they add up to.
package final class CrossFittingRun: Sendable {
    private let fitter: CrossFitter
    /// What is fitted.
    let estimator: any BaseEstimator
    private let job: ResultSlots<CrossFitter.Job>
    private let units: [CrossFittingUnit]
    private let results: ResultSlots<CrossFittingUnit.Result>
    /// Where each unit was scheduled.
    private let nodes = Lock<[TaskGraph.Node]>([])
    /// A run with more stages of the same estimator, which is fitted in place of this one, and the stage that this one is.
    private let leader: (run: CrossFittingRun, stage: Int)?
    /// Who says how many stages the models have, where the estimator's spec leaves that open; nil where it does not.
    private let choice: StageChoice?
    /// The members of a stack, which are fitted in its place; nil for other base learners.
    private let members: StackedRun?

    /// Prepares a job that is known already.
    package convenience init(
        _ fitter: CrossFitter, _ job: CrossFitter.Job,
        following leader: (run: CrossFittingRun, stage: Int)? = nil, stages: StageChoice.Source = .heldOutRows
    ) {
        self.init(
            fitter, job.estimator, job.task.objective, of: job.task.features, parts: job.parts,
            hasFoldTasks: !job.foldTasks.isEmpty, following: leader, stages: stages)
        start(job)
    }

    /// Prepares a job that another task of the graph makes known by `start`.
    ///
    /// - Parameters:
    ///   - objective: what it will predict.
    ///   - features: what from; nil where that is not known yet.
    ///   - hasFoldTasks: whether the models of folds will be fitted to tasks of their own: stacks hold rows out for themselves then.
    ///   - leader: a run of the same task whose models hold those of this one as a stage: nothing is fitted. It must
    ///     be scheduled before, in the same graph, and have every unit that this one has (`holds`).
    ///   - stages: who says how many stages the models have, where the estimator's spec leaves that open.
    package init(
        _ fitter: CrossFitter, _ estimator: any BaseEstimator,
        _ objective: TrainingTask.Objective = .regression, of features: Table? = nil,
        parts: CrossFitter.Parts,
        hasFoldTasks: Bool = false, following leader: (run: CrossFittingRun, stage: Int)? = nil,
        stages: StageChoice.Source = .heldOutRows
    ) {
        self.fitter = fitter
        self.estimator = estimator
        self.leader = leader
        units = fitter.units(of: parts)
        choice = leader == nil ? StageChoice(fitter, estimator, stages) : nil
        members =
            leader == nil && !hasFoldTasks
            ? StackedRun(fitter, estimator, objective, of: features, parts: parts) : nil
        job = ResultSlots(count: 1)
        results = ResultSlots(count: units.count)
    }

    /// Makes the job known; comes before any of its units.
    package func start(_ job: CrossFitter.Job) {
        self.job[0] = job
        members?.start(job)
    }

    /// What the model of all rows is fitted to, once that is known.
    package var task: TrainingTask? { knownJob?.task }

    private func known() throws(MetaLearnersError) -> CrossFitter.Job {
        if let job = job[0] { return job }
        throw MetaLearnersError(.internalFault, "a fit began before what it is fitted to was known")
    }

    private var knownJob: CrossFitter.Job? { job[0] ?? leader?.run.knownJob }

    /// Whether all units of `parts` are kept here, so that another run may follow this one.
    package func holds(_ parts: CrossFitter.Parts) -> Bool {
        !parts.contains(.pairs) && Set(units).isSuperset(of: fitter.units(of: parts))
    }

    /// Who says how many stages the models have; nil where the estimator's spec does.
    package var stageChoice: StageChoice? { choice }

    /// Lets go of models and predictions.
    package func forget() {
        choice?.forget()
        members?.forget()
        for index in units.indices { results[index] = nil }
        job[0] = nil
    }

    /// What a unit gave, once it is done and as long as it is kept.
    func result(of unit: CrossFittingUnit) -> CrossFittingUnit.Result? {
        units.firstIndex(of: unit).flatMap { results[$0] }
    }

    private func node(of unit: CrossFittingUnit) -> TaskGraph.Node? {
        let nodes = nodes.withLock { $0 }
        return units.firstIndex(of: unit).flatMap { nodes.indices.contains($0) ? nodes[$0] : nil }
    }

    /// What following the leader gives: its model as it was at the stage, and what that predicts.
    private func follow(
        _ leader: (run: CrossFittingRun, stage: Int), _ unit: CrossFittingUnit, _ context: ExecutionContext
    ) throws(MetaLearnersError) -> CrossFittingUnit.Result {
        guard let job = knownJob, let model = leader.run.result(of: unit)?.model as? any StagedModel else {
            throw MetaLearnersError(.internalFault, "a fit whose stages others use has none")
        }
        return try fitter.predict(unit, of: job, model.truncated(to: leader.stage), context)
    }

    /// Adds the units to `graph`, each a task of its own.
    ///
    /// - Parameters:
    ///   - before: tasks that come first.
    ///   - bytes: what a fit to so many rows takes, of which a unit takes its share.
    @discardableResult
    package func schedule(
        _ stage: String, in graph: inout TaskGraph, after before: [TaskGraph.Node] = [], bytes: Int = 0
    ) -> [TaskGraph.Node] {
        if let members {
            let fitted = members.schedule(stage, in: &graph, after: before, bytes: bytes)
            let stacked = units.indices.map { index in
                graph.add(nil, after: fitted, bytes: bytes) { [self] context throws(MetaLearnersError) in
                    results[index] = try members.result(of: units[index], known(), context)
                }
            }
            // (Nobody asks for the members any more.)
            _ = graph.add(nil, after: stacked) { _ in members.forget() }
            nodes.withLock { $0 = stacked }
            return stacked
        }
        let takesModels = units.contains { choice?.fits($0) ?? false }
        let chosen = choice?.schedule(
            stage, in: &graph, after: before, bytes: bytes, keepsModels: takesModels
        ) {
            [self] unit, context throws(MetaLearnersError) in
            try fitter.judge(unit, of: known(), context)
        }
        let added = units.indices.map { index in
            let unit = units[index]
            if let leader {
                let waits = [leader.run.node(of: unit)].compactMap(\.self)
                return graph.add(nil, after: before + waits) { [self] context throws(MetaLearnersError) in
                    results[index] = try follow(leader, unit, context)
                }
            }
            // The models that chose are those of the folds.
            if let choice, takesModels, choice.fits(unit) {
                return graph.add(nil, after: chosen ?? []) { [self] context throws(MetaLearnersError) in
                    if let model = try choice.takeModel(of: unit) {
                        results[index] = try fitter.predict(unit, of: known(), model, context)
                    } else {
                        results[index] = try fitter.run(
                            unit, of: known(), stages: choice.chosenStage(), context)
                    }
                }
            }
            return graph.add(stage, after: before + (chosen ?? []), bytes: bytes) {
                [self] context throws(MetaLearnersError) in
                results[index] = try fitter.run(unit, of: known(), stages: choice?.chosenStage(), context)
            }
        }
        nodes.withLock { $0 = added }
        return added
    }

    /// The same, after which the predictions are nowhere else: nobody may ask a second time. Models stay, for those who follow.
    package func takeFit() -> CrossFitter.Fit {
        defer {
            for index in units.indices {
                if let result = results[index] {
                    results[index] = CrossFittingUnit.Result(model: result.model, predictions: [])
                }
            }
        }
        return fit()
    }

    /// What the job gave, once all of its units are done.
    package func fit() -> CrossFitter.Fit {
        var found: [CrossFittingUnit: CrossFittingUnit.Result] = [:]
        for (index, unit) in units.enumerated() { found[unit] = results[index] }
        guard let job = knownJob else {
            return CrossFitter.Fit(
                models: CrossFittedModels(foldModels: [], fullModel: nil), outOfFold: [], outOfPairs: [])
        }
        return fitter.assemble(job, found)
    }
}
