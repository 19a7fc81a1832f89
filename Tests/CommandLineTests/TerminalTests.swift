import CausalAnalysis
import Reporting
import Testing

import metalearners_cli

@Suite("Tables and numbers for people")
struct TerminalTests {
    @Test("columns are aligned, numbers to the right, without blanks at the ends of lines")
    func tablesAreAligned() {
        var table = TextTable([("name", .left), ("n", .right), ("note", .left)])
        table.append(["a", "1,000", "x"])
        table.append(["long name", "7"])
        #expect(table.text(indent: 1) == " name           n  note\n a          1,000  x\n long name      7\n")
    }

    @Test("numbers of one table share their decimals: four digits of the largest")
    func numbersShareDecimals() {
        #expect(NumberText.aligned([0.25123, -0.0112, 0]) == ["0.2512", "-0.0112", "0.0000"])
        #expect(NumberText.aligned([12_345.6, 1]) == ["12346", "1"])
        #expect(NumberText.aligned([0.000_025, .nan]) == ["0.00002500", "-"])
        #expect(NumberText.aligned([0, 0]) == ["0.00", "0.00"])
        #expect(NumberText.fixed(-0.00001, decimals: 2) == "0.00")
        #expect(NumberText.fixed(1e15, decimals: 2) == "1e+15")
    }

    @Test("counts are grouped, p-values bounded")
    func countsAndPValues() {
        #expect(
            [0, 999, 1000, 10_391, -1_234_567].map(NumberText.grouped) == [
                "0", "999", "1,000", "10,391", "-1,234,567",
            ])
        #expect(NumberText.counted(1, "row") == "1 row")
        #expect([0.0, 0.0009, 0.0415, 1].map(NumberText.pValue) == ["<0.001", "<0.001", "0.042", "1.000"])
    }

    @Test("the progress bar fills up and never overflows")
    func progressBar() {
        #expect(ProgressBar.line("fit", done: 0, total: 10) == "fit [--------------------]   0 %")
        #expect(ProgressBar.line("fit", done: 5, total: 10) == "fit [##########----------]  50 %")
        #expect(ProgressBar.line("fit", done: 11, total: 10) == "fit [####################] 100 %")
        #expect(ProgressBar.line("fit", done: 0, total: 0) == "fit [####################] 100 %")
    }
}
