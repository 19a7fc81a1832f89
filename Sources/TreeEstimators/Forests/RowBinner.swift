import MetaLearnersCore

/// Turns rows of columns into bins, those of a row side by side.
struct RowBinner: Sendable {
    private let columns: [StridedValues]
    private let binnings: [ColumnBinning]

    /// Bins of a row.
    var width: Int { columns.count }

    init(_ columns: [StridedValues], _ binnings: [ColumnBinning]) {
        self.columns = columns
        self.binnings = binnings
    }

    /// Calls `body` with the bins of the rows at `positions` of `rows` (nil for all rows, in order).
    func withBins(of positions: Range<Int>, _ rows: [Int32]?, _ body: (UnsafePointer<UInt16>) -> Void) {
        let count = positions.count
        let width = width
        withUnsafeTemporaryAllocation(of: UInt16.self, capacity: count * (width + 1) + 64) { words in
            guard let column = words.baseAddress else { return }
            let bins = column + count
            for place in 0..<width {
                if let rows {
                    rows.withUnsafeBufferPointer {
                        binnings[place].map(
                            columns[place], .list(.init(rebasing: $0[positions])), toWords: column)
                    }
                } else {
                    binnings[place].map(columns[place], .range(positions), toWords: column)
                }
                for row in 0..<count { bins[row * width + place] = column[row] }
            }
            body(UnsafePointer(bins))
        }
    }
}
