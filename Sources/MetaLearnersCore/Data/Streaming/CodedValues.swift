/// Stands for the numbers of a column that are no longer there: a few codes, each with a number that it counts as.
///
/// A backend that made the codes of its own bins (`CausalDataset` of a `RowSource`) reads the codes; whoever reads numbers gets one of
/// those that have the code. What learns from numbers as such must not be fitted to them (`Capabilities.streamed`).
package protocol CodedValues: AnyObject, Sendable {
    /// Memory without content, which tells the column from others.
    var identity: ColumnMemory { get }

    /// What the numbers themselves add to the fingerprint of a dataset (`CausalDataset.fingerprint(_:)`).
    var fingerprint: UInt64 { get }

    /// Writes a number for each row of `rows`; NaN, or a negative code of a category, where it is missing.
    func copy(_ rows: Range<Int>, to target: UnsafeMutableBufferPointer<Double>)

    /// The same for the named rows.
    func gather(_ rows: UnsafeBufferPointer<Int32>, to target: UnsafeMutableBufferPointer<Double>)
}

extension Table {
    /// Whether a column exists as codes alone.
    package var isCoded: Bool { columns.contains { $0.values.coded != nil } }
}
