/// A fitted estimator that says which columns its predictions come from.
public protocol ExplainableEstimator: FittedEstimator {
    /// Shapley values of the columns: how far each moves the prediction of a row from the expected one.
    ///
    /// They add up, with the expected value, to the prediction of the row on the stated scale.
    ///
    /// - Parameters:
    ///   - features: columns by position, of the kinds trained on.
    ///   - rows: which rows, nil for all.
    ///   - background: the rows that absent columns are replaced from (interventional values); nil for the
    ///     expectations that the training rows imply (path-dependent values).
    ///   - context: threads to use, and whether to stop.
    /// - Throws: `invalidArgument` for another number of columns, a row out of range or a background without rows;
    ///   `cancelled`, `outOfMemory`.
    func contributions(
        _ features: Table, rows: [Int32]?, background: Table?, _ context: ExecutionContext
    ) throws(MetaLearnersError) -> Contributions

    /// How much the model makes of each column, over all rows; a number for each column.
    func importances(_ kind: ImportanceKind) -> [Double]
}

/// A measure of how much a model of trees makes of a column.
public enum ImportanceKind: String, CaseIterable, Sendable {
    /// The sum of what the splits by the column gained, in the loss's own units.
    case gain
    /// The sum of the weight of the training rows that come to the splits by the column, as shares of each tree's.
    case cover
    /// How many splits are by the column.
    case splits
}
