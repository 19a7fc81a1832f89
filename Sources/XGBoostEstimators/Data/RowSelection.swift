import MetaLearnersCore

/// Some rows of a table: a range of them, or a range of a list.
struct RowSelection {
    private let list: ArraySlice<Int32>?
    private let range: Range<Int>

    /// The positions `range` of `rows`; of all rows where there is no list.
    init(_ rows: [Int32]?, _ range: Range<Int>) {
        list = rows.map { $0[range] }
        self.range = range
    }

    /// How many rows there are.
    var count: Int { range.count }

    /// Copies the values of the rows; `target` holds at least as many.
    func copy(_ values: StridedValues, to target: UnsafeMutableBufferPointer<Double>) {
        guard let list else { return values.copy(range, to: target) }
        list.withUnsafeBufferPointer { values.gather($0, to: target) }
    }
}
