import MetaLearnersCore

extension MetaLearnerFitter {
    /// Checks that the effect models' backends can do what is asked of them, before anything is fitted.
    func requireEffectModels(_ dataset: CausalDataset) throws(MetaLearnersError) {
        for role in learner.effectRoles(armCount: dataset.armCount) {
            let placed = spec.models.model(of: role, dataset.treatment.labels)
            try require(
                estimator(placed), at: placed.place, [.regression], dataset,
                ModelsSpec.features(placed, in: dataset.covariates))
        }
    }

    /// Fits the effect models to what the nuisances say, and puts the model together.
    ///
    /// - Parameter refitted: the nuisances whose models of all rows predict new ones.
    func fitEffects(
        _ dataset: CausalDataset, _ nuisances: NuisanceFit, refitted: Set<NuisanceRole>,
        _ scheduler: Scheduler
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
                direct: estimator.backend.capabilities.contains(.residualLoss), seed: seed)
            jobs.append(
                CrossFitter.Job(
                    name: role.name(labels), estimator: estimator, task: task, refit: spec.prediction == .full
                ))
        }
        let fits = try CrossFitter(nuisances.repeats, aggregation: nuisances.aggregation)
            .fit(jobs, stage: "effects", scheduler)
        var predictions: [EffectRole: [Double]] = [:]
        for (role, fit) in zip(roles, fits) { predictions[role] = fit.outOfFold.first ?? [] }
        let effects = (1..<dataset.armCount).map { learner.effect(of: $0, estimates, predictions) }
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
            trainingEffects: effects)
    }
}
