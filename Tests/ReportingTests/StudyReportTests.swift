import CausalAnalysis
import MetaLearners
import MetaLearnersCore
import MetaLearnersKit
import Testing
import _TestSupport

@testable import Reporting

@Suite("Reports")
struct StudyReportTests {
    private func study() throws -> CausalStudy {
        let data = try SyntheticDataset.linear(rows: 200, seed: 3)
        let dataset = try CausalDataset(
            covariates: data.covariates, treatment: data.treatment, outcome: Outcome(data.outcome))
        return try CausalStudy(
            dataset,
            given: GivenColumns(
                effects: [data.outcome.map { $0 / 10 }], propensities: data.propensities,
                armMeans: data.armOutcomes))
    }

    @Test("A page needs nothing but itself, and has every section that it names")
    func page() throws {
        let study = try study()
        let report = StudyReport(study, StudyReport.analyses(for: study))
        #expect(!report.results.isEmpty && report.isComplete)
        let html = report.html()
        #expect(html.hasPrefix("<!doctype html>") && html.hasSuffix("</html>\n"))
        for foreign in ["<script", "http:", "https:", "@import", "url("] { #expect(!html.contains(foreign)) }
        for part in html.components(separatedBy: "href=\"#").dropFirst() {
            let name = part.prefix { $0 != "\"" }
            #expect(html.contains("id=\"\(name)\""), "\(name)")
        }
        for result in report.results { #expect(html.contains("id=\"\(result.analysis)\"")) }
    }

    @Test("Names from the data are text, never markup")
    func markup() throws {
        let data = try SyntheticDataset.linear(rows: 60, seed: 3)
        let dataset = try CausalDataset(
            covariates: data.covariates,
            treatment: Treatment(
                arms: data.treatment.arms, labels: ["<i>none</i>", "<script>alert(1)</script>"]),
            outcome: Outcome(data.outcome))
        var names = DataSpec()
        names.treatment = "\"><script>"
        let study = try CausalStudy(
            dataset, given: GivenColumns(propensities: data.propensities, armMeans: data.armOutcomes), names)
        let html = StudyReport(study, [AIPWAnalysis()]).html()
        #expect(!html.contains("<script") && !html.contains("<i>") && html.contains("&lt;script&gt;"))
    }

    @Test(
        "What one analysis cannot do is said, and keeps no other from its answer; a cancelled run leaves what is done"
    )
    func failures() throws {
        let study = try study()
        var impossible = AIPWAnalysis()
        impossible.question.arm = "nobody"
        let report = StudyReport(study, [impossible, AIPWAnalysis()])
        #expect(report.results.count == 1 && report.failures.map(\.name) == ["aipw"])
        #expect(report.html().contains("there is no arm &#39;nobody&#39;"))
        let token = CancellationToken()
        token.cancel()
        let cancelled = StudyReport(study, [Waiting()], ExecutionOptions(cancellation: token))
        #expect(!cancelled.isComplete && cancelled.results.isEmpty && cancelled.failures.isEmpty)
        #expect(cancelled.html().contains("interrupted"))
    }
}

/// An analysis of an app: one file, and it runs wherever analyses run.
private struct Waiting: Analysis {
    static let name = "waiting"
    static let title = "Waiting"
    static let summary = "Whether anybody has cancelled"
    static let topic = AnalysisTopic.checks
    static let parameters: [Parameter<Waiting>] = []
    var needs: StudyParts { [] }

    func run(_ study: CausalStudy, _ scheduler: Scheduler) throws(MetaLearnersError) -> AnalysisResult {
        try scheduler.context.checkCancellation()
        return AnalysisResult(analysis: Self.name, title: Self.title)
    }
}
