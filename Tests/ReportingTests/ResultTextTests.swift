import CausalAnalysis
import MetaLearnersCore
import Testing

@testable import Reporting

@Suite("Results as text and CSV")
struct ResultTextTests {
    private var table: ResultTable {
        var table = ResultTable(
            "estimates", "Estimates",
            [ResultTable.Column("arm", "arm", .text)] + ResultTable.estimateColumns(level: 0.9)
                + [ResultTable.Column("rows", "rows", .count), ResultTable.Column("share", "share", .share)])
        table.append(["a, \"b\"", 1.23456789, 0.5, 0.25, 2.5, 0.0004, 12345, 0.125])
        table.append(["c", .number(.nan)])
        return table
    }

    @Test("Numbers of an estimate share their decimals; what is not there is a dash")
    func text() {
        let lines = ResultText.text(table).split(separator: "\n").map {
            $0.split(separator: " ", omittingEmptySubsequences: true)
        }
        #expect(
            lines[0].joined(separator: " ")
                == "arm estimate std. error lower 90 % upper 90 % p-value rows share")
        #expect(lines[1].suffix(8).joined(separator: " ") == "1.235 0.500 0.250 2.500 <0.001 12,345 12.5 %")
        #expect(lines[2].joined(separator: " ") == "c - - - - - - -")
    }

    @Test("CSV has keys for a header, numbers in full and empty fields for what is not there")
    func csv() {
        #expect(
            ResultCSV.text(table) == """
                arm,estimate,std_error,lower,upper,p_value,rows,share
                "a, ""b""\",1.23456789,0.5,0.25,2.5,0.0004,12345,0.125
                c,,,,,,,

                """)
    }

    @Test("An answer begins with its findings and ends with what must hold and what is doubtful")
    func answer() {
        var result = AnalysisResult(analysis: "toy", title: "A toy")
        result.findings = ["It works."]
        result.tables = [table, ResultTable("empty", "Empty", [])]
        result.assumptions = ["Nothing is hidden."]
        result.warnings = ["Few rows."]
        result.isComplete = false
        let text = ResultText.text(result)
        let order = [
            "A toy", "It works.", "Interrupted", "Estimates", "This holds if:", "- Nothing is hidden.",
            "To be wary of:", "- Few rows.",
        ]
        var rest = text[...]
        for part in order {
            let range = rest.range(of: part)
            #expect(range != nil, "\(part)")
            if let range { rest = rest[range.upperBound...] }
        }
        #expect(!text.contains("Empty"))
        let value = result.specValue.objectValue
        #expect(value?["complete"] == false && value?["estimates"]?.arrayValue?.count == 2)
        #expect(value?["estimates"]?.arrayValue?[1].objectValue?["estimate"] == .null)
    }
}
