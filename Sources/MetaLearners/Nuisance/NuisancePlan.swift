import MetaLearnersCore

/// Nuisances on their way through a task graph, whatever they are made by.
public protocol NuisanceSource: Sendable {
    /// Adds everything to `graph`.
    func schedule(in graph: inout TaskGraph)

    /// The nuisances, once the graph has run.
    func fit() throws(MetaLearnersError) -> NuisanceFit
}

/// The nuisances of one learner on their way through a task graph, by the base learners of a spec: out of fold, then
/// the propensities within the overlap policy's bounds.
public final class NuisancePlan: NuisanceSource {
    private let request: FitRequest
    private let models: RoleModels
    private let wanted: [NuisancePool.Key]
    /// Whether somebody asks for the propensities as they are predicted once they are ready for use.
    private let keepsPredicted: Bool
    /// Counts propensities that nobody keeps; nil where they are kept.
    private let watch: OverlapWatch?
    private let propensities = ResultSlots<AssembledPropensities>(count: 1)
    private let scheduled = Lock<Scheduled?>(nil)

    /// The tasks after which the nuisances are there, by role, and the one after which the propensities are ready for
    /// use.
    struct Scheduled: Sendable {
        let roles: [NuisanceRole: [TaskGraph.Node]]
        let propensities: TaskGraph.Node
    }

    /// Asks the request's pool for what is wanted.
    ///
    /// - Parameters:
    ///   - wanted: the nuisances, and which fits of each.
    ///   - keepsPredicted: whether somebody asks for the propensities as they are predicted once they are ready for use: the next
    ///     fit to the same rows, or nested effects.
    ///   - leader: base learners of a plan made before, of the same request, whose nuisances may hold these as stages; that plan
    ///     is scheduled before this one, in the same graph.
    /// - Throws: `invalidArgument` for reused nuisances of other models or another seed, `unsupported` where a backend
    ///   cannot do what its role asks.
    public init(
        _ request: FitRequest, _ models: RoleModels,
        _ wanted: [(role: NuisanceRole, parts: CrossFitter.Parts)], keepsPredicted: Bool = true,
        following leader: RoleModels? = nil
    ) throws(MetaLearnersError) {
        self.request = request
        self.models = models
        self.keepsPredicted = keepsPredicted
        let labels = request.dataset.treatment.labels
        let crossFitter = CrossFitter(request.repeats, aggregation: models.spec.crossFitting.aggregation)
        let keepsPropensities = wanted.allSatisfy { !$0.role.isPropensity || $0.parts.contains(.folds) }
        let watch =
            keepsPropensities
            ? nil : OverlapWatch(models.spec.overlap, armCount: request.dataset.armCount)
        self.watch = watch
        var keys: [NuisancePool.Key] = []
        for (role, parts) in wanted {
            let key = NuisancePool.Key(role: role, origin: models.origin(of: role, labels))
            if let known = request.reused?.component(role), known.origin != key.origin {
                throw Self.otherOrigin(role, labels, at: models.spec.models.model(of: role, labels).place)
            }
            let columns = models.spec.models.model(of: role, labels).model.columns
            let ofLeader = leader.flatMap { leader in
                leader.spec.models.model(of: role, labels).model.columns == columns
                    ? NuisancePool.Key(role: role, origin: leader.origin(of: role, labels)) : nil
            }
            try request.pool.ask(key, parts, crossFitter, following: ofLeader) {
                missing throws(MetaLearnersError) in
                var job = try models.job(of: role, request.dataset, parts: missing)
                if let watch, role.isPropensity { job.watch = { watch.add($0, $1) } }
                return job
            }
            keys.append(key)
        }
        self.wanted = keys
    }

    /// The error of nuisances that were fitted with other models.
    static func otherOrigin(_ role: NuisanceRole, _ labels: [String], at place: SpecPath) -> MetaLearnersError
    {
        MetaLearnersError(
            .invalidArgument, at: "nuisances",
            "the one of the \(role.name(labels)) was fitted with another \(place) or seed",
            remedy: "use the same, or leave it out: nuisances.selecting(...)")
    }

    /// Whether a nuisance is one of those wanted (nil where its role is not).
    func takes(_ component: NuisanceComponent) -> Bool? {
        wanted.first { $0.role == component.role }.map { $0.origin == component.origin }
    }

    public func schedule(in graph: inout TaskGraph) { _ = scheduling(in: &graph) }

    /// Adds the fits to `graph`, the longest first; a second call adds nothing.
    func scheduling(in graph: inout TaskGraph) -> Scheduled {
        if let known = scheduled.withLock({ $0 }) { return known }
        var roles: [NuisanceRole: [TaskGraph.Node]] = [:]
        for (key, nodes) in request.pool.schedule(wanted, in: &graph) { roles[key.role] = nodes }
        let ready = graph.add(nil, after: roles[.propensity] ?? []) { [self] _ throws(MetaLearnersError) in
            let predicted = component(.propensity)?.outOfFold.first
            if predicted == nil, let watch {
                propensities[0] = try assembly.propensities(watch)
            } else {
                propensities[0] = try assembly.propensities(predicted, request.folds)
            }
            if !keepsPredicted, let key = wanted.first(where: \.role.isPropensity) {
                request.pool.forgetPredictions(key)
            }
        }
        let result = Scheduled(roles: roles, propensities: ready)
        scheduled.withLock { $0 = result }
        return result
    }

    private var assembly: NuisanceAssembly {
        NuisanceAssembly(
            dataset: request.dataset, policy: models.spec.overlap,
            calibration: models.spec.models.propensity.calibration)
    }

    /// A nuisance that was wanted, or that was there already.
    private func component(_ role: NuisanceRole) -> NuisanceComponent? {
        wanted.first { $0.role == role }.flatMap { request.pool.component($0) }
            ?? request.reused?.component(role)
    }

    /// The estimates of the given roles, once they are there: out of fold, over the repeats.
    public func estimates(_ roles: [NuisanceRole]) -> NuisanceEstimates {
        let dataset = request.dataset
        var estimates = NuisanceEstimates(rowCount: dataset.rowCount, armCount: dataset.armCount)
        estimates.store(
            roles.filter { !$0.isPropensity }.compactMap { role in
                component(role).map { (role, $0.outOfFold) }
            }, of: dataset.outcome.kind)
        estimates.use(propensities[0])
        return estimates
    }

    /// The estimates that no row of `fold` has a part in: of each other row, by models that saw neither its fold nor
    /// that one.
    ///
    /// - Throws: what the overlap policy says.
    func estimates(_ roles: [NuisanceRole], without fold: Int, repeat number: Int) throws(MetaLearnersError)
        -> NuisanceEstimates
    {
        let dataset = request.dataset
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
                for row in request.repeats[number].rows(in: fold) {
                    for arm in 0..<dataset.armCount {
                        let index = Int(row) * dataset.armCount + arm
                        propensity?[index] = all[index]
                    }
                }
            }
        }
        estimates.use(try assembly.propensities(propensity, request.repeats[number]))
        // Nor has a row of the fold a part in what is made of these estimates.
        var takesPart = estimates.hasOverlap ?? [Bool](repeating: true, count: dataset.rowCount)
        for row in request.repeats[number].rows(in: fold) { takesPart[Int(row)] = false }
        estimates.hasOverlap = takesPart
        return estimates
    }

    /// The estimates that no row of `fold` has a part in, where rows are asked about arms that they are not in: outcomes by the models of
    /// the fold, which never saw rows of other arms. Rows of the arm itself have none.
    ///
    /// - Throws: what the models' predictions throw.
    /// - Complexity: a prediction of every row by one model of each arm.
    func estimates(
        _ roles: [NuisanceRole], ofOtherArmsWithout fold: Int, repeat number: Int,
        _ context: ExecutionContext
    ) throws(MetaLearnersError) -> NuisanceEstimates {
        let dataset = request.dataset
        let labels = dataset.treatment.labels
        let arms = dataset.treatment.arms
        let index = request.repeats[..<number].reduce(fold) { $0 + $1.count }
        var estimates = NuisanceEstimates(rowCount: dataset.rowCount, armCount: dataset.armCount)
        var lists: [(role: NuisanceRole, lists: [[Double]])] = []
        for role in roles {
            guard case .armOutcome(let arm) = role else { continue }
            guard let models = component(role)?.models.foldModels, models.indices.contains(index) else {
                throw MetaLearnersError(
                    .internalFault, at: role.name(labels), "has no model of fold \(fold)")
            }
            let features = try ModelsSpec.features(
                self.models.spec.models.model(of: role, labels), in: dataset.covariates)
            let rows = [Int32](0..<Int32(dataset.rowCount)) { arms[$0] != arm }
            let predicted = try models[index].predict(features, rows: rows, context)
            let width = models[index].outputCount
            var all = [Double](repeating: 0, count: dataset.rowCount * width)
            for (place, row) in rows.enumerated() {
                for output in 0..<width { all[Int(row) * width + output] = predicted[place * width + output] }
            }
            lists.append((role, [all]))
        }
        estimates.store(lists, of: dataset.outcome.kind)
        estimates.use(propensities[0])
        return estimates
    }

    /// All nuisances in the order in which they were asked for, then those that were reused and nobody asked for.
    public func fit() throws(MetaLearnersError) -> NuisanceFit {
        guard let propensities = propensities[0] else {
            throw MetaLearnersError(.internalFault, "the propensities were not put together")
        }
        let asked = wanted.compactMap { request.pool.component($0) }
        let roles = Set(asked.map(\.role))
        let components = asked + (request.reused?.components.filter { !roles.contains($0.role) } ?? [])
        return NuisanceFit(
            estimates: estimates(components.map(\.role)), propensities: propensities, request,
            aggregation: models.spec.crossFitting.aggregation, components: components)
    }
}
