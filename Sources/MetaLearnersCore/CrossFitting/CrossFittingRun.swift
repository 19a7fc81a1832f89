/// A job on its way through a task graph: its units, where their results go, and what they add up to.
package final class CrossFittingRun: Sendable {
    private let fitter: CrossFitter
    private let job: ResultSlots<CrossFitter.Job>
    private let units: [CrossFittingUnit]
    private let results: ResultSlots<CrossFittingUnit.Result>

    /// Prepares a job that is known already.
    package convenience init(_ fitter: CrossFitter, _ job: CrossFitter.Job) {
        self.init(fitter, parts: job.parts)
        self.job[0] = job
    }

    /// Prepares a job that another task of the graph makes known by `start`.
    package init(_ fitter: CrossFitter, parts: CrossFitter.Parts) {
        self.fitter = fitter
        units = fitter.units(of: parts)
        job = ResultSlots(count: 1)
        results = ResultSlots(count: units.count)
    }

    /// Makes the job known; comes before any of its units.
    package func start(_ job: CrossFitter.Job) { self.job[0] = job }

    /// What the model of all rows is fitted to, once that is known.
    package var task: TrainingTask? { job[0]?.task }

    /// Adds the units to `graph`, each a task of its own.
    ///
    /// - Parameters:
    ///   - before: tasks that come first.
    ///   - bytes: what a fit to so many rows takes, of which a unit takes its share.
    @discardableResult
    package func schedule(
        _ stage: String, in graph: inout TaskGraph, after before: [TaskGraph.Node] = [], bytes: Int = 0
    ) -> [TaskGraph.Node] {
        units.indices.map { index in
            graph.add(stage, after: before, bytes: bytes) { [self] context throws(MetaLearnersError) in
                guard let job = job[0] else {
                    throw MetaLearnersError(
                        .internalFault, "a fit began before what it is fitted to was known")
                }
                results[index] = try fitter.run(units[index], of: job, context)
            }
        }
    }

    /// What the job gave, once all of its units are done.
    package func fit() -> CrossFitter.Fit {
        var found: [CrossFittingUnit: CrossFittingUnit.Result] = [:]
        for (index, unit) in units.enumerated() { found[unit] = results[index] }
        guard let job = job[0] else {
            return CrossFitter.Fit(
                models: CrossFittedModels(foldModels: [], fullModel: nil), outOfFold: [], outOfPairs: [])
        }
        return fitter.assemble(job, found)
    }
}
