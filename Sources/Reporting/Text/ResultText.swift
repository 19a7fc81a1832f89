import CausalAnalysis
import MetaLearnersCore

/// Answers of analyses as text for a terminal.
package enum ResultText {
    /// The answer: findings first, then single numbers, tables, assumptions and warnings.
    ///
    /// - Parameter width: characters of a line at most, where lines can be broken.
    package static func text(_ result: AnalysisResult, width: Int = 100) -> String {
        var text = result.title + "\n" + String(repeating: "=", count: result.title.count) + "\n"
        for finding in result.findings { text += paragraph(finding, width: width) }
        if !result.isComplete { text += paragraph("Interrupted: this is what was ready.", width: width) }
        for table in result.tables where !table.rows.isEmpty {
            text += "\n" + table.title + "\n" + self.text(table, indent: 2)
        }
        if !result.assumptions.isEmpty {
            text += "\nThis holds if:\n" + result.assumptions.map { item($0, width: width) }.joined()
        }
        if !result.warnings.isEmpty {
            text += "\nTo be wary of:\n" + result.warnings.map { item($0, width: width) }.joined()
        }
        return text
    }

    /// A table: numbers of a column all with the same decimals.
    package static func text(_ table: ResultTable, indent: Int = 0) -> String {
        var result = TextTable(table.columns.map { ($0.title, $0.format == .text ? .left : .right) })
        let cells = cells(table)
        for row in table.rows.indices { result.append(cells.map { $0[row] }) }
        return result.text(indent: indent)
    }

    /// The cells of a table for people: for each column, one for each row.
    package static func cells(_ table: ResultTable) -> [[String]] {
        // Estimates, errors and ends of intervals are in one unit and stand side by side: they share their decimals.
        let keys: Set = ["estimate", "std_error", "lower", "upper"]
        let shared = NumberText.decimals(for: ["estimate", "lower", "upper"].flatMap(table.numbers))
        return table.columns.map { column in
            let values = table.column(column.key)
            let decimals =
                keys.contains(column.key)
                ? shared : NumberText.decimals(for: values.compactMap(\.doubleValue))
            return values.map { cell($0, column.format, decimals: decimals) }
        }
    }

    private static func cell(_ value: SpecValue, _ format: ResultTable.Format, decimals: Int) -> String {
        switch (value, format) {
        case (.null, _): "-"
        case (.string(let text), _): text
        case (.boolean(let flag), _): flag ? "yes" : "no"
        case (_, .count): value.integerValue.map(NumberText.grouped) ?? number(value, decimals: 1)
        case (_, .share): value.doubleValue.map { NumberText.fixed($0 * 100, decimals: 1) + " %" } ?? "-"
        case (_, .pValue): value.doubleValue.map(NumberText.pValue) ?? "-"
        case (_, .text), (_, .number): number(value, decimals: decimals)
        }
    }

    private static func number(_ value: SpecValue, decimals: Int) -> String {
        value.doubleValue.map { NumberText.fixed($0, decimals: decimals) } ?? value.json()
    }

    private static func paragraph(_ text: String, width: Int) -> String {
        TextTable.wrapped(text, to: width).map { $0 + "\n" }.joined()
    }

    private static func item(_ text: String, width: Int) -> String {
        TextTable.wrapped(text, to: width - 4).enumerated()
            .map { ($0 == 0 ? "  - " : "    ") + $1 + "\n" }.joined()
    }
}
