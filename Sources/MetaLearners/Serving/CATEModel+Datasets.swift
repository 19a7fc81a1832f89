import MetaLearnersCore

extension CATEModel {
    /// The effects against control of the rows of a dataset, by the models that `selection` names: for each arm but the
    /// control (and within an arm for each class), one for each row.
    ///
    /// - Throws: `invalidData` for a column that is missing or of the wrong kind.
    package func effects(
        on dataset: CausalDataset, _ selection: ModelSelection, _ context: ExecutionContext
    ) throws(MetaLearnersError) -> [[Double]] {
        let known =
            overlap.isKnown
            ? dataset.knownPropensities
                ?? armShares.map { [Double](repeating: $0, count: dataset.rowCount) } : nil
        return try serving.effects(
            fitted, schema.align(dataset.everyColumn).table, selection, context, propensities: known)
    }

    /// The effects against control of the rows of a dataset, and what is to be known of these rows, such as levels that training never saw.
    /// Propensities that are known by design are the dataset's where it has them.
    ///
    /// - Throws: `invalidData` for a column that is missing or of the wrong kind.
    package func predictEffects(on dataset: CausalDataset, _ options: ExecutionOptions)
        throws(MetaLearnersError) -> EffectPrediction
    {
        let context = Scheduler(options).context
        var rows = try AlignedRows(dataset.everyColumn, schema, spec.data)
        let effects =
            if overlap.isKnown, let known = dataset.knownPropensities {
                try serving.effects(fitted, rows.features, .combined, context, propensities: known)
            } else {
                try predictEffects(&rows, .combined, context)
            }
        return EffectPrediction(effects: effects, warnings: rows.warnings)
    }
}

extension NuisanceFit {
    /// What the models say of the rows of a dataset that has the columns of training; propensities are calibrated, known ones
    /// taken over, and the overlap policy applied (`fail` clips: a model is judged, not used).
    ///
    /// - Parameters:
    ///   - spec: the one that the models were fitted by.
    ///   - schema: the columns of training.
    /// - Throws: `invalidData` for a column that is missing or of the wrong kind, and where trimming leaves an arm without
    ///   rows.
    package func estimates(
        on dataset: CausalDataset, _ spec: MetaLearnerSpec, _ schema: CovariateSchema,
        _ selection: ModelSelection, _ context: ExecutionContext
    ) throws(MetaLearnersError) -> NuisanceEstimates {
        let labels = dataset.treatment.labels
        let serving = ModelServing(
            spec: spec, armLabels: labels, outcomeKind: outcomeKind, calibration: calibration)
        var estimates = try serving.nuisances(
            Set(roles), schema.align(dataset.everyColumn).table, models(roles, refitted: Set(roles)),
            selection, context, propensities: dataset.knownPropensities)
        guard let values = dataset.knownPropensities ?? estimates.propensities.map(serving.calibrated) else {
            return estimates
        }
        var policy = spec.overlap
        if policy.policy == .fail { policy.policy = .clip }
        let overlap = try policy.apply(
            values, labels, isKnown: dataset.knownPropensities != nil, dataset.covariates.places)
        estimates.propensities = overlap.propensities
        estimates.hasOverlap = overlap.hasOverlap
        return estimates
    }

    /// How many models of folds there are of each role.
    package var foldCount: Int { components.map(\.models.foldModels.count).min() ?? 0 }
}

extension NuisanceEstimates {
    /// Sets m of each pair where the arms' outcomes are known and it is not: the mean of μ_k and μ_0 by ē_k.
    package mutating func completeMarginalOutcomes() {
        guard let propensities, armOutcomes.count == armCount else { return }
        for arm in 1..<armCount where marginalOutcomes[arm] == nil {
            guard let ofArm = armOutcomes[arm], let ofControl = armOutcomes[0] else { continue }
            marginalOutcomes[arm] = (0..<rowCount).map { row in
                let (share, rest) = (propensities[arm][row], propensities[0][row])
                return (share * ofArm[row] + rest * ofControl[row]) / (share + rest)
            }
        }
    }
}
