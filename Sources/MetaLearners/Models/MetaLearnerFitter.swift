import MetaLearnersCore

/// Fits a meta-learner: a checked spec with its base learners, ready for any dataset.
public struct MetaLearnerFitter: Sendable {
    /// The checked spec.
    public let spec: MetaLearnerSpec
    /// The spec with every default of every base learner.
    public let completeSpec: SpecValue
    let learner: any MetaLearner
    let outcomeModel: any BaseEstimator
    let propensityModel: any BaseEstimator
    let effectModel: any BaseEstimator
    private let backends: [BackendDescription]

    /// Checks a spec and finds its backends.
    ///
    /// - Throws: `invalidSpec`, naming the key; what `EstimatorRegistry.loadingPlugin(at:)` throws for one of the
    ///   spec's `plugins`.
    public init(_ spec: MetaLearnerSpec, registry: EstimatorRegistry = .default) throws(MetaLearnersError) {
        var spec = try spec.validated()
        let registry = try registry.loadingPluginsOf(&spec)
        let models = SpecPath.root.appending("models")
        self.spec = spec
        learner = spec.learner.learner
        outcomeModel = try registry.makeEstimator(spec.models.outcome, at: models.appending("outcome"))
        propensityModel = try registry.makeEstimator(
            spec.models.propensity, at: models.appending("propensity"))
        effectModel = try registry.makeEstimator(spec.models.effect, at: models.appending("effect"))
        backends = registry.descriptions
        var complete = spec.specValue.objectValue ?? SpecObject()
        complete["models"] = [
            "outcome": Self.complete(outcomeModel), "propensity": Self.complete(propensityModel),
            "effect": Self.complete(effectModel),
        ]
        completeSpec = .object(complete)
    }

    /// Fits the learner to `dataset`.
    ///
    /// - Parameters:
    ///   - dataset: the rows to learn from.
    ///   - folds: folds drawn elsewhere; nil to draw them from the spec's seed.
    ///   - options: how to run.
    /// - Throws: `invalidData`, `unsupported` where a backend cannot do what its role asks, `cancelled`,
    ///   `numericalFailure`.
    public func fit(
        _ dataset: CausalDataset, folds: FoldAssignment? = nil,
        _ options: ExecutionOptions = ExecutionOptions()
    ) throws(MetaLearnersError) -> CATEModel {
        let scheduler = Scheduler(options)
        let roles = learner.effectRoles(armCount: dataset.armCount)
        if !roles.isEmpty {
            try require(effectModel, for: "effect", [.regression], dataset)
        }
        let nuisances = try fitNuisances(
            dataset, folds: folds, refitting: Set(learner.predictionRoles(armCount: dataset.armCount)),
            scheduler)
        let crossFitter = CrossFitter(nuisances.folds)
        let direct = effectModel.backend.capabilities.contains(.residualLoss)
        var jobs: [CrossFitter.Job] = []
        for role in roles {
            let pseudoOutcome = learner.pseudoOutcome(role, dataset, nuisances.estimates)
            let seed = RandomStream.derivedSeed(
                UInt64(spec.seed), 2, UInt64(role.arm), UInt64(role.part.rawValue))
            jobs.append(
                CrossFitter.Job(
                    name: role.name(dataset.treatment.labels), estimator: effectModel,
                    task: try pseudoOutcome.task(dataset, direct: direct, seed: seed),
                    refit: spec.prediction == .full))
        }
        let fits = try crossFitter.fit(jobs, stage: "effects", scheduler)
        var predictions: [EffectRole: [Double]] = [:]
        for (role, fit) in zip(roles, fits) { predictions[role] = fit.outOfFold.first ?? [] }
        let effects = (1..<dataset.armCount).map { learner.effect(of: $0, nuisances.estimates, predictions) }
        return CATEModel(
            fitter: self, dataset: dataset, nuisances: nuisances,
            effectModels: zip(roles, fits).map { FittedRole(role: $0, models: $1.models) },
            trainingEffects: effects,
            fingerprint: dataset.fingerprint(scheduler.context))
    }

    private static func complete(_ estimator: any BaseEstimator) -> SpecValue {
        let name = estimator.backend.name
        return EstimatorChoice(name, estimator.spec.specValue.objectValue ?? SpecObject()).specValue
    }

    /// Checks that a backend can do what its role asks of it, before anything is fitted.
    func require(
        _ estimator: any BaseEstimator, for role: String, _ task: Capabilities, _ dataset: CausalDataset
    ) throws(MetaLearnersError) {
        var needed = task
        if dataset.weights != nil { needed.insert(.weights) }
        if dataset.covariates.columns.contains(where: { $0.levels != nil }) { needed.insert(.categoricals) }
        let backend = estimator.backend
        if !backend.capabilities.contains(.missingValues), dataset.covariates.hasMissingValues {
            needed.insert(.missingValues)
        }
        let lacking = needed.subtracting(backend.capabilities)
        guard !lacking.isEmpty else { return }
        let able = backends.filter { $0.capabilities.isSuperset(of: needed) }.map(\.name)
        throw MetaLearnersError(
            .unsupported, at: "models.\(role)",
            "the backend '\(backend.name)' cannot do \(lacking.names.joined(separator: ", "))",
            remedy: able.isEmpty ? "no backend can" : "these can: " + able.joined(separator: ", "))
    }
}
