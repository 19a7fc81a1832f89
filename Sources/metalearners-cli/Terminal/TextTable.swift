/// A table for people: columns aligned, numbers to the right.
package struct TextTable {
    /// How a column is aligned.
    package enum Alignment: Sendable {
        case left
        case right
    }

    private let header: [String]
    private let alignments: [Alignment]
    private var rows: [[String]] = []

    /// Creates a table without rows.
    package init(_ columns: [(title: String, alignment: Alignment)]) {
        header = columns.map(\.title)
        alignments = columns.map(\.alignment)
    }

    /// Appends a row; missing cells are empty.
    package mutating func append(_ cells: [String]) { rows.append(cells) }

    /// The table as text, each line indented by `indent` blanks.
    package func text(indent: Int = 0) -> String {
        var widths = header.map(\.count)
        for row in rows {
            for (index, cell) in row.enumerated() where index < widths.count {
                widths[index] = max(widths[index], cell.count)
            }
        }
        let margin = String(repeating: " ", count: indent)
        var text = ""
        for row in [header] + rows {
            var line = margin
            for index in widths.indices {
                let cell = index < row.count ? row[index] : ""
                let blanks = String(repeating: " ", count: widths[index] - cell.count)
                if index > 0 { line += "  " }
                line += alignments[index] == .left ? cell + blanks : blanks + cell
            }
            while line.hasSuffix(" ") { line.removeLast() }
            text += line + "\n"
        }
        return text
    }
}
