import MetaLearnersCore

/// Reads a column as Double, a block that fits into the cache at a time.
enum BlockReader {
    private static let blockRows = 256

    /// Calls `body` with the numbers of each block and the position of its first row among `rows`.
    static func read(
        _ values: StridedValues, _ rows: RowSelection,
        _ body: (UnsafeMutableBufferPointer<Double>, Int) -> Void
    ) {
        withUnsafeTemporaryAllocation(of: Double.self, capacity: blockRows) { block in
            var position = 0
            while position < rows.count {
                let count = min(blockRows, rows.count - position)
                let part = UnsafeMutableBufferPointer(rebasing: block[0..<count])
                switch rows {
                case .range(let range):
                    let first = range.lowerBound + position
                    values.copy(first..<first + count, to: part)
                case .list(let list):
                    values.gather(UnsafeBufferPointer(rebasing: list[position..<position + count]), to: part)
                }
                body(part, position)
                position += count
            }
        }
    }
}
