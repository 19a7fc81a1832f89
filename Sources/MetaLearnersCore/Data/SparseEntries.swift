/// The stored numbers of a sparse column with their rows.
public struct SparseEntries: Sendable {
    private let owner: SparseColumns
    private let range: Range<Int>

    init(_ owner: SparseColumns, column: Int) {
        self.owner = owner
        range = owner.starts[column]..<owner.starts[column + 1]
    }

    /// How many numbers are stored.
    public var count: Int { range.count }

    /// Calls `body` with rows, ascending, and numbers.
    @inline(__always)
    public func withEntries<Result>(
        _ body: (_ rows: UnsafeBufferPointer<Int32>, _ values: UnsafeBufferPointer<Double>) -> Result
    ) -> Result {
        owner.rows.withUnsafeBufferPointer { rows in
            owner.values.withUnsafeBufferPointer { values in
                body(
                    UnsafeBufferPointer(rebasing: rows[range]), UnsafeBufferPointer(rebasing: values[range]))
            }
        }
    }

    /// Calls `body` for each stored number whose row is in `range`, ascending.
    public func forEach(in range: Range<Int>, _ body: (_ row: Int, _ value: Double) -> Void) {
        withEntries { rows, values in
            var index = Self.firstIndex(rows, from: 0, notBelow: range.lowerBound)
            while index < rows.count, Int(rows[index]) < range.upperBound {
                body(Int(rows[index]), values[index])
                index += 1
            }
        }
    }

    /// Calls `body` for each of `wanted` whose number is stored, in their order: with its position among these.
    ///
    /// - Complexity: O(wanted · log stored), less where rows ascend.
    public func forEach(
        of wanted: UnsafeBufferPointer<Int32>, _ body: (_ position: Int, _ value: Double) -> Void
    ) {
        withEntries { rows, values in
            var index = 0
            var previous = Int32.min
            for position in 0..<wanted.count {
                let row = wanted[position]
                index = Self.firstIndex(rows, from: row >= previous ? index : 0, notBelow: Int(row))
                previous = row
                if index < rows.count, rows[index] == row { body(position, values[index]) }
            }
        }
    }

    /// The first index, at `start` or later, of a row that is not below `row`: in steps that double, then by halves.
    private static func firstIndex(_ rows: UnsafeBufferPointer<Int32>, from start: Int, notBelow row: Int)
        -> Int
    {
        var low = start
        var step = 1
        while low < rows.count, Int(rows[min(low + step, rows.count) - 1]) < row {
            low = min(low + step, rows.count)
            step *= 2
        }
        var high = min(low + step, rows.count)
        while low < high {
            let middle = (low + high) / 2
            if Int(rows[middle]) < row { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// The entries of the named rows, numbered by their position.
    func selecting(_ wanted: [Int32]) -> SparseColumns {
        var rows: [Int32] = []
        var values: [Double] = []
        wanted.withUnsafeBufferPointer { wanted in
            forEach(of: wanted) { position, value in
                rows.append(Int32(truncatingIfNeeded: position))
                values.append(value)
            }
        }
        return SparseColumns(rowCount: wanted.count, rows: rows, values: values)
    }
}
