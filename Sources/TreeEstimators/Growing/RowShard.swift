import MetaLearnersCore

/// The rows that one part of the work looks after.
final class RowShard: Sendable {
    /// Rows that the tree is grown from.
    let active: RowList
    /// Rows of the training set that this tree does not see, and that it must predict.
    let idle: RowList
    /// Rows held out for early stopping.
    let heldOut: RowList

    /// How many rows there are to learn from, active or idle.
    let trainingRows: Int

    /// Creates lists for so many rows.
    ///
    /// - Parameter bytes: a byte a row, where leaves of many rows are to be known by them.
    /// - Throws: `outOfMemory`.
    init(trainingRows: Int, samplesRows: Bool, heldOutRows: Int, bytes: LeafBytes?) throws(MetaLearnersError)
    {
        self.trainingRows = trainingRows
        active = try RowList(capacity: trainingRows, bytes: bytes)
        idle = try RowList(capacity: samplesRows ? trainingRows : 0)
        heldOut = try RowList(capacity: heldOutRows)
    }

    /// Splits a leaf of each list.
    func split(
        _ leaf: Int, by rule: SplitCandidate.Rule, _ column: BinnedColumn, smallIsRight: Bool
    ) {
        for list in [active, idle, heldOut] { list.split(leaf, by: rule, column, smallIsRight: smallIsRight) }
    }
}
