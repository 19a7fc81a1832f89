/// Rows that are read batch by batch, from the beginning as often as they are asked for: a file that does not fit into memory.
///
/// A fit reads its rows three times (`CausalDataset.init(_:_:maxBins:_:)`), and every time they must be the same rows in the same order; how
/// many of them a batch has may differ. All batches have columns of the same names, in the same order, of numbers or of texts alike. The
/// levels of a category may be others in each batch.
///
/// The functions are called by one thread at a time, not always the same one.
public protocol RowSource: AnyObject {
    /// Begins anew: the next batch is the first one.
    ///
    /// - Throws: whatever keeps it from that; reading ends with the error.
    func restart() throws(MetaLearnersError)

    /// The next rows, perhaps none; nil once there are no more.
    ///
    /// - Throws: whatever keeps it from reading them; reading ends with the error.
    func next() throws(MetaLearnersError) -> Table?
}
