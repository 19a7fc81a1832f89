import CausalAnalysis
import Reporting
import MetaLearnersCore

/// Writes columns of numbers as a CSV file.
package struct CSVWriter {
    /// Writes a header and the rows to `path` (standard output for `-`), in full or not at all.
    ///
    /// Numbers have the fewest digits that read back as the same; NaN is an empty field.
    ///
    /// - Parameters:
    ///   - names: the names of the columns.
    ///   - columns: as many columns, of equal length.
    /// - Throws: `inputOutput`.
    package static func write(_ names: [String], _ columns: [[Double]], to path: String)
        throws(MetaLearnersError)
    {
        let file = try OutputFile(path)
        try file.append((names.map(ResultCSV.quoted).joined(separator: ",") + "\n").utf8)
        let rows = columns.map(\.count).min() ?? 0
        for row in 0..<rows {
            for (index, column) in columns.enumerated() {
                if index > 0 { try file.append(CollectionOfOne(UInt8(ascii: ","))) }
                // A row of one empty field would be a blank line.
                let text = columns.count == 1 && column[row].isNaN ? "NA" : NumberText.shortest(column[row])
                try file.append(text.utf8)
            }
            try file.append(CollectionOfOne(UInt8(ascii: "\n")))
        }
        try file.commit()
    }
}
