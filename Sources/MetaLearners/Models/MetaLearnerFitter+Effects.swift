import MetaLearnersCore

extension MetaLearnerFitter {
    /// Checks that the effect models' backends can do what is asked of them, before anything is fitted.
    func requireEffectModels(_ dataset: CausalDataset) throws(MetaLearnersError) {
        guard dataset.outcome.kind.effectClasses.isEmpty || spec.learner.servesClasses else {
            throw MetaLearnersError(
                .unsupported, at: "learner",
                "the learner '\(spec.learner.rawValue)' has no effects for an outcome of "
                    + "\(dataset.outcome.kind.classCount) classes",
                remedy: "these have: " + LearnerKind.names(where: \.servesClasses))
        }
        try spec.effectScale.require(dataset.outcome.kind)
        guard spec.effectScale == .difference || spec.learner.hasArmMeans else {
            throw MetaLearnersError(
                .unsupported, at: "effect_scale",
                "the learner '\(spec.learner.rawValue)' has no outcome model of each arm, which "
                    + "\(spec.effectScale.rawValue)s take",
                remedy: "these have: " + LearnerKind.names(where: \.hasArmMeans))
        }
        for role in learner.effectRoles(armCount: dataset.armCount) {
            let placed = spec.models.model(of: role, dataset.treatment.labels)
            try require(
                estimator(placed), at: placed.place, [.regression], dataset,
                ModelsSpec.features(placed, in: dataset.covariates))
        }
    }

    /// Fits the effect models to what the nuisances say, and puts the model together.
    ///
    /// - Parameters:
    ///   - refitted: the nuisances whose models of all rows predict new ones.
    ///   - effectParts: which fits of the effect models are wanted; nil for what the spec says.
    func fitEffects(
        _ dataset: CausalDataset, _ nuisances: NuisanceFit, refitted: Set<NuisanceRole>,
        effectParts: CrossFitter.Parts? = nil, _ scheduler: Scheduler
    ) throws(MetaLearnersError) -> CATEModel {
        let labels = dataset.treatment.labels
        let own = nuisanceRoles(dataset)
        let estimates = nuisances.estimates(of: Set(own))
        let roles = learner.effectRoles(armCount: dataset.armCount)
        var jobs: [CrossFitter.Job] = []
        for role in roles {
            let placed = spec.models.model(of: role, labels)
            let estimator = try estimator(placed)
            let seed = RandomStream.derivedSeed(
                UInt64(spec.seed), 2, UInt64(role.arm), UInt64(role.part.rawValue))
            let task = try learner.pseudoOutcome(role, dataset, estimates).task(
                dataset, features: ModelsSpec.features(placed, in: dataset.covariates),
                direct: type(of: estimator).backend.capabilities.contains(.residualLoss), seed: seed)
            jobs.append(
                CrossFitter.Job(
                    name: role.name(labels), estimator: estimator, task: task,
                    parts: effectParts ?? (spec.prediction == .full ? [.folds, .full] : .folds)))
        }
        let fits = try CrossFitter(nuisances.repeats, aggregation: nuisances.aggregation)
            .fit(jobs, stage: "effects", scheduler)
        var predictions: [EffectRole: [Double]] = [:]
        for (role, fit) in zip(roles, fits) { predictions[role] = fit.outOfFold.first ?? [] }
        let effects = learner.everyEffect(estimates, predictions, dataset.outcome.kind)
        var effectModels: [FittedRole<EffectRole>] = []
        for (role, fit) in zip(roles, fits) {
            let placed = spec.models.model(of: role, labels)
            effectModels.append(
                FittedRole(
                    role: role,
                    columns: try placed.model.columns(of: dataset.covariates, at: placed.place),
                    models: fit.models))
        }
        return CATEModel(
            fitter: self, dataset: dataset, nuisances: nuisances, estimates: estimates,
            nuisanceModels: nuisances.models(own, refitted: refitted),
            predictor: LearnerPredictor(kind: spec.learner, effectModels: effectModels),
            trainingEffects: effects,
            intervals: try fitIntervals(
                dataset, roles.indices.map { (roles[$0], jobs[$0].task, fits[$0].models.fullModel) },
                scheduler))
    }
}
