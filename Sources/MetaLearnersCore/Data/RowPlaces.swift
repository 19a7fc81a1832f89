/// Where the rows of a table came from, so that errors can name them: by the line of a file, counted from 1, or by the
/// index in an array, counted from 0.
///
/// This is the one rule for every message about a row. Rows that were chosen from a table keep the names that they had
/// there.
public struct RowPlaces: Sendable {
    /// Rows of a file from `row` on, each a line after the one before it.
    package struct Run: Sendable {
        let row: Int
        let line: Int

        package init(row: Int, line: Int) {
            self.row = row
            self.line = line
        }
    }

    private var runs: [Run] = []
    /// Where each row stood in the table that it was chosen from; nil where no row was chosen.
    private var source: [Int32]?

    /// Rows of arrays in memory.
    public init() {}

    /// Rows of a text file.
    ///
    /// - Parameter runs: ascending; the first begins with row 0.
    package init(runs: [Run]) { self.runs = runs }

    /// The name of a row in a message: "line 8" or "row index 6".
    public func name(_ row: Int) -> String {
        let index = source.map { $0.indices.contains(row) ? Int($0[row]) : row } ?? row
        guard let line = line(of: index) else { return "row index \(index)" }
        return "line \(line)"
    }

    /// Adds the places of rows that come after the first `count`, such as those of the next part of a file.
    package mutating func append(_ other: RowPlaces, after count: Int) {
        runs += other.runs.map { Run(row: count + $0.row, line: $0.line) }
    }

    /// The places of the named rows.
    func selecting(_ rows: [Int32]) -> RowPlaces {
        var selected = self
        selected.source = source.map { source in rows.map { source[Int($0)] } } ?? rows
        return selected
    }

    private func line(of row: Int) -> Int? {
        // The last run that begins at the row or before it.
        var low = 0
        var high = runs.count
        while low < high {
            let middle = (low + high) / 2
            if runs[middle].row <= row { low = middle + 1 } else { high = middle }
        }
        guard low > 0 else { return nil }
        return runs[low - 1].line + row - runs[low - 1].row
    }
}
