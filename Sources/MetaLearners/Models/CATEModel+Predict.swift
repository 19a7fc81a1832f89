import MetaLearnersCore

/// Effects for new rows.
public struct EffectPrediction: Sendable {
    /// For each arm but the control, the effect for each row.
    public let effects: [[Double]]
    /// What the user should know of the rows, such as levels that training never saw.
    public let warnings: [String]
}

extension CATEModel {
    /// Predicts the effects of rows that the model was not fitted to.
    ///
    /// The rows of training get here what models fitted to them say; their out-of-fold effects are
    /// `trainingEffects`.
    ///
    /// - Parameter table: columns by name; those the model was not trained on are ignored.
    /// - Throws: `invalidData` for a column that is missing or of the wrong kind, `cancelled`.
    public func predict(_ table: Table, _ options: ExecutionOptions = ExecutionOptions())
        throws(MetaLearnersError)
        -> EffectPrediction
    {
        let (features, notes) = try schema.align(table)
        var warnings = notes
        let scheduler = Scheduler(options)
        let roles = predictor.nuisanceRoles(armCount: armLabels.count)
        let nuisances = try predictNuisances(roles, features, table, .combined, &warnings, scheduler.context)
        let effects = try predictor.effects(
            features, nuisances, .combined, spec.prediction, scheduler.context)
        return EffectPrediction(effects: effects, warnings: warnings)
    }

    /// The nuisances of rows that the model was not fitted to: every one that it has, after the overlap policy.
    ///
    /// - Throws: `invalidData` for a column that is missing or of the wrong kind, or what the overlap policy says.
    public func nuisances(on dataset: CausalDataset, _ options: ExecutionOptions = ExecutionOptions())
        throws(MetaLearnersError) -> NuisanceEstimates
    {
        let features = try schema.align(dataset.covariates).table
        var warnings: [String] = []
        var roles = Set(nuisanceModels.map(\.role))
        roles.remove(.propensity)
        let scheduler = Scheduler(options)
        var estimates = try predictNuisances(
            roles, features, features, .combined, &warnings, scheduler.context)
        let isKnown = dataset.knownPropensities != nil
        let propensities: [[Double]]
        if let known = dataset.knownPropensities {
            propensities = known
        } else if let fitted = nuisanceModels.first(where: \.role.isPropensity) {
            var raw = NuisanceEstimates(rowCount: features.rowCount, armCount: armLabels.count)
            let shares = try fitted.models.predict(
                fitted.features(in: features), .combined, spec.prediction, scheduler.context)
            raw.store([shares], of: .propensity, isBinary: false)
            propensities = raw.propensities ?? []
        } else {
            propensities = armShares.map { [Double](repeating: $0, count: features.rowCount) }
        }
        let overlap = try spec.overlap.apply(propensities, armLabels, isKnown: isKnown)
        estimates.propensities = overlap.propensities
        estimates.hasOverlap = overlap.hasOverlap
        return estimates
    }

    /// Predicts the given nuisances for new rows.
    private func predictNuisances(
        _ roles: Set<NuisanceRole>, _ features: Table, _ table: Table, _ selection: ModelSelection,
        _ warnings: inout [String], _ context: ExecutionContext
    ) throws(MetaLearnersError) -> NuisanceEstimates {
        var estimates = NuisanceEstimates(rowCount: features.rowCount, armCount: armLabels.count)
        for fitted in nuisanceModels where roles.contains(fitted.role) {
            let seen = fitted.features(in: features)
            let inputs = fitted.role == .joint ? seen.underEveryArm(armLabels) : [seen]
            var predictions: [[Double]] = []
            for input in inputs {
                predictions.append(try fitted.models.predict(input, selection, spec.prediction, context))
            }
            estimates.store(predictions, of: fitted.role, isBinary: outcomeKind.isBinary)
        }
        if roles.contains(.propensity) {
            if overlap.isKnown {
                estimates.propensities = try knownPropensities(table, &warnings)
            } else if let propensities = estimates.propensities {
                // New rows are clipped whatever the policy: none may be left out or stop a prediction.
                var policy = spec.overlap
                policy.policy = .clip
                estimates.propensities = try policy.apply(propensities, armLabels, isKnown: false)
                    .propensities
            }
        }
        return estimates
    }

    /// The known propensities of new rows: the table's columns where it has them, else the shares of training.
    private func knownPropensities(_ table: Table, _ warnings: inout [String]) throws(MetaLearnersError)
        -> [[Double]]
    {
        let columns = spec.data.propensity.compactMap { table.column(named: $0)?.values.doubles() }
        if !columns.isEmpty, columns.count == spec.data.propensity.count {
            let all =
                columns.count == 1 && armLabels.count == 2 ? [columns[0].map { 1 - $0 }] + columns : columns
            guard all.count == armLabels.count, all.allSatisfy({ $0.allSatisfy { $0 > 0 && $0 < 1 } }) else {
                throw MetaLearnersError(.invalidData, at: "propensity", "is not between 0 and 1 in every row")
            }
            return all
        }
        warnings.append(
            "the rows come without known propensities: the arms' shares in training stand for them")
        return armShares.map { [Double](repeating: $0, count: table.rowCount) }
    }
}
