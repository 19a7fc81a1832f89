import MetaLearnersCore

/// The nuisances of everything that one call fits: each is fitted once, whoever asks for it, and only those parts of it
/// that somebody asks for.
///
/// A nuisance is known by its role and its origin (base learner, columns, seed).
final class NuisancePool: Sendable {
    struct Key: Hashable, Sendable {
        let role: NuisanceRole
        let origin: String
    }

    private struct Entry: Sendable {
        /// What is there already.
        var component: NuisanceComponent?
        /// What is there or will be.
        var parts: CrossFitter.Parts = []
        /// Fits that no graph has yet.
        var waiting: [Fits] = []
        /// The tasks after which everything that was scheduled is there.
        var nodes: [TaskGraph.Node] = []
        /// Who says how many stages the models have, of fits that no graph has run yet.
        var stages: StageChoice?

        /// What says how many stages models have that are asked for now.
        var stageSource: StageChoice.Source {
            if let stages { return .same(stages) }
            return component?.models.chosenStage.map { .known($0) } ?? .heldOutRows
        }
    }

    private struct Fits: Sendable {
        let run: CrossFittingRun
        let estimator: any BaseEstimator
        let bytes: Int
        let cost: Int
    }

    private let entries: Lock<[Key: Entry]>

    /// A pool of nuisances that are there already.
    init(_ known: [NuisanceComponent]) {
        var entries: [Key: Entry] = [:]
        for component in known {
            entries[Key(role: component.role, origin: component.origin)] = Entry(
                component: component,
                parts: CrossFitter.Parts([.folds, .pairs, .full]).subtracting(
                    component.missing(of: [.folds, .pairs, .full])))
        }
        self.entries = Lock(entries)
    }

    /// Asks for parts of a nuisance.
    ///
    /// - Parameters:
    ///   - leader: a nuisance of the same role that may hold this one as a stage. It was asked for before, and is scheduled
    ///     before in the same graph.
    ///   - job: what is fitted, of the parts that are missing.
    func ask(
        _ key: Key, _ parts: CrossFitter.Parts, _ fitter: CrossFitter, following leader: Key? = nil,
        job: (CrossFitter.Parts) throws(MetaLearnersError) -> CrossFitter.Job
    ) throws(MetaLearnersError) {
        var missing = parts.subtracting(entries.withLock { $0[key]?.parts ?? [] })
        guard !missing.isEmpty else { return }
        // What models of folds predict is known where they are fitted: those that nobody kept the predictions of are fitted again.
        if !missing.isDisjoint(with: .folds), parts.contains(.folds) { missing.formUnion(.folds) }
        let job = try job(missing)
        let rows = job.task.rowCount
        let ofLeader = leader.flatMap { leader in entries.withLock { $0[leader]?.waiting.last } }
        let followed = ofLeader.flatMap { ofLeader in
            ofLeader.run.holds(missing)
                ? job.estimator.stage(along: ofLeader.estimator).map { (run: ofLeader.run, stage: $0) } : nil
        }
        let stages = entries.withLock { $0[key]?.stageSource ?? .heldOutRows }
        let fits = Fits(
            run: CrossFittingRun(fitter, job, following: followed, stages: stages), estimator: job.estimator,
            bytes: job.estimator.footprint(rows: rows, of: job.task.features, for: job.task.objective)
                .working,
            // (Processes that hold parts of the rows fit in one order, whatever their parts are.)
            cost: (job.task.features.distribution == nil ? rows : 1) * (key.role.isPropensity ? 4 : 1))
        entries.withLock { entries in
            entries[key, default: Entry()].parts.formUnion(missing)
            entries[key, default: Entry()].waiting.append(fits)
            if entries[key]?.stages == nil { entries[key]?.stages = fits.run.stageChoice }
        }
    }

    /// Adds the fits of some nuisances to `graph` that are not in it yet, the longest first.
    ///
    /// - Returns: for each, the tasks after which it is there.
    func schedule(_ keys: [Key], in graph: inout TaskGraph) -> [Key: [TaskGraph.Node]] {
        let waiting = entries.withLock { entries in
            keys.flatMap { key in
                let fits = entries[key]?.waiting ?? []
                entries[key]?.waiting = []
                return fits.map { (key: key, fits: $0) }
            }
        }
        let order = waiting.indices.sorted { (waiting[$1].fits.cost, $0) < (waiting[$0].fits.cost, $1) }
        for (key, fits) in order.map({ waiting[$0] }) {
            let units = fits.run.schedule("nuisances", in: &graph, bytes: fits.bytes)
            let done = graph.add(nil, after: units) { [self] _ throws(MetaLearnersError) in
                finish(key, fits.run.takeFit())
            }
            entries.withLock { $0[key]?.nodes.append(done) }
        }
        return entries.withLock { entries in
            Dictionary(uniqueKeysWithValues: Set(keys).map { ($0, entries[$0]?.nodes ?? []) })
        }
    }

    private func finish(_ key: Key, _ fit: CrossFitter.Fit) {
        entries.withLock { entries in
            if entries[key]?.component != nil {
                entries[key]?.component?.add(fit)
            } else {
                entries[key]?.component = NuisanceComponent(
                    role: key.role, origin: key.origin, models: fit.models, outOfFold: fit.outOfFold,
                    outOfPairs: fit.outOfPairs)
            }
        }
    }

    /// Forgets the tasks of a graph that has run.
    func graphHasRun() {
        entries.withLock { entries in
            for key in entries.keys {
                entries[key]?.nodes = []
                entries[key]?.stages = nil
            }
        }
    }

    /// Lets go of what models of folds predict for a nuisance, which nobody asks for any more.
    func forgetPredictions(_ key: Key) { entries.withLock { $0[key]?.component?.outOfFold = [] } }

    /// A nuisance, as far as it is there.
    func component(_ key: Key) -> NuisanceComponent? { entries.withLock { $0[key]?.component } }
}
