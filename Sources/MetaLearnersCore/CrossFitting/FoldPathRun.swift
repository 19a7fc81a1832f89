/// The models of all folds along a path of one estimator, at the stage that predicts the rows held out best: on their way
/// through a task graph.
///
/// The stage is chosen once for all folds, by the pooled squared error of the rows that are held out, so that no fold
/// holds anything out within itself. A backend that shares a design fits all folds in one task; one that passes through
/// stages, and any other (a path of one stage), has a task for each fold.
package final class FoldPathRun: Sendable {
    /// What is fitted.
    package struct Problem: Sendable {
        /// The task on all of its rows.
        let task: TrainingTask
        /// What rows held out are predicted with, several where one model is asked several things.
        let inputs: [Table]
        /// Which of the inputs is each row's own; nil where there is one.
        let ownInput: [Int]?
        /// The stages that are compared.
        let stages: [Int]
        /// The encoded columns, for a backend that shares them, with the feature map to use.
        let design: (any SharedDesign)?
        let map: FeatureExpansion
        let modulation: DesignModulation?

        /// A path of a backend with stages, or any other backend.
        package init(
            _ task: TrainingTask, stages: [Int], inputs: [Table]? = nil, ownInput: [Int]? = nil
        ) {
            self.task = task
            self.inputs = inputs ?? [task.features]
            self.ownInput = ownInput
            self.stages = stages
            design = nil
            map = .none
            modulation = nil
        }

        /// A path of a backend that shares a design.
        package init(
            _ task: TrainingTask, _ design: any SharedDesign, _ map: FeatureExpansion,
            modulation: DesignModulation? = nil
        ) {
            self.task = task
            inputs = []
            ownInput = nil
            stages = []
            self.design = design
            self.map = map
            self.modulation = modulation
        }
    }

    /// What came out.
    package struct Result: Sendable {
        /// The function of each fold: linear ones of the shared design, or models.
        package let linear: LinearFoldPath?
        package let models: [any FittedEstimator]
        /// For each input, the prediction of every row by the model of its fold (the probability of class 1, the log-odds
        /// of a shared design).
        package let outOfFold: [[Double]]
    }

    private struct Fold: Sendable {
        let model: any FittedEstimator
        /// For each of the inputs, for each stage, the predictions of the rows held out.
        let predictions: [[[Double]]]
    }

    /// What is fitted, in progress and errors.
    package let name: String
    private let estimator: any BaseEstimator
    private let folds: FoldAssignment
    private let rowsInFold: [[Int32]]
    private let problem = ResultSlots<Problem>(count: 1)
    private let fits: ResultSlots<Fold>
    private let chosen = ResultSlots<Result>(count: 1)

    package init(
        _ name: String, _ estimator: any BaseEstimator, _ folds: FoldAssignment, rowsInFold: [[Int32]]
    ) {
        self.name = name
        self.estimator = estimator
        self.folds = folds
        self.rowsInFold = rowsInFold
        fits = ResultSlots(count: folds.count)
    }

    /// Adds the fits to `graph`.
    ///
    /// - Parameters:
    ///   - before: tasks that come first.
    ///   - bytes: what a task takes.
    ///   - make: what is fitted, known once these tasks are done.
    /// - Returns: the task after which the result is there.
    package func schedule(
        _ stage: String, in graph: inout TaskGraph, after before: [TaskGraph.Node], bytes: Int,
        _ make: @escaping @Sendable () throws(MetaLearnersError) -> Problem
    ) -> TaskGraph.Node {
        if let estimator = estimator as? any SharedDesignEstimator {
            return graph.add(stage, after: before, bytes: bytes) { [self] context throws(MetaLearnersError) in
                try named { () throws(MetaLearnersError) in
                    let problem = try make()
                    guard let design = problem.design else {
                        throw MetaLearnersError(.internalFault, "there is no design")
                    }
                    let path = try estimator.fitFolds(
                        design, problem.map, problem.task, folds, modulation: problem.modulation, context)
                    chosen[0] = Result(linear: path, models: [], outOfFold: [path.outOfFold])
                }
            }
        }
        let prepared = graph.add(nil, after: before) { [self] _ throws(MetaLearnersError) in
            problem[0] = try make()
        }
        let units = (0..<folds.count).map { fold in
            graph.add(stage, after: [prepared], bytes: bytes) { [self] context throws(MetaLearnersError) in
                try named { () throws(MetaLearnersError) in fits[fold] = try fit(fold, context) }
            }
        }
        return graph.add(nil, after: units) { [self] _ throws(MetaLearnersError) in
            chosen[0] = try choose()
            for fold in 0..<folds.count { fits[fold] = nil }
        }
    }

    /// What came out.
    ///
    /// - Throws: `internalFault` where the graph has not run.
    package func result() throws(MetaLearnersError) -> Result {
        if let result = chosen[0] { return result }
        throw MetaLearnersError(.internalFault, at: name, "was not fitted")
    }

    private func named(_ body: () throws(MetaLearnersError) -> Void) throws(MetaLearnersError) {
        do throws(MetaLearnersError) {
            try body()
        } catch {
            guard error.kind != .cancelled else { throw error }
            let place = error.location.map { name + ", " + $0 } ?? name
            throw MetaLearnersError(error.kind, at: place, error.problem, remedy: error.remedy)
        }
    }

    private func known() throws(MetaLearnersError) -> Problem {
        if let problem = problem[0] { return problem }
        throw MetaLearnersError(.internalFault, at: name, "a fit began before what it is fitted to was known")
    }

    private func fit(_ fold: Int, _ context: ExecutionContext) throws(MetaLearnersError) -> Fold {
        let problem = try known()
        let task = try problem.task.restricted(
            to: folds.trainingRows(problem.task.rows, for: fold),
            seed: RandomStream.derivedSeed(problem.task.seed, UInt64(fold)))
        let heldOut = rowsInFold[fold]
        let model: any FittedEstimator
        var predictions: [[[Double]]] = []
        if let staged = estimator as? any StagedEstimator {
            let path = try staged.fitPath(task, context)
            for input in problem.inputs {
                predictions.append(
                    try path.predictStages(input, rows: heldOut, stages: problem.stages, context))
            }
            model = path
        } else {
            model = try estimator.fit(task, context)
            for input in problem.inputs {
                predictions.append([try model.predict(input, rows: heldOut, context)])
            }
        }
        // Of two classes the probability of the second counts.
        let width = task.outputCount
        guard width > 1 else { return Fold(model: model, predictions: predictions) }
        return Fold(
            model: model,
            predictions: predictions.map { stages in
                stages.map { values in stride(from: 1, to: values.count, by: width).map { values[$0] } }
            })
    }

    private func choose() throws(MetaLearnersError) -> Result {
        let problem = try known()
        let done = try (0..<folds.count).map { fold throws(MetaLearnersError) in
            guard let fit = self.fits[fold] else {
                throw MetaLearnersError(.internalFault, at: name, "a fold was not fitted")
            }
            return fit
        }
        let task = problem.task
        var counts = [Bool](repeating: false, count: task.target.count)
        for row in task.rows { counts[Int(row)] = true }
        var slopes: [Double]?
        if case .residual(let regressor) = task.objective { slopes = regressor }
        var best = 0
        var least = Double.infinity
        for stage in 0..<max(done.first?.predictions.first?.count ?? 0, 1) {
            var sum = 0.0
            for (fit, rows) in zip(done, rowsInFold) {
                for (position, row) in rows.enumerated() where counts[Int(row)] {
                    let row = Int(row)
                    let prediction = fit.predictions[problem.ownInput?[row] ?? 0][stage][position]
                    let error = task.target[row] - (slopes?[row] ?? 1) * prediction
                    sum += (task.weights?[row] ?? 1) * error * error
                }
            }
            if sum < least {
                least = sum
                best = stage
            }
        }
        var models: [any FittedEstimator] = []
        for fit in done {
            let staged = fit.model as? any StagedModel
            models.append(try staged?.truncated(to: problem.stages[best]) ?? fit.model)
        }
        return Result(
            linear: nil, models: models,
            outOfFold: problem.inputs.indices.map { input in
                var all = [Double](repeating: 0, count: task.target.count)
                for (fit, rows) in zip(done, rowsInFold) {
                    for (position, row) in rows.enumerated() {
                        all[Int(row)] = fit.predictions[input][best][position]
                    }
                }
                return all
            })
    }
}
