import MetaLearnersCore

/// The bootstrap of a fit: the whole fit repeated on resamples of the rows, or of whole clusters, each a task of the
/// fit's own graph.
///
/// A resample is the same dataset under other weights: how often a row was drawn times its own weight. Covariates are
/// neither copied nor binned again, copies of a row share its fold, and rows that were not drawn take no part.
struct Bootstrap {
    /// How often a resample that cannot be fitted (an arm may be missing from it) is drawn anew.
    private static let attempts = 20
    /// The part of the seed that resamples are drawn from.
    private static let seedPath: UInt64 = 0x424F_4F54

    private let spec: MetaLearnerSpec
    private let registry: Registry
    private let results: ResultSlots<FittedEffects>

    /// Adds the resamples to `graph`.
    init(_ fitter: MetaLearnerFitter, _ dataset: CausalDataset, in graph: inout TaskGraph)
        throws(MetaLearnersError)
    {
        spec = fitter.spec
        registry = fitter.registry
        results = ResultSlots(count: spec.intervals.samples)
        // What one resample takes: its largest fit, and its numbers for each row.
        var trial = TaskGraph()
        try plan(seed: 1, dataset).schedule(in: &trial)
        let bytes = trial.largestTask + trial.count * dataset.rowCount
        let resampling = Resampling(dataset)
        for index in 0..<spec.intervals.samples {
            _ = graph.add("intervals", bytes: bytes) { [self] context throws(MetaLearnersError) in
                results[index] = try fit(dataset, resampling, index, bytes: bytes, context)
            }
        }
    }

    /// What the resamples gave, once the graph has run.
    var resamples: [FittedEffects] { (0..<spec.intervals.samples).compactMap { results[$0] } }

    private func fit(
        _ dataset: CausalDataset, _ resampling: Resampling, _ index: Int, bytes: Int,
        _ context: ExecutionContext
    ) throws(MetaLearnersError) -> FittedEffects {
        let scheduler = Scheduler(
            ExecutionOptions(
                threads: context.threads, cancellation: context.cancellation, memoryLimit: bytes))
        var attempt = 0
        while true {
            let seed = RandomStream.derivedSeed(
                UInt64(spec.seed), Self.seedPath, UInt64(index), UInt64(attempt))
            var stream = RandomStream(seed: seed)
            let counts = resampling.draw(&stream)
            do throws(MetaLearnersError) {
                let plan = try plan(seed: Int(seed >> 1), dataset.resampled(counts))
                var graph = TaskGraph()
                try plan.schedule(in: &graph)
                try scheduler.run(graph)
                return try plan.result(context).fitted
            } catch {
                attempt += 1
                let mayPass = error.kind == .invalidData || error.kind == .numericalFailure
                guard mayPass, attempt < Self.attempts else {
                    guard mayPass else { throw error }
                    throw MetaLearnersError(
                        error.kind, at: "intervals",
                        "no resample of the rows can be fitted: \(error.description)",
                        remedy: "use fewer folds, or intervals.method: none")
                }
            }
        }
    }

    /// A single plain fit with another seed: one repeat, a model of all rows, no intervals.
    private func plan(seed: Int, _ dataset: CausalDataset) throws(MetaLearnersError) -> any FitPlan {
        var spec = spec
        spec.seed = seed
        spec.prediction = .full
        spec.crossFitting.repeats = 1
        spec.crossFitting.inSample = .outOfFold
        spec.intervals.method = .none
        if spec.overlap.policy == .fail { spec.overlap.policy = .clip }
        let folds = try FoldAssignment.repeats(
            1, dataset, count: spec.crossFitting.folds, seed: UInt64(seed))
        return try registry.strategy(of: spec).plan(
            FitRequest(dataset, folds, fingerprint: 0), for: .newRows)
    }
}

/// Draws rows with replacement (Efron 1979), or whole clusters where the data have them.
private struct Resampling {
    private let clusters: [Int32]?
    private let unitCount: Int
    private let rowCount: Int

    init(_ dataset: CausalDataset) {
        clusters = dataset.clusters
        rowCount = dataset.rowCount
        unitCount = dataset.clusters.map { Int($0.max() ?? -1) + 1 } ?? dataset.rowCount
    }

    /// How often each row is drawn.
    func draw(_ stream: inout RandomStream) -> [Int32] {
        var counts = [Int32](repeating: 0, count: unitCount)
        for _ in 0..<unitCount { counts[stream.integer(below: unitCount)] += 1 }
        guard let clusters else { return counts }
        return (0..<rowCount).map { counts[Int(clusters[$0])] }
    }
}
