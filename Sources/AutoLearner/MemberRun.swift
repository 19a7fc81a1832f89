import MetaLearnersCore

/// A member of `auto` on its way through a task graph: its models of all folds, at the place on their path that predicts rows held out
/// best, the same for all folds.
///
/// A backend that shares a design fits all folds in one task (`SharedDesignEstimator.fitFolds`). Every other is cross-fitted like
/// the base learners of any learner (`CrossFittingRun`), its stages chosen as `trees: auto` chooses them.
final class MemberRun: Sendable {
    /// What is fitted.
    struct Problem: Sendable {
        /// The task on all of its rows.
        let task: TrainingTask
        /// What rows held out are predicted with, several where one model is asked several things.
        var inputs: [Table] = []
        /// The encoded columns, for a backend that shares them.
        var columns: SharedColumns?
    }

    /// What a backend that shares a design learns from.
    struct SharedColumns: Sendable {
        let design: any SharedDesign
        let map: FeatureExpansion
        let modulation: DesignModulation?
    }

    /// What came out.
    struct Result: Sendable {
        /// The functions of the folds, for a member of a shared design; other members have models.
        let linear: LinearFoldPath?
        let models: [any FittedEstimator]
        /// For each input, the prediction of every row by the model of its fold (the probability of class 1, the log-odds
        /// of a shared design).
        let outOfFold: [[Double]]
    }

    /// What is fitted, in progress and errors.
    let name: String
    private let estimator: any BaseEstimator
    private let folds: FoldAssignment
    /// The fits of a backend that shares no design.
    private let run: CrossFittingRun
    private let shared = ResultSlots<LinearFoldPath>(count: 1)
    private let taken = ResultSlots<Result>(count: 1)

    init(_ name: String, _ estimator: any BaseEstimator, _ folds: FoldAssignment) {
        self.name = name
        self.estimator = estimator
        self.folds = folds
        run = CrossFittingRun(CrossFitter(folds), estimator, parts: .folds)
    }

    /// Adds the fits to `graph`.
    ///
    /// - Parameters:
    ///   - before: tasks that come first.
    ///   - bytes: what a task takes.
    ///   - make: what is fitted, known once these tasks are done.
    /// - Returns: the tasks after which the result is there.
    func schedule(
        _ stage: String, in graph: inout TaskGraph, after before: [TaskGraph.Node], bytes: Int,
        _ make: @escaping @Sendable () throws(MetaLearnersError) -> Problem
    ) -> [TaskGraph.Node] {
        guard let estimator = estimator as? any SharedDesignEstimator else {
            let prepared = graph.add(nil, after: before) { [self] _ throws(MetaLearnersError) in
                let problem = try make()
                run.start(
                    CrossFitter.Job(
                        name: name, estimator: self.estimator, task: problem.task, parts: .folds,
                        predictionFeatures: problem.inputs))
            }
            return run.schedule(stage, in: &graph, after: [prepared], bytes: bytes)
        }
        return [
            graph.add(stage, after: before, bytes: bytes) { [self] context throws(MetaLearnersError) in
                let problem = try make()
                guard let columns = problem.columns else {
                    throw MetaLearnersError(.internalFault, at: name, "there is no design")
                }
                do throws(MetaLearnersError) {
                    shared[0] = try estimator.fitFolds(
                        columns.design, columns.map, problem.task, folds, modulation: columns.modulation,
                        context)
                } catch {
                    guard error.kind != .cancelled else { throw error }
                    let place = error.location.map { name + ", " + $0 } ?? name
                    throw MetaLearnersError(error.kind, at: place, error.problem, remedy: error.remedy)
                }
            }
        ]
    }

    /// What came out.
    ///
    /// - Throws: `internalFault` where the graph has not run.
    func result() throws(MetaLearnersError) -> Result {
        if let result = taken[0] { return result }
        let result = try assembled()
        taken[0] = result
        shared[0] = nil
        return result
    }

    private func assembled() throws(MetaLearnersError) -> Result {
        if let path = shared[0] { return Result(linear: path, models: [], outOfFold: [path.outOfFold]) }
        let fit = run.takeFit()
        guard let width = run.task?.outputCount, fit.models.foldModels.count == folds.count else {
            throw MetaLearnersError(.internalFault, at: name, "was not fitted")
        }
        // Of two classes the probability of the second counts.
        return Result(
            linear: nil, models: fit.models.foldModels,
            outOfFold: fit.outOfFold.map { values in
                width == 1 ? values : stride(from: 1, to: values.count, by: width).map { values[$0] }
            })
    }
}
