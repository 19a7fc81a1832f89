import MetaLearnersCore

/// Effects for new rows.
public struct EffectPrediction: Sendable {
    /// For each arm but the control (and within an arm for each class of an outcome of several), the effect for each
    /// row.
    public let effects: [[Double]]
    /// What the user should know of the rows, such as levels that training never saw.
    public let warnings: [String]
}

extension CATEModel {
    /// Predicts the effects of rows that the model was not fitted to, as differences from the control.
    ///
    /// The rows of training get here what models fitted to them say; their out-of-fold effects are
    /// `trainingEffects`. Other outputs, other arms and other scales: `predict(_:for:_:)`.
    ///
    /// - Parameter table: columns by name; those the model was not trained on are ignored.
    /// - Throws: `invalidData` for a column that is missing or of the wrong kind, `cancelled`.
    public func predict(_ table: Table, _ options: ExecutionOptions = ExecutionOptions())
        throws(MetaLearnersError)
        -> EffectPrediction
    {
        var rows = try AlignedRows(table, schema, spec.data)
        let effects = try predictEffects(&rows, fitted, .combined, Scheduler(options).context)
        return EffectPrediction(effects: effects, warnings: rows.warnings)
    }

    /// The effects of new rows against control, by the models of `fitted`.
    func predictEffects(
        _ rows: inout AlignedRows, _ fitted: FittedEffects, _ selection: ModelSelection,
        _ context: ExecutionContext
    ) throws(MetaLearnersError) -> [[Double]] {
        let roles = fitted.predictor.nuisanceRoles(armCount: armLabels.count)
        var nuisances = try predictNuisances(roles, rows.features, fitted, selection, context)
        if roles.contains(.propensity) {
            nuisances.propensities = try servingPropensities(
                nuisances.propensities, rows.table, &rows.warnings)
        }
        return try fitted.predictor.effects(
            PredictorInput(rows.features, nuisances, selection, spec, armLabels, outcomeKind), context)
    }
}

/// Rows to predict: the table that was given, and the covariates in it as the model knows them.
struct AlignedRows {
    let table: Table
    let features: Table
    var warnings: [String]

    /// - Throws: `invalidData` for a column that is missing or of the wrong kind.
    init(_ table: Table, _ schema: CovariateSchema, _ spec: DataSpec) throws(MetaLearnersError) {
        let missing = MissingValues(spec.missingValues)
        self.table = table
        (features, warnings) = try schema.align(missing.isEmpty ? table : table.mapping(missing.marking))
    }
}
