import MetaLearnersCore

extension MetaLearnerFitter {
    /// Makes what the spec's intervals need out of fitted effect models: the bootstrap aside, at next to no cost.
    ///
    /// - Parameters:
    ///   - effects: each effect model's role, what it was fitted to, and the model of all rows.
    /// - Returns: nil where the spec asks for none, or leaves the choice open and the effect models have none.
    /// - Throws: `unsupported` for a method that the learner or its effect models do not have, with what does.
    func fitIntervals(
        _ dataset: CausalDataset,
        _ effects: [(role: EffectRole, task: TrainingTask, model: (any FittedEstimator)?)],
        _ scheduler: Scheduler
    ) throws(MetaLearnersError) -> FittedIntervals? {
        switch spec.intervals.method {
        case .none, .bootstrap: return nil
        case .analytic:
            try requireEffectRegression("analytic", among: [.r, .dr])
            let models = effects.compactMap { $0.model as? any CovarianceEstimating }
            guard models.count == effects.count, models.allSatisfy(\.estimatesCovariance) else {
                throw MetaLearnersError(
                    .unsupported, at: "intervals.method", "analytic intervals need a linear effect model",
                    remedy: "set models.effect to ols or ridge, or use bootstrap")
            }
            return try analytic(effects, models, scheduler)
        case .forest:
            try requireEffectRegression("forest", among: LearnerKind.allCases.filter(\.isEffectRegression))
            guard Self.haveVariances(effects), areHonest(dataset) else {
                throw MetaLearnersError(
                    .unsupported, at: "intervals.method",
                    "forest intervals need an honest forest with little bags as the effect model",
                    remedy: "set models.effect to {backend: forest, honest: true}, or use bootstrap")
            }
            return .forest
        case .auto:
            guard spec.prediction == .full, spec.learner.isEffectRegression, !effects.isEmpty else {
                return nil
            }
            let models = effects.compactMap { $0.model as? any CovarianceEstimating }
            if [.r, .dr].contains(spec.learner), models.count == effects.count,
                models.allSatisfy(\.estimatesCovariance)
            {
                // Nobody asked for intervals: data that have none (fewer rows than columns) are no reason to stop.
                do throws(MetaLearnersError) {
                    return try analytic(effects, models, scheduler)
                } catch  where error.kind != .cancelled && error.kind != .outOfMemory {
                    return nil
                }
            }
            return Self.haveVariances(effects) && areHonest(dataset) ? .forest : nil
        }
    }

    private func analytic(
        _ effects: [(role: EffectRole, task: TrainingTask, model: (any FittedEstimator)?)],
        _ models: [any CovarianceEstimating], _ scheduler: Scheduler
    ) throws(MetaLearnersError) -> FittedIntervals {
        var covariances: [[Double]] = []
        for (effect, model) in zip(effects, models) {
            covariances.append(
                try model.coefficientCovariance(effect.task, spec.intervals.covariance, scheduler.context))
        }
        return .analytic(covariances)
    }

    private static func haveVariances(
        _ effects: [(role: EffectRole, task: TrainingTask, model: (any FittedEstimator)?)]
    ) -> Bool {
        effects.allSatisfy {
            ($0.model as? any VarianceEstimating)?.estimatesVariance == true && $0.model?.outputCount == 1
        }
    }

    /// Whether the effect models of all arms keep the rows that place splits apart from those that give values.
    private func areHonest(_ dataset: CausalDataset) -> Bool {
        learner.effectRoles(armCount: dataset.armCount).allSatisfy { role in
            let placed = spec.models.model(of: role, dataset.treatment.labels)
            return completeModel(placed).objectValue?["honest"] == .boolean(true)
        }
    }

    private func requireEffectRegression(_ method: String, among kinds: [LearnerKind])
        throws(MetaLearnersError)
    {
        guard kinds.contains(spec.learner) else {
            throw MetaLearnersError(
                .unsupported, at: "intervals.method",
                "the learner '\(spec.learner.rawValue)' has no \(method) intervals",
                remedy: "these have: " + kinds.map(\.rawValue).joined(separator: ", ") + "; or use bootstrap")
        }
        guard spec.prediction == .full else {
            throw MetaLearnersError(
                .unsupported, at: "intervals.method",
                "\(method) intervals are those of models of all rows, and prediction is '\(spec.prediction.rawValue)'",
                remedy: "use prediction: full, or intervals.method: bootstrap")
        }
    }
}

extension LearnerKind {
    /// Whether the effect of an arm is the prediction of one effect model.
    var isEffectRegression: Bool { learner is any EffectRegressionLearner }
}
