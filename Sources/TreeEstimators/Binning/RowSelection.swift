/// Which rows of a column to read.
enum RowSelection {
    case range(Range<Int>)
    case list(UnsafeBufferPointer<Int32>)

    /// How many rows they are.
    var count: Int {
        switch self {
        case .range(let rows): rows.count
        case .list(let rows): rows.count
        }
    }
}
