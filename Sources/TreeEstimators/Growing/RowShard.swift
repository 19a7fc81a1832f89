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
    init(trainingRows: Int, samplesRows: Bool, heldOutRows: Int) throws(MetaLearnersError) {
        self.trainingRows = trainingRows
        active = try RowList(capacity: trainingRows)
        idle = try RowList(capacity: samplesRows ? trainingRows : 0)
        heldOut = try RowList(capacity: heldOutRows)
    }

    /// Splits a leaf of each list.
    func split(_ leaf: Int, by rule: SplitCandidate.Rule, _ bins: UnsafePointer<UInt8>) {
        active.split(leaf, by: rule, bins)
        idle.split(leaf, by: rule, bins)
        heldOut.split(leaf, by: rule, bins)
    }
}
