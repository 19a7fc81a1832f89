import CausalAnalysis
import MetaLearnersCore

/// The HTML page of a report: answers first, then every question with its findings, pictures and tables.
struct ReportPage {
    let report: StudyReport

    init(_ report: StudyReport) { self.report = report }

    var html: String {
        let study = report.study
        let title = "Does \(study.names.treatment) change \(study.names.outcome), and for whom?"
        return """
            <!doctype html>
            <html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
            <title>\(escaped(title))</title><meta name="generator" content="metalearners \(Version.current)">
            <style>\(ReportStyle.css)</style></head><body><main>
            <h1>\(escaped(title))</h1>
            <p class="lead">\(escaped(lead))</p>
            \(facts)
            <h3>In short</h3>
            \(list(report.answers, class: "answers"))
            \(doubts)
            \(contents)
            \(report.sections.map(section).joined(separator: "\n"))
            \(failures)
            <footer>\(escaped(footer))</footer>
            </main></body></html>

            """
    }

    private func escaped(_ text: String) -> String { HTMLText.escaped(text) }

    private var lead: String {
        let study = report.study
        let arms = study.armLabels.dropFirst().map { "'\($0)'" }.joined(separator: ", ")
        return
            "Effects of \(study.names.treatment) \(arms) against '\(study.armLabels[0])' on \(study.names.outcome)"
            + (study.isBinary ? " (a probability)." : ".")
    }

    private var facts: String {
        let study = report.study
        var counts = [Int](repeating: 0, count: study.armCount)
        for arm in study.arms { counts[Int(arm)] += 1 }
        var facts: [(String, String)] = [("rows", NumberText.grouped(study.rowCount))]
        for (label, count) in zip(study.armLabels, counts) {
            facts.append(("in '\(label)'", NumberText.grouped(count)))
        }
        if !study.covariates.columns.isEmpty {
            facts.append(("covariates", NumberText.grouped(study.covariates.columns.count)))
        }
        if let clusters = study.clusters {
            facts.append(
                (
                    study.names.cluster.map { "clusters (\($0))" } ?? "clusters",
                    NumberText.grouped(Set(clusters).count)
                ))
        }
        if study.effects != nil { facts.append(("learner", study.source)) }
        return "<ul class=\"facts\">"
            + facts.map { "<li><b>\(escaped($0.1))</b> \(escaped($0.0))</li>" }.joined() + "</ul>"
    }

    private var doubts: String {
        var texts: [String] = []
        for text in report.study.warnings + report.results.flatMap(\.warnings) where !texts.contains(text) {
            texts.append(text)
        }
        if !report.isComplete {
            texts.insert("The run was interrupted: this report has what was ready.", at: 0)
        }
        return texts.isEmpty ? "" : "<h3>To be wary of</h3>" + list(texts, class: "warnings")
    }

    private var contents: String {
        let items = report.sections.map {
            "<li><a href=\"#\($0.topic.rawValue)\">\(escaped($0.topic.title))</a></li>"
        }
        return items.count < 2 ? "" : "<nav><ol>\(items.joined())</ol></nav>"
    }

    private func section(_ topic: AnalysisTopic, _ results: [AnalysisResult]) -> String {
        "<section id=\"\(topic.rawValue)\"><h2>\(escaped(topic.title))</h2>"
            + results.map(body).joined(separator: "\n") + "</section>"
    }

    private func body(_ result: AnalysisResult) -> String {
        let question = (try? AnalysisRegistry.default.analysis(named: result.analysis))?.summary ?? ""
        var html = "<h3 id=\"\(result.analysis)\">\(escaped(result.title))</h3>"
        html += "<p class=\"question\">\(escaped(question))\(question.hasSuffix("?") ? "" : ".")</p>"
        html += result.findings.map { "<p>\(escaped($0))</p>" }.joined()
        if !result.isComplete { html += "<p>Interrupted: this is what was ready.</p>" }
        for chart in result.charts {
            let drawings = ChartDrawing.Width.allCases.map { ChartDrawing.svg(chart, $0) }.joined()
            html += "<figure><figcaption>\(escaped(chart.title))</figcaption>\(drawings)</figure>"
        }
        for table in result.tables where !table.rows.isEmpty && !table.isDetail {
            // Long tables stand behind their heading; print shows them all.
            let isLong = table.rows.count > 14
            let body = self.table(table)
            html +=
                isLong
                ? "<details><summary>\(escaped(table.title)) (\(table.rows.count) rows)</summary>\(body)</details>"
                : "<p class=\"caption\">\(escaped(table.title))</p>" + body
        }
        // (What makes several answers doubtful is said once, at the top.)
        let own = result.warnings.filter { text in
            report.results.count { $0.warnings.contains(text) } == 1
        }
        if !own.isEmpty { html += list(own, class: "warnings") }
        if !result.assumptions.isEmpty {
            html +=
                "<details><summary>What must hold</summary>" + list(result.assumptions, class: "")
                + "</details>"
        }
        return html
    }

    private func table(_ table: ResultTable) -> String {
        // A column of which no row has a value says nothing, such as notes where nothing is to be noted.
        let used = table.columns.indices.filter { index in table.rows.contains { $0[index] != .null } }
        let all = ResultText.cells(table)
        let (columns, cells) = (used.map { table.columns[$0] }, used.map { all[$0] })
        func kind(_ column: ResultTable.Column) -> String { column.format == .text ? " class=\"t\"" : "" }
        let header = columns.map { "<th\(kind($0))>\(escaped($0.title))</th>" }.joined()
        let rows = table.rows.indices.map { row in
            "<tr>"
                + zip(columns, cells).map { column, values in
                    let isLong = column.format == .text && values[row].count > 40
                    return "<td\(isLong ? " class=\"t long\"" : kind(column))>\(escaped(values[row]))</td>"
                }.joined() + "</tr>"
        }
        return
            "<div class=\"scroll\"><table aria-label=\"\(escaped(table.title))\"><thead><tr>\(header)</tr></thead><tbody>"
            + rows.joined() + "</tbody></table></div>"
    }

    private var failures: String {
        guard !report.failures.isEmpty else { return "" }
        let texts = report.failures.map { failure in
            let type = try? AnalysisRegistry.default.analysis(named: failure.name)
            return "\(type?.title ?? failure.name): \(failure.error.description)"
        }
        return "<section><h2>What could not be answered</h2>" + list(texts, class: "warnings") + "</section>"
    }

    private func list(_ texts: [String], class name: String) -> String {
        let kind = name.isEmpty ? "" : " class=\"\(name)\""
        return "<ul\(kind)>" + texts.map { "<li>\(escaped($0))</li>" }.joined() + "</ul>"
    }

    private var footer: String {
        let study = report.study
        let origin =
            switch study.origin {
            case .outOfFold:
                "Effects and nuisances of each row come from models that never saw the row (out of fold)."
            case .inSample:
                "Effects of each row come from models that were fitted to these very rows (in sample), which makes them look better than they are."
            case .predicted: "Effects and nuisances were predicted by a model that was fitted to other rows."
            case .given: "Effects were computed elsewhere and brought along as columns."
            }
        return "Made by metalearners \(Version.current). " + origin
    }
}
