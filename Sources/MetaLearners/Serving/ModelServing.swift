import MetaLearnersCore

/// Which of the models of a role answer.
package enum ModelSelection: Sendable, Equatable {
    /// The model of all rows or, where there is none, the mean or the median of the models of the folds.
    case combined
    /// The model of one fold: what the stability of effects is measured by.
    case fold(Int)
}

/// How fitted models answer for rows: which models are asked, with what, and how propensities are made ready for use.
struct ModelServing: Sendable {
    let spec: MetaLearnerSpec
    let armLabels: [String]
    let outcomeKind: Outcome.Kind
    let calibration: PropensityCalibration?

    /// What the models say of nuisances, before any overlap policy.
    ///
    /// - Parameters:
    ///   - features: the covariates, in the order of training.
    ///   - propensities: known ones of the rows, for each arm; nil where they are estimated.
    func nuisances(
        _ roles: Set<NuisanceRole>, _ features: Table, _ models: [FittedRole<NuisanceRole>],
        _ selection: ModelSelection, _ context: ExecutionContext, propensities: [[Double]]? = nil
    ) throws(MetaLearnersError) -> NuisanceEstimates {
        var predictions: [(role: NuisanceRole, lists: [[Double]])] = []
        for known in models where roles.contains(known.role) {
            let seen = try ModelsSpec.features(spec.models.model(of: known.role, armLabels), in: features)
            let inputs = known.role == .joint ? seen.underEveryArm(armLabels) : [seen]
            var lists: [[Double]] = []
            for input in inputs {
                lists.append(
                    try known.models.predict(
                        input, selection, spec.prediction, context, propensities: propensities))
            }
            predictions.append((known.role, lists))
        }
        var estimates = NuisanceEstimates(rowCount: features.rowCount, armCount: armLabels.count)
        estimates.store(predictions, of: outcomeKind)
        return estimates
    }

    /// Propensities that models predict, calibrated and within the bounds.
    ///
    /// Whatever the policy, they are clipped: no row may be left out or stop a prediction.
    func served(_ estimated: [[Double]]) throws(MetaLearnersError) -> [[Double]] {
        var policy = spec.overlap
        policy.policy = .clip
        return try policy.apply(calibrated(estimated), armLabels, isKnown: false).propensities
    }

    /// What the models predict, as it was calibrated in training.
    func calibrated(_ propensities: [[Double]]) -> [[Double]] {
        calibration?.calibrated(propensities) ?? propensities
    }

    /// The effects against control, by the models of `fitted`.
    ///
    /// - Parameter propensities: known ones of the rows, for each arm; nil where they are estimated.
    func effects(
        _ fitted: FittedEffects, _ features: Table, _ selection: ModelSelection, _ context: ExecutionContext,
        propensities: [[Double]]?
    ) throws(MetaLearnersError) -> [[Double]] {
        let roles = fitted.predictor.nuisanceRoles(armCount: armLabels.count)
        var nuisances = try nuisances(
            roles, features, fitted.nuisanceModels, selection, context, propensities: propensities)
        if let propensities {
            nuisances.propensities = propensities
        } else if let estimated = nuisances.propensities {
            nuisances.propensities = try served(estimated)
        }
        let effects = try fitted.predictor.effects(
            PredictorInput(
                features: features, nuisances: nuisances, knownPropensities: propensities,
                selection: selection, spec: spec, armLabels: armLabels, outcomeKind: outcomeKind), context)
        guard effects.count == (armLabels.count - 1) * outcomeKind.effectCount,
            effects.allSatisfy({ $0.count == features.rowCount })
        else {
            throw MetaLearnersError(
                .corruptModel, at: "effects", "the models within do not belong together")
        }
        return effects
    }
}

/// A fitted model whose predictions depend on known propensities, where there are any: an outcome that `auto` stacked.
package protocol PropensityDependent: FittedEstimator {
    /// Predicts rows whose propensities are known.
    ///
    /// - Parameter propensities: for each arm, one for each of the rows predicted.
    func predict(
        _ features: Table, rows: [Int32]?, knowing propensities: [[Double]], _ context: ExecutionContext
    ) throws(MetaLearnersError) -> [Double]

    /// What it computes.
    ///
    /// - Parameters:
    ///   - columnCount: how many covariates there are.
    ///   - propensities: known ones, for each arm; nil where they are estimated.
    func formulas(columnCount: Int, knowing propensities: [Formula]?) throws(MetaLearnersError) -> [Formula]
}

extension CrossFittedModels {
    /// Predicts rows that the models were not fitted to, `outputCount` numbers for each row.
    ///
    /// - Parameters:
    ///   - selection: the models that answer.
    ///   - rule: how the models of the folds are combined where there is no model of all rows.
    ///   - propensities: known ones of the rows, for each arm.
    /// - Throws: `unsupported` for the model of a fold that is not there.
    func predict(
        _ features: Table, _ selection: ModelSelection, _ rule: MetaLearnerSpec.Prediction,
        _ context: ExecutionContext, propensities: [[Double]]? = nil
    ) throws(MetaLearnersError) -> [Double] {
        func answer(_ model: any FittedEstimator) throws(MetaLearnersError) -> [Double] {
            try context.checkCancellation()
            if let propensities, let model = model as? any PropensityDependent {
                return try model.predict(features, rows: nil, knowing: propensities, context)
            }
            return try model.predict(features, rows: nil, context)
        }
        if case .fold(let fold) = selection {
            guard foldModels.indices.contains(fold) else {
                throw MetaLearnersError(
                    .unsupported, at: "model", "it has no model of fold \(fold + 1)",
                    remedy: "fit with in_sample: out_of_fold")
            }
            return try answer(foldModels[fold])
        }
        if let fullModel { return try answer(fullModel) }
        var predictions: [[Double]] = []
        for model in foldModels { predictions.append(try answer(model)) }
        return Self.combine(predictions, rule)
    }

    /// The mean (the median where the rule says so) of several lists, number by number.
    package static func combine(_ predictions: [[Double]], _ rule: MetaLearnerSpec.Prediction) -> [Double] {
        guard let first = predictions.first else { return [] }
        guard rule == .median else {
            return first.indices.map { index in
                predictions.reduce(0) { $0 + $1[index] } / Double(predictions.count)
            }
        }
        return RepeatAggregation.median.combined(predictions)
    }
}
