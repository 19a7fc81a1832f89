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
    ///
    /// - Parameter width: characters of a line at most, beyond which the last column goes on in a line of its own, as far
    ///   as it has blanks to break it at; nil for no limit.
    package func text(indent: Int = 0, width: Int? = nil) -> String {
        var widths = header.map(\.count)
        for row in rows {
            for (index, cell) in row.enumerated() where index < widths.count {
                widths[index] = max(widths[index], cell.count)
            }
        }
        let ahead = indent + widths.dropLast().reduce(0) { $0 + $1 + 2 }
        let room = width.map { max($0 - ahead, 24) }
        if let room, let last = widths.indices.last { widths[last] = min(widths[last], room) }
        let margin = String(repeating: " ", count: indent)
        var text = ""
        for row in [header] + rows {
            var line = margin
            var rest: [String] = []
            for index in widths.indices {
                var cell = index < row.count ? row[index] : ""
                if index == widths.count - 1, let room {
                    let lines = Self.wrapped(cell, to: room)
                    cell = lines.first ?? ""
                    rest = Array(lines.dropFirst())
                }
                let blanks = String(repeating: " ", count: max(widths[index] - cell.count, 0))
                if index > 0 { line += "  " }
                line += alignments[index] == .left ? cell + blanks : blanks + cell
            }
            while line.hasSuffix(" ") { line.removeLast() }
            text += line + "\n"
            for line in rest { text += String(repeating: " ", count: ahead) + line + "\n" }
        }
        return text
    }

    /// A text in lines of at most `width` characters, broken at blanks; words that are longer stay whole.
    package static func wrapped(_ text: String, to width: Int) -> [String] {
        var lines: [String] = []
        for word in text.split(separator: " ") {
            if let last = lines.last, last.count + 1 + word.count <= width {
                lines[lines.count - 1] = last + " " + word
            } else {
                lines.append(String(word))
            }
        }
        return lines
    }
}
