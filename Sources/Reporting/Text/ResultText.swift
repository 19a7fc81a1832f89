import CausalAnalysis
import MetaLearnersCore

/// Answers of analyses as text for a terminal.
package enum ResultText {
    /// Several answers: in short the first finding of each, then each with what else it found and its tables, and at the end what must hold for them and
    /// what makes them doubtful, each sentence once.
    package static func text(_ results: [AnalysisResult], width: Int = 100) -> String {
        var text = ""
        if results.count > 1 {
            text += heading("In short")
            for result in results {
                if let finding = result.findings.first { text += item(finding, width: width) }
            }
            text += "\n"
        }
        text += results.map { result in
            body(result, findings: result.findings.dropFirst(results.count > 1 ? 1 : 0), width: width)
        }.joined(separator: "\n")
        text += list("This holds if:", results.flatMap(\.assumptions), width: width)
        return text + list("To be wary of:", results.flatMap(\.warnings), width: width)
    }

    /// The answer: findings first, then single numbers, tables, assumptions and warnings.
    ///
    /// - Parameter width: characters of a line at most, where lines can be broken.
    package static func text(_ result: AnalysisResult, width: Int = 100) -> String {
        text([result], width: width)
    }

    private static func body(
        _ result: AnalysisResult, findings: ArraySlice<String>, width: Int
    ) -> String {
        var text = heading(result.title)
        for finding in findings { text += paragraph(finding, width: width) }
        if !result.isComplete { text += paragraph("Interrupted: this is what was ready.", width: width) }
        let isBare = findings.isEmpty && result.isComplete
        for (index, table) in result.tables.filter({ !$0.rows.isEmpty && !$0.isDetail }).enumerated() {
            text += (isBare && index == 0 ? "" : "\n") + table.title + "\n" + self.text(table, indent: 2)
        }
        return text
    }

    static func heading(_ title: String) -> String {
        title + "\n" + String(repeating: "=", count: title.count) + "\n"
    }

    /// Sentences as a list, each once; nothing where there are none.
    private static func list(_ title: String, _ sentences: [String], width: Int) -> String {
        var seen: Set<String> = []
        let once = sentences.filter { seen.insert($0).inserted }
        return once.isEmpty
            ? "" : "\n\(title)\n" + once.map { item($0, width: width) }.joined()
    }

    /// A table: numbers of a column all with the same decimals.
    package static func text(_ table: ResultTable, indent: Int = 0) -> String {
        // A column of which no row has a value says nothing, such as notes where nothing is to be noted.
        let used = table.columns.indices.filter { index in table.rows.contains { $0[index] != .null } }
        var result = TextTable(
            used.map { (table.columns[$0].title, table.columns[$0].format == .text ? .left : .right) })
        let cells = cells(table)
        for row in table.rows.indices { result.append(used.map { cells[$0][row] }) }
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

    static func item(_ text: String, width: Int) -> String {
        TextTable.wrapped(text, to: width - 4).enumerated()
            .map { ($0 == 0 ? "  - " : "    ") + $1 + "\n" }.joined()
    }
}
