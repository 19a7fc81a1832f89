import MetaLearnersCore

extension CATEModel {
    /// The nuisances of rows that the model was not fitted to: every one that it has, after the overlap policy.
    ///
    /// - Throws: `invalidData` for a column that is missing or of the wrong kind, or what the overlap policy says.
    public func nuisances(on dataset: CausalDataset, _ options: ExecutionOptions = ExecutionOptions())
        throws(MetaLearnersError) -> NuisanceEstimates
    {
        let features = try schema.align(dataset.everyColumn).table
        let scheduler = Scheduler(options)
        var estimates = try predictNuisances(
            Set(nuisanceModels.map(\.role)), features, fitted, .combined, scheduler.context)
        let isKnown = dataset.knownPropensities != nil
        let propensities =
            dataset.knownPropensities ?? calibrated(estimates.propensities)
            ?? armShares.map { [Double](repeating: $0, count: features.rowCount) }
        let overlap = try spec.overlap.apply(
            propensities, armLabels, isKnown: isKnown, dataset.covariates.places)
        estimates.propensities = overlap.propensities
        estimates.hasOverlap = overlap.hasOverlap
        return estimates
    }

    /// Predicts the given nuisances for new rows, before any overlap policy.
    ///
    /// - Parameters:
    ///   - features: the covariates, in the order of training.
    ///   - fitted: whose models answer.
    func predictNuisances(
        _ roles: Set<NuisanceRole>, _ features: Table, _ fitted: FittedEffects, _ selection: ModelSelection,
        _ context: ExecutionContext
    ) throws(MetaLearnersError) -> NuisanceEstimates {
        var predictions: [(role: NuisanceRole, lists: [[Double]])] = []
        for known in fitted.nuisanceModels where roles.contains(known.role) {
            let placed = spec.models.model(of: known.role, armLabels)
            let seen = try ModelsSpec.features(placed, in: features)
            let inputs = known.role == .joint ? seen.underEveryArm(armLabels) : [seen]
            var lists: [[Double]] = []
            for input in inputs {
                lists.append(try known.models.predict(input, selection, spec.prediction, context))
            }
            predictions.append((known.role, lists))
        }
        var estimates = NuisanceEstimates(rowCount: features.rowCount, armCount: armLabels.count)
        estimates.store(predictions, of: outcomeKind)
        return estimates
    }

    /// The propensities that serve new rows: the known ones of a designed experiment, else the model's, within the
    /// bounds.
    ///
    /// New rows are clipped whatever the policy: none may be left out or stop a prediction.
    func servingPropensities(
        _ estimated: [[Double]]?, _ table: Table, _ warnings: inout [String]
    ) throws(MetaLearnersError) -> [[Double]]? {
        if overlap.isKnown { return try knownPropensities(table, &warnings) }
        guard let estimated = calibrated(estimated) else { return nil }
        var policy = spec.overlap
        policy.policy = .clip
        return try policy.apply(estimated, armLabels, isKnown: false, table.places).propensities
    }

    /// What the models predict, as it was calibrated in training.
    private func calibrated(_ propensities: [[Double]]?) -> [[Double]]? {
        propensities.map { calibration?.calibrated($0) ?? $0 }
    }

    /// The known propensities of new rows: the table's columns where it has them, else the shares of training.
    private func knownPropensities(_ table: Table, _ warnings: inout [String]) throws(MetaLearnersError)
        -> [[Double]]
    {
        if let shares = try spec.data.shares(armCount: armLabels.count) {
            return shares.map { [Double](repeating: $0, count: table.rowCount) }
        }
        let columns = spec.data.propensity.compactMap { table.column(named: $0)?.values.doubles() }
        if !columns.isEmpty, columns.count == spec.data.propensity.count {
            let all =
                columns.count == 1 && armLabels.count == 2 ? [columns[0].map { 1 - $0 }] + columns : columns
            guard all.count == armLabels.count, all.allSatisfy({ $0.allSatisfy { $0 > 0 && $0 < 1 } }) else {
                throw MetaLearnersError(.invalidData, at: "propensity", "is not between 0 and 1 in every row")
            }
            return all
        }
        let note = "the rows come without known propensities: the arms' shares in training stand for them"
        if !warnings.contains(note) { warnings.append(note) }
        return armShares.map { [Double](repeating: $0, count: table.rowCount) }
    }
}
