import CausalAnalysis
import MetaLearnersCore
import Reporting
import Testing

@Suite("Several answers as text")
struct SeveralAnswersTests {
    private func result(_ name: String) -> AnalysisResult {
        var result = AnalysisResult(analysis: name, title: "Title of \(name)")
        result.findings = ["Verdict of \(name).", "More of \(name)."]
        result.assumptions = ["There is overlap."]
        var table = ResultTable(
            "table", "Numbers",
            [
                ResultTable.Column("estimate", "estimate", .number),
                ResultTable.Column("note", "remark", .text),
            ])
        table.append([.number(1)])
        var detail = ResultTable(
            "detail", "Details", [ResultTable.Column("x", "x", .number)], isDetail: true)
        detail.append([.number(1)])
        result.tables = [table, detail]
        return result
    }

    @Test("Verdicts come first and once, and so do assumptions; details and empty columns are left out")
    func several() {
        let text = ResultText.text([result("one"), result("two")])
        #expect(
            text.hasPrefix("In short\n========\n  - Verdict of one.\n  - Verdict of two.\n\nTitle of one\n"))
        for once in ["Verdict of one.", "More of two.", "There is overlap.", "Title of two"] {
            #expect(text.components(separatedBy: once) == 2, "\(once)")
        }
        #expect(!text.contains("Details") && !text.contains("remark"))
        #expect(text.hasSuffix("\nThis holds if:\n  - There is overlap.\n"))
        let single = ResultText.text(result("one"))
        #expect(single.hasPrefix("Title of one\n============\nVerdict of one.\nMore of one.\n"))
    }
}

extension String {
    /// In how many parts a text cuts this one.
    fileprivate func components(separatedBy text: String) -> Int {
        split(separator: text, omittingEmptySubsequences: false).count
    }
}
