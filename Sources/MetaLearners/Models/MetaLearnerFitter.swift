import MetaLearnersCore

/// Fits a meta-learner: a checked spec with its base learners, ready for any dataset.
public struct MetaLearnerFitter: Sendable {
    /// The checked spec.
    public private(set) var spec: MetaLearnerSpec
    /// The spec with every default of every base learner.
    public let completeSpec: SpecValue
    let learner: any MetaLearner
    /// The base learners by their place in the spec.
    private let estimators: [String: any BaseEstimator]
    private let backends: [BackendDescription]
    /// The members of an ensemble; none for any other learner.
    let members: [MetaLearnerFitter]
    /// The numbers of `auto`, where they are not those of the dataset's size.
    var auto: AutoSettings?

    /// Checks a spec and finds its backends.
    ///
    /// - Throws: `invalidSpec`, naming the key; what `EstimatorRegistry.loadingPlugin(at:)` throws for one of the
    ///   spec's `plugins`.
    public init(_ spec: MetaLearnerSpec, registry: EstimatorRegistry = .default) throws(MetaLearnersError) {
        var spec = try spec.validated()
        let registry = try registry.loadingPluginsOf(&spec)
        self.spec = spec
        learner = spec.metaLearner
        var estimators: [String: any BaseEstimator] = [:]
        for (model, place) in spec.models.everyModel {
            estimators[place.description] = try registry.makeEstimator(model.choice, at: place)
        }
        self.estimators = estimators
        backends = registry.descriptions
        var members: [MetaLearnerFitter] = []
        if spec.learner == .ensemble {
            for (index, member) in spec.ensemble.members.enumerated() {
                let place = SpecPath.root.appending("ensemble").appending("members").appending("\(index)")
                members.append(
                    try MetaLearnerFitter(spec.member(member, at: place), registry: registry))
            }
        }
        self.members = members
        var complete = spec
        complete.models.outcome.choice = Self.complete(
            spec.models.outcome.choice, estimators["models.outcome"])
        complete.models.propensity.choice = Self.complete(
            spec.models.propensity.choice, estimators["models.propensity"])
        complete.models.effect.choice = Self.complete(spec.models.effect.choice, estimators["models.effect"])
        for (index, arm) in spec.models.arms.enumerated() {
            let place = "models.arms.\(arm.label)."
            if let own = arm.outcome {
                complete.models.arms[index].outcome?.choice = Self.complete(
                    own.choice, estimators[place + "outcome"])
            }
            if let own = arm.effect {
                complete.models.arms[index].effect?.choice = Self.complete(
                    own.choice, estimators[place + "effect"])
            }
        }
        guard spec.learner == .auto else {
            completeSpec = complete.specValue
            return
        }
        try MetaLearnerSpec.requireOwnModels(of: complete, registry)
        var object = complete.specValue.objectValue ?? SpecObject()
        object["models"] = spec.ownModels
        completeSpec = .object(object)
    }

    /// Fits the learner to `dataset`.
    ///
    /// - Parameters:
    ///   - dataset: the rows to learn from.
    ///   - folds: folds drawn elsewhere (one repeat); nil to draw them from the spec's seed.
    ///   - reused: nuisances that were fitted before to the same rows on the same folds, by the same models; they are
    ///     not fitted again, and the result is the same to the bit.
    ///   - options: how to run.
    /// - Throws: `invalidData`, `unsupported` where a backend cannot do what its role asks, `cancelled`,
    ///   `numericalFailure`; `invalidArgument` for reused nuisances of other data, folds, models or another seed.
    public func fit(
        _ dataset: CausalDataset, folds: FoldAssignment? = nil, nuisances reused: NuisanceFit? = nil,
        _ options: ExecutionOptions = ExecutionOptions()
    ) throws(MetaLearnersError) -> CATEModel {
        let scheduler = Scheduler(options)
        let request = try request(dataset, folds, reused, scheduler)
        if spec.learner == .auto {
            return try fitAuto(request, auto ?? AutoSettings(rowCount: dataset.rowCount), scheduler)
        }
        if spec.learner == .ensemble { return try fitEnsemble(request, options) }
        let refitted = Set(
            spec.prediction == .full ? learner.predictionRoles(armCount: dataset.armCount) : [])
        let ofEffects = Set(
            learner.effectRoles(armCount: dataset.armCount).isEmpty
                ? [] : learner.nuisanceRoles(armCount: dataset.armCount))
        try requireEffectModels(dataset)
        let wanted = nuisanceRoles(dataset).map { role -> (role: NuisanceRole, parts: CrossFitter.Parts) in
            var parts = CrossFitter.Parts.folds
            if refitted.contains(role) { parts.insert(.full) }
            // Trimming asks for propensities whatever the learner.
            let trims = role.isPropensity && spec.overlap.policy == .trim && !ofEffects.isEmpty
            if request.isNested, trims || ofEffects.contains(role) { parts.insert(.pairs) }
            return (role, parts)
        }
        let limited = try scheduler.limited(by: footprint(dataset))
        let fits = try run(request, wanted, effectParts: effectParts, limited)
        let model = try model(request, fits.nuisances, fits.effects, refitted: refitted, scheduler)
        guard spec.intervals.method == .bootstrap else { return model }
        return model.with(try fitBootstrap(dataset, scheduler))
    }

    /// Fits nuisances and effect models in one graph of tasks.
    ///
    /// - Parameters:
    ///   - wanted: the nuisances, and which fits of each.
    ///   - effectParts: which fits of the effect models.
    func run(
        _ request: NuisanceRequest, _ wanted: [(role: NuisanceRole, parts: CrossFitter.Parts)],
        effectParts: CrossFitter.Parts, _ scheduler: Scheduler
    ) throws(MetaLearnersError) -> (nuisances: NuisanceFit, effects: [FittedEffect]) {
        let nuisances = try NuisancePlan(self, request, wanted)
        let effects = try EffectPlan(self, request, nuisances, parts: effectParts)
        var graph = TaskGraph()
        effects.schedule(in: &graph, after: nuisances.schedule(in: &graph))
        try scheduler.run(graph)
        return (try nuisances.fit(), effects.fits())
    }

    /// The same for a single plain fit with another seed: one repeat, a model of all rows, no intervals.
    func reseeded(_ seed: Int) -> MetaLearnerFitter {
        var fitter = self
        fitter.spec.seed = seed
        fitter.spec.prediction = .full
        fitter.spec.crossFitting.repeats = 1
        fitter.spec.crossFitting.inSample = .outOfFold
        fitter.spec.intervals.method = .none
        if fitter.spec.overlap.policy == .fail { fitter.spec.overlap.policy = .clip }
        return fitter
    }

    /// The base learner at a place of the spec.
    func estimator(_ placed: ModelsSpec.Placed) throws(MetaLearnersError) -> any BaseEstimator {
        guard let estimator = estimators[placed.place.description] else {
            throw placed.place.error("there is no model")
        }
        return estimator
    }

    /// A model of the spec with every default of its backend.
    func completeModel(_ placed: ModelsSpec.Placed) -> SpecValue {
        var model = placed.model
        model.choice = Self.complete(model.choice, estimators[placed.place.description])
        return model.specValue()
    }

    private static func complete(_ choice: EstimatorChoice, _ estimator: (any BaseEstimator)?)
        -> EstimatorChoice
    {
        estimator?.completeChoice ?? choice
    }

    /// Which of the backends that were used fill sparse columns in, where there are any.
    func sparseWarnings(_ dataset: CausalDataset, backends used: Set<String>) -> [String] {
        let count = dataset.covariates.columns.count { $0.values.sparse != nil }
        guard count > 0 else { return [] }
        let dense = backends.filter { used.contains($0.name) && !$0.capabilities.contains(.sparse) }.map(
            \.name)
        guard !dense.isEmpty else { return [] }
        let able = backends.filter { $0.capabilities.contains(.sparse) }.map(\.name)
        return [
            "\(dense.joined(separator: ", ")): reads \(count) sparse columns as if they were dense; these use what is "
                + "stored alone: " + able.joined(separator: ", ")
        ]
    }

    /// What to do instead of choosing another backend.
    private static func otherWay(_ lacking: Capabilities) -> String {
        if lacking.contains(.counts) { return "; or take counts as numbers: data.outcome_type: continuous" }
        return lacking.contains(.multiOutput) ? "; or fit an effect an arm: multi_arm: pairwise" : ""
    }

    /// Checks that a backend can do what its role asks of it, before anything is fitted.
    func require(
        _ estimator: any BaseEstimator, at place: SpecPath, _ task: Capabilities, _ dataset: CausalDataset,
        _ features: Table
    ) throws(MetaLearnersError) {
        var needed = task
        if dataset.weights != nil { needed.insert(.weights) }
        if features.columns.contains(where: { $0.levels != nil }) { needed.insert(.categoricals) }
        let backend = estimator.backend
        if !backend.capabilities.contains(.missingValues), features.hasMissingValues {
            needed.insert(.missingValues)
        }
        let lacking = needed.subtracting(backend.capabilities)
        guard !lacking.isEmpty else { return }
        let able = backends.filter { $0.capabilities.isSuperset(of: needed) }.map(\.name)
        throw MetaLearnersError(
            .unsupported, at: place.description,
            "the backend '\(backend.name)' cannot do \(lacking.names.joined(separator: ", "))",
            remedy: (able.isEmpty ? "no backend can" : "these can: " + able.joined(separator: ", "))
                + Self.otherWay(lacking))
    }
}
