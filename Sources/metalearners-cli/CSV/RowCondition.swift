import ArgumentParser
import MetaLearnersCore

/// A condition that rows of a file must fulfil to take part: a column has a value.
package struct RowCondition: Sendable, Equatable {
    /// The column.
    package let column: String
    /// Its value: a number, or the text of a level.
    package let value: String

    /// The rows of a table that fulfil every one of some conditions, ascending.
    ///
    /// - Throws: `invalidData` where a column is missing, or where no row fulfils them all.
    package static func rows(of table: Table, where conditions: [RowCondition]) throws(MetaLearnersError)
        -> [Int32]
    {
        var isKept = [Bool](repeating: true, count: table.rowCount)
        for condition in conditions {
            let column = try table.requiredColumn(condition.column, for: "--where")
            if let levels = column.levels {
                let code = levels.firstIndex(of: condition.value).map(Int32.init)
                for (row, own) in (column.codes() ?? []).enumerated() where own != code {
                    isKept[row] = false
                }
            } else {
                guard let number = Double(condition.value) else {
                    throw MetaLearnersError(
                        .invalidData, at: "--where \(condition.column)",
                        "the column has numbers, and '\(condition.value)' is none")
                }
                for (row, own) in column.values.doubles().enumerated() where own != number {
                    isKept[row] = false
                }
            }
        }
        let rows = isKept.indices.filter { isKept[$0] }.map { Int32($0) }
        guard !rows.isEmpty || table.rowCount == 0 else {
            let text = conditions.map { "\($0.column)=\($0.value)" }.joined(separator: " and ")
            throw MetaLearnersError(
                .invalidData, at: "--where", "none of the \(table.rowCount) rows has \(text)",
                remedy: "look up the values that the column has")
        }
        return rows
    }
}

extension RowCondition: ExpressibleByArgument {
    /// Reads COLUMN=VALUE.
    package init?(argument: String) {
        let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty else { return nil }
        self.init(column: String(parts[0]), value: String(parts[1]))
    }
}
