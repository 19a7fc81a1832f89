/// Columns of numbers most of which are 0: only the others are stored, column by column.
///
/// A column of these is a column like any other, to whoever reads it as one; what is absent is 0, not missing. Backends
/// that say so use what is stored alone.
public final class SparseColumns: Sendable {
    /// How many rows each column has.
    public let rowCount: Int
    /// For each column, where it begins in `rows` and `values`; at the end, where the last one ends.
    let starts: [Int]
    /// The row of each number, ascending within a column.
    let rows: [Int32]
    /// The numbers: finite, not 0.
    let values: [Double]
    /// What tells these columns from others.
    let identity = ColumnMemory(copying: [UInt8]())

    /// How many columns there are.
    public var columnCount: Int { starts.count - 1 }

    /// Takes a matrix in compressed rows (CSR): the numbers of row r are those from `rowStarts[r]` up to
    /// `rowStarts[r + 1]`, and `columns` says which column each is in.
    ///
    /// Within a row columns may stand in any order, but none twice. Zeros may be stored.
    ///
    /// - Throws: `invalidData` for starts that do not ascend from 0 to the number of values, a column out of range or twice
    ///   in a row, a value that is not finite, or more than 2³¹ − 1 rows.
    /// - Complexity: O(rows + columns + values).
    public convenience init(
        rowStarts: some RandomAccessCollection<Int>, columns: some RandomAccessCollection<Int>,
        values: some RandomAccessCollection<Double>, columnCount: Int
    ) throws(MetaLearnersError) {
        // Loops over arrays: over collections of other modules' types they are many times slower.
        try self.init(Array(rowStarts), Array(columns), Array(values), columnCount)
    }

    private init(_ rowStarts: [Int], _ columns: [Int], _ values: [Double], _ columnCount: Int)
        throws(MetaLearnersError)
    {
        func refuse(_ problem: String, _ remedy: String? = nil) -> MetaLearnersError {
            MetaLearnersError(.invalidData, at: "sparse matrix", problem, remedy: remedy)
        }
        let rowCount = rowStarts.count - 1
        guard rowCount >= 0, rowCount <= Int(Int32.max), columnCount >= 0 else {
            throw refuse("it needs one start per row and one more, of at most 2147483647 rows")
        }
        guard columns.count == values.count, rowStarts.first == 0, rowStarts.last == values.count else {
            throw refuse("the starts of its rows do not lead from 0 to its \(values.count) values")
        }
        var counts = [Int](repeating: 0, count: columnCount + 1)
        var lastRow = [Int32](repeating: -1, count: columnCount)
        var previous = 0
        for (index, end) in rowStarts.enumerated() where index > 0 {
            guard end >= previous, end <= values.count else {
                throw refuse("row index \(index - 1) ends before it starts, or after the last value")
            }
            let row = Int32(truncatingIfNeeded: index - 1)
            for place in previous..<end {
                let column = columns[place]
                guard column >= 0, column < columnCount else {
                    throw refuse(
                        "row index \(index - 1) has column \(column), and columns are 0 to \(columnCount - 1)"
                    )
                }
                guard lastRow[column] != row else {
                    throw refuse(
                        "row index \(index - 1) has column \(column) twice", "sum up duplicates first")
                }
                lastRow[column] = row
                let value = values[place]
                guard value.isFinite else {
                    throw refuse(
                        "row index \(index - 1), column \(column) has \(value)",
                        "give columns with missing values as dense ones")
                }
                if value != 0 { counts[column] += 1 }
            }
            previous = end
        }
        var starts = [Int](repeating: 0, count: columnCount + 1)
        for column in 0..<columnCount { starts[column + 1] = starts[column] + counts[column] }
        var next = starts
        var rows = [Int32](repeating: 0, count: starts[columnCount])
        var stored = [Double](repeating: 0, count: starts[columnCount])
        previous = 0
        for (index, end) in rowStarts.enumerated() where index > 0 {
            for place in previous..<end {
                let value = values[place]
                guard value != 0 else { continue }
                let column = columns[place]
                rows[next[column]] = Int32(truncatingIfNeeded: index - 1)
                stored[next[column]] = value
                next[column] += 1
            }
            previous = end
        }
        self.rowCount = rowCount
        self.starts = starts
        self.rows = rows
        self.values = stored
    }

    /// One column of entries whose rows ascend.
    init(rowCount: Int, rows: [Int32], values: [Double]) {
        self.rowCount = rowCount
        starts = [0, rows.count]
        self.rows = rows
        self.values = values
    }

    /// The columns under their names, each as many rows long.
    ///
    /// - Parameter names: one for each column; nil for "x0", "x1", ….
    /// - Throws: `invalidArgument` for another number of names.
    public func columns(names: [String]? = nil) throws(MetaLearnersError) -> [Column] {
        guard names?.count ?? columnCount == columnCount else {
            throw MetaLearnersError(
                .invalidArgument, at: "sparse matrix",
                "there are \(names?.count ?? 0) names for \(columnCount) columns")
        }
        return (0..<columnCount).map { Column(names?[$0] ?? "x\($0)", StridedValues(self, column: $0)) }
    }
}
