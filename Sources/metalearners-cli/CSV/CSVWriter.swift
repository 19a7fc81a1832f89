import CausalAnalysis
import MetaLearnersCore
import Reporting

/// Writes columns of numbers as a CSV file, some rows at a time; the file is there in full after `commit`, or not at all.
///
/// Numbers have the fewest digits that read back as the same; NaN is an empty field.
package struct CSVWriter {
    private let file: OutputFile

    /// Writes a header to `path` (standard output for `-`).
    ///
    /// - Parameter names: the names of the columns.
    /// - Throws: `inputOutput`.
    init(_ names: [String], to path: String) throws(MetaLearnersError) {
        file = try OutputFile(path)
        try file.append((names.map(ResultCSV.quoted).joined(separator: ",") + "\n").utf8)
    }

    /// Writes rows.
    ///
    /// - Parameter columns: as many columns as there are names, of equal length.
    /// - Throws: `inputOutput`.
    func append(_ columns: [[Double]]) throws(MetaLearnersError) {
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
    }

    /// Puts the file where it belongs.
    ///
    /// - Throws: `inputOutput`; there is no file then, or the old one.
    func commit() throws(MetaLearnersError) { try file.commit() }

    /// Writes a header and all rows, in full or not at all.
    ///
    /// - Parameters:
    ///   - names: the names of the columns.
    ///   - columns: as many columns, of equal length.
    /// - Throws: `inputOutput`.
    package static func write(_ names: [String], _ columns: [[Double]], to path: String)
        throws(MetaLearnersError)
    {
        let writer = try CSVWriter(names, to: path)
        try writer.append(columns)
        try writer.commit()
    }
}
