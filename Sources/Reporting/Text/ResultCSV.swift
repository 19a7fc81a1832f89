import CausalAnalysis
import MetaLearnersCore

/// Tables of results as CSV.
package enum ResultCSV {
    /// The table with a header of its keys; numbers in full, fields without a value empty.
    package static func text(_ table: ResultTable) -> String {
        var text = table.columns.map { quoted($0.key) }.joined(separator: ",") + "\n"
        for row in table.rows {
            let fields = row.map { value -> String in
                switch value {
                case .null: ""
                case .string(let field): quoted(field)
                default: value.json()
                }
            }
            text += fields.joined(separator: ",") + "\n"
        }
        return text
    }

    /// A text as a field, in quotation marks where it needs them.
    package static func quoted(_ text: String) -> String {
        let needsMarks = text.utf8.contains { byte in
            byte == UInt8(ascii: ",") || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\n")
                || byte == UInt8(ascii: "\r")
        }
        guard needsMarks || text.first?.isWhitespace == true || text.last?.isWhitespace == true else {
            return text
        }
        return "\"" + text.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"")
            + "\""
    }
}
