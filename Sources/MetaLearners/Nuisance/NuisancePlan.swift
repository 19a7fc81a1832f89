import MetaLearnersCore

/// The nuisances of one fit on their way through a task graph: which are there, which are being fitted, and what each
/// became.
final class NuisancePlan: Sendable {
    private struct Entry: Sendable {
        let role: NuisanceRole
        let origin: String
        let run: CrossFittingRun
        let bytes: Int
        let cost: Int
    }

    private struct State: Sendable {
        var components: [NuisanceComponent]
        var propensities: AssembledPropensities?
    }

    let dataset: CausalDataset
    let repeats: [FoldAssignment]
    private let fitter: MetaLearnerFitter
    private let fingerprint: UInt64
    private let wanted: [NuisanceRole]
    private let entries: [Entry]
    private let state: Lock<State>

    /// Finds out what is missing of the wanted roles, and checks it.
    ///
    /// - Throws: `invalidArgument` for reused nuisances of other models or another seed, `unsupported` where a backend
    ///   cannot do what its role asks.
    init(
        _ fitter: MetaLearnerFitter, _ request: MetaLearnerFitter.NuisanceRequest,
        _ wanted: [(role: NuisanceRole, parts: CrossFitter.Parts)]
    ) throws(MetaLearnersError) {
        self.fitter = fitter
        dataset = request.dataset
        repeats = request.repeats
        fingerprint = request.fingerprint
        self.wanted = wanted.map(\.role)
        let known = request.reused?.components ?? []
        let crossFitter = CrossFitter(repeats, aggregation: fitter.spec.crossFitting.aggregation)
        let labels = dataset.treatment.labels
        var entries: [Entry] = []
        for (role, parts) in wanted {
            let placed = fitter.spec.models.model(of: role, labels)
            let origin = fitter.origin(of: role, placed)
            var missing = parts
            if let known = known.first(where: { $0.role == role }) {
                guard known.origin == origin else {
                    throw MetaLearnersError(
                        .invalidArgument, at: "nuisances",
                        "the one of the \(role.name(labels)) was fitted with another \(placed.place) or seed",
                        remedy: "use the same, or leave it out: nuisances.selecting(...)")
                }
                missing = known.missing(of: parts)
            }
            guard !missing.isEmpty else { continue }
            let job = try fitter.nuisanceJob(role, dataset, placed, parts: missing)
            let rows = job.task.rows.count
            entries.append(
                Entry(
                    role: role, origin: origin,
                    run: CrossFittingRun(crossFitter, job),
                    bytes: job.estimator.footprint(
                        rows: rows, of: job.task.features, outputs: job.task.outputCount
                    ).working,
                    cost: rows * (role.isPropensity ? 4 : 1)))
        }
        self.entries = entries
        state = Lock(State(components: known, propensities: nil))
    }

    /// Adds the fits to `graph`, the longest first.
    ///
    /// - Returns: for each role that is being fitted, the task after which it is there; and the task after which the
    ///   propensities are.
    func schedule(in graph: inout TaskGraph) -> (
        roles: [NuisanceRole: TaskGraph.Node], propensities: TaskGraph.Node
    ) {
        var nodes: [NuisanceRole: TaskGraph.Node] = [:]
        let order = entries.indices.sorted { (entries[$1].cost, $0) < (entries[$0].cost, $1) }
        for entry in order.map({ entries[$0] }) {
            let units = entry.run.schedule("nuisances", in: &graph, bytes: entry.bytes)
            nodes[entry.role] = graph.add(nil, after: units) { [self] _ throws(MetaLearnersError) in
                finish(entry)
            }
        }
        let propensities = graph.add(nil, after: [nodes[.propensity]].compactMap(\.self)) {
            [self] _ throws(MetaLearnersError) in
            let lists = component(.propensity)?.outOfFold
            let assembled = try assembly.propensities(lists?.first, folds)
            state.withLock { $0.propensities = assembled }
        }
        return (nodes, propensities)
    }

    private var folds: FoldAssignment { repeats.first ?? .none(rowCount: dataset.rowCount) }

    private var assembly: NuisanceAssembly {
        NuisanceAssembly(
            dataset: dataset, policy: fitter.spec.overlap,
            calibration: fitter.spec.models.propensity.calibration)
    }

    private func finish(_ entry: Entry) {
        let fit = entry.run.fit()
        state.withLock { state in
            if let index = state.components.firstIndex(where: { $0.role == entry.role }) {
                state.components[index].add(fit)
            } else {
                state.components.append(
                    NuisanceComponent(
                        role: entry.role, origin: entry.origin, models: fit.models,
                        outOfFold: fit.outOfFold, outOfPairs: fit.outOfPairs))
            }
        }
    }

    private func component(_ role: NuisanceRole) -> NuisanceComponent? {
        state.withLock { $0.components.first { $0.role == role } }
    }

    /// The estimates of the given roles, once they are there: out of fold, over the repeats.
    func estimates(_ roles: [NuisanceRole]) -> NuisanceEstimates {
        let (components, propensities) = state.withLock { ($0.components, $0.propensities) }
        var estimates = NuisanceEstimates(rowCount: dataset.rowCount, armCount: dataset.armCount)
        let known = components.filter { roles.contains($0.role) && !$0.role.isPropensity }
        estimates.store(known.map { ($0.role, $0.outOfFold) }, of: dataset.outcome.kind)
        estimates.propensities = propensities?.values
        estimates.hasOverlap = propensities?.hasOverlap
        return estimates
    }

    /// The estimates that no row of `fold` has a part in: of each other row, by models that saw neither its fold nor
    /// that one.
    ///
    /// - Throws: what the overlap policy says.
    func estimates(_ roles: [NuisanceRole], without fold: Int, repeat number: Int) throws(MetaLearnersError)
        -> NuisanceEstimates
    {
        var estimates = NuisanceEstimates(rowCount: dataset.rowCount, armCount: dataset.armCount)
        var lists: [(role: NuisanceRole, lists: [[Double]])] = []
        for role in roles where !role.isPropensity {
            if let component = component(role) { lists.append((role, component.outOfPairs[number][fold])) }
        }
        estimates.store(lists, of: dataset.outcome.kind)
        var propensity: [Double]?
        if let fitted = component(.propensity) {
            // Without fits that leave out pairs of folds, nothing asks for propensities.
            guard fitted.outOfPairs.indices.contains(number) else { return estimates }
            propensity = fitted.outOfPairs[number][fold].first
            // The rows of the fold itself take no part; they have what they have out of fold.
            if let all = fitted.outOfFold.first {
                for row in repeats[number].rows(in: fold) {
                    for arm in 0..<dataset.armCount {
                        let index = Int(row) * dataset.armCount + arm
                        propensity?[index] = all[index]
                    }
                }
            }
        }
        let assembled = try assembly.propensities(propensity, repeats[number])
        estimates.propensities = assembled.values
        estimates.hasOverlap = assembled.hasOverlap
        return estimates
    }

    /// All nuisances, those that were reused as well, once all are there.
    func fit() throws(MetaLearnersError) -> NuisanceFit {
        let (components, propensities) = state.withLock { ($0.components, $0.propensities) }
        guard let propensities else {
            throw MetaLearnersError(.internalFault, "the propensities were not put together")
        }
        return NuisanceFit(
            estimates: estimates(components.map(\.role)), overlap: propensities.overlap,
            calibration: propensities.calibration, repeats: repeats,
            aggregation: fitter.spec.crossFitting.aggregation, outcomeKind: dataset.outcome.kind,
            fingerprint: fingerprint, components: ordered(components))
    }

    /// Components in the order in which they were asked for, whichever was fitted first; those that nobody asked for
    /// come last.
    private func ordered(_ components: [NuisanceComponent]) -> [NuisanceComponent] {
        wanted.compactMap { role in components.first { $0.role == role } }
            + components.filter { !wanted.contains($0.role) }
    }
}
