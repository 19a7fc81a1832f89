import MetaLearnersCore

extension MetaLearnerFitter {
    /// Which fits of effect models are needed: for effects of the training rows, and for new rows.
    var effectParts: CrossFitter.Parts {
        guard spec.prediction == .full else { return .folds }
        return spec.crossFitting.inSample == .full ? .full : [.folds, .full]
    }

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
                estimator(placed), at: placed.place, role.part == .joint ? [.multiOutput] : [.regression],
                dataset, ModelsSpec.features(placed, in: dataset.covariates))
        }
    }

    /// What the fits share, such as the bins of the covariates, and what they leave behind: about so many bytes.
    func footprint(_ dataset: CausalDataset) throws(MetaLearnersError) -> Int {
        let labels = dataset.treatment.labels
        var shared: [String: Int] = [:]
        let places =
            nuisanceRoles(dataset).map { spec.models.model(of: $0, labels) }
            + learner.effectRoles(armCount: dataset.armCount).map { spec.models.model(of: $0, labels) }
        for placed in places {
            let estimator = try estimator(placed)
            let bytes = estimator.footprint(rows: dataset.rowCount, of: dataset.covariates, for: .regression)
                .shared
            let name = estimator.backend.name
            shared[name] = max(shared[name] ?? 0, bytes)
        }
        let lists = places.count * dataset.armCount * 2
        return shared.values.reduce(0, +) + lists * dataset.rowCount * 8
    }

    /// Puts the model together, once everything is fitted.
    ///
    /// - Parameter refitted: the nuisances whose models of all rows predict new ones.
    func model(
        _ request: NuisanceRequest, _ nuisances: NuisanceFit, _ effects: [FittedEffect],
        refitted: Set<NuisanceRole>, _ scheduler: Scheduler
    ) throws(MetaLearnersError) -> CATEModel {
        let dataset = request.dataset
        let own = nuisanceRoles(dataset)
        let estimates = nuisances.estimates(of: Set(own))
        let nuisanceModels = nuisances.models(own, refitted: refitted)
        let predictor = LearnerPredictor(learner: learner, effectModels: effects.map(\.fitted))
        let trainingEffects: [[Double]]
        if spec.crossFitting.inSample == .full {
            let seen = try inSampleNuisances(dataset, estimates, nuisanceModels, nuisances, scheduler.context)
            trainingEffects = try predictor.effects(
                PredictorInput(
                    dataset.covariates, seen, .combined, spec, dataset.treatment.labels, dataset.outcome.kind),
                scheduler.context)
        } else {
            var outOfFold: [EffectRole: [Double]] = [:]
            for effect in effects { outOfFold[effect.fitted.role] = effect.outOfFold }
            trainingEffects = learner.everyEffect(estimates, outOfFold, dataset.outcome.kind)
        }
        return CATEModel(
            fitter: self, dataset: dataset, nuisances: nuisances, estimates: estimates,
            nuisanceModels: nuisanceModels, predictor: predictor, trainingEffects: trainingEffects,
            intervals: try fitIntervals(
                dataset, effects.map { ($0.fitted.role, $0.task, $0.fitted.models.fullModel) }, scheduler))
    }

    /// What the models say that predict new rows, of the rows that they were fitted to.
    private func inSampleNuisances(
        _ dataset: CausalDataset, _ estimates: NuisanceEstimates, _ models: [FittedRole<NuisanceRole>],
        _ nuisances: NuisanceFit, _ context: ExecutionContext
    ) throws(MetaLearnersError) -> NuisanceEstimates {
        let labels = dataset.treatment.labels
        let roles = Set(learner.predictionRoles(armCount: dataset.armCount))
        var predictions: [(role: NuisanceRole, lists: [[Double]])] = []
        for fitted in models where roles.contains(fitted.role) {
            let features = try ModelsSpec.features(
                spec.models.model(of: fitted.role, labels), in: dataset.covariates)
            var lists: [[Double]] = []
            for input in fitted.role == .joint ? features.underEveryArm(labels) : [features] {
                lists.append(try fitted.models.predict(input, .combined, spec.prediction, context))
            }
            predictions.append((fitted.role, lists))
        }
        var seen = NuisanceEstimates(rowCount: dataset.rowCount, armCount: dataset.armCount)
        seen.store(predictions, of: dataset.outcome.kind)
        if dataset.knownPropensities != nil {
            seen.propensities = estimates.propensities
        } else if let raw = seen.propensities {
            var policy = spec.overlap
            policy.policy = .clip
            seen.propensities = try policy.apply(
                nuisances.calibration?.calibrated(raw) ?? raw, labels, isKnown: false
            ).propensities
        }
        return seen
    }
}
