import MetaLearnersCore

/// The whole fit repeated on resamples of the rows, or of whole clusters, each a task of the fit's own graph.
///
/// A resample is the same dataset under other weights: how often a row was drawn times its own weight. Covariates are
/// neither copied nor binned again, copies of a row share its fold, and rows that were not drawn take no part.
struct ResampledFits {
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
        let count = spec.intervals.sampleCount
        results = ResultSlots(count: count)
        // What one resample takes: its largest fit, and its numbers for each row.
        var trial = TaskGraph()
        try plan(seed: 1, dataset).schedule(in: &trial)
        let isComposite = registry.traits(of: spec.learner)?.isComposite == true
        let shared = isComposite ? try fitter.strategy.footprint(dataset) : 0
        let bytes = trial.largestTask + max(trial.count * dataset.rowCount, shared)
        let drawing = RowDrawing(dataset)
        let isHalved = spec.intervals.method == .halfSampling
        for index in 0..<count {
            _ = graph.add("intervals", bytes: bytes) { [self] context throws(MetaLearnersError) in
                // The halves of a pair come out of one stream, unless one cannot be fitted and is drawn anew.
                let number = isHalved ? index / 2 : index
                results[index] = try fit(dataset, number, bytes: bytes, context) { stream in
                    isHalved ? drawing.half(index % 2, &stream) : drawing.withReplacement(&stream)
                }
            }
        }
    }

    /// What the resamples gave, once the graph has run.
    ///
    /// - Parameter whole: the fit to all rows.
    func intervals(_ whole: FittedLearner, armCount: Int) -> FittedIntervals {
        let samples = (0..<spec.intervals.sampleCount).compactMap { results[$0] }
        guard spec.intervals.method == .halfSampling else { return .bootstrap(samples) }
        let none = [Double](repeating: 0, count: armCount - 1)
        return .halfSampling(
            samples, allowances: whole.disagreements.isEmpty ? none : whole.disagreements)
    }

    private func fit(
        _ dataset: CausalDataset, _ index: Int, bytes: Int, _ context: ExecutionContext,
        drawing draw: (inout RandomStream) -> [Int32]
    ) throws(MetaLearnersError) -> FittedEffects {
        let scheduler = Scheduler(
            ExecutionOptions(
                threads: context.threads, cancellation: context.cancellation, memoryLimit: bytes))
        var attempt = 0
        while true {
            let seed = RandomStream.derivedSeed(
                UInt64(spec.seed), Self.seedPath, UInt64(index), UInt64(attempt))
            var stream = RandomStream(seed: seed)
            let counts = draw(&stream)
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
            1, dataset, count: spec.crossFitting.foldCount, seed: UInt64(seed))
        return try registry.strategy(of: spec).plan(
            FitRequest(dataset, folds, fingerprint: 0), for: .newRows)
    }
}

/// Draws rows, or whole clusters where the data have them.
private struct RowDrawing {
    private let clusters: [Int32]?
    private let arms: RowCodes
    private let armCount: Int
    private let unitCount: Int

    init(_ dataset: CausalDataset) {
        clusters = dataset.clusters
        arms = dataset.treatment.arms
        armCount = dataset.armCount
        unitCount = dataset.clusters.map { Int($0.max() ?? -1) + 1 } ?? dataset.rowCount
    }

    /// How often each row is drawn, with replacement (Efron 1979).
    func withReplacement(_ stream: inout RandomStream) -> [Int32] {
        var counts = [Int32](repeating: 0, count: unitCount)
        for _ in 0..<unitCount { counts[stream.integer(below: unitCount)] += 1 }
        return ofRows(counts)
    }

    /// One of two halves that share no row: half of the rows of each arm, or half of the clusters.
    ///
    /// - Parameter side: which, 0 or 1: the same stream gives the other half.
    func half(_ side: Int, _ stream: inout RandomStream) -> [Int32] {
        var strata = clusters == nil ? [[Int]](repeating: [], count: armCount) : [Array(0..<unitCount)]
        if clusters == nil { for row in arms.indices { strata[Int(arms[row])].append(row) } }
        var counts = [Int32](repeating: 0, count: unitCount)
        for (number, stratum) in strata.enumerated() {
            var units = stratum
            for index in units.indices.dropLast() {
                units.swapAt(index, index + stream.integer(below: units.count - index))
            }
            // Of odd numbers the larger half goes to either side in turn.
            let middle = (units.count + number % 2) / 2
            for unit in side == 0 ? units[..<middle] : units[middle...] { counts[unit] = 1 }
        }
        return ofRows(counts)
    }

    private func ofRows(_ counts: [Int32]) -> [Int32] {
        clusters.map { $0.map { counts[Int($0)] } } ?? counts
    }
}
