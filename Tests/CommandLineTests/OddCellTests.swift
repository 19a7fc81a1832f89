import Foundation
import MetaLearnersCore
import Testing

import metalearners_cli

@Suite("Odd cells")
struct OddCellTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// The stored rows, with `cell` for the income in row index 6, which is line 8.
    private func confounded(_ cell: String) throws -> String {
        let url = Bundle.module.bundleURL.appendingPathComponent("Fixtures/confounded.csv")
        var lines = try String(contentsOf: url, encoding: .utf8).split(separator: "\n").map(String.init)
        lines[7] = ([cell] + lines[7].split(separator: ",").dropFirst().map(String.init)).joined(
            separator: ",")
        return lines.joined(separator: "\n") + "\n"
    }

    private func read(_ text: String, _ spec: SpecValue = ["treatment": "w", "outcome": "y"]) throws -> Table
    {
        try CSVReader(ColumnRules(DataSpec(spec))).read(ByteSource(Array(text.utf8), name: "t.csv"))
    }

    private func error(_ text: String, _ spec: SpecValue = ["treatment": "w", "outcome": "y"]) -> String? {
        #expect(throws: MetaLearnersError.self) { try read(text, spec) }?.description
    }

    private func levels(_ table: Table, _ name: String) -> [String]? { table.column(named: name)?.levels }

    @Test(
        "Every usual spelling of missing is missing among numbers",
        arguments: [
            "", "NA", "na", "N/A", "n/a", "NaN", "nan", "NULL", "null", "<NA>", "NaT", "#N/A", "#DIV/0!",
            "#VALUE!", "#REF!", "#NAME?", "#NUM!", ".", "-", "--", "?", "None", "none", "nil", "missing",
            "n.a.",
        ])
    func spellings(cell: String) throws {
        let income = try #require(read(confounded(cell)).column(named: "income"))
        let expected = try #require(read(confounded("")).column(named: "income"))
        #expect(income.levels == nil && income.values.doubles()[6].isNaN)
        #expect(income.values.doubles().map(\.bitPattern) == expected.values.doubles().map(\.bitPattern))
    }

    @Test(
        "Any other text among numbers is refused, with its line, column and cell and with what to do",
        arguments: ["1O.5", "\"1,234\"", "$5", "5%", "unknown", "1.2.3", "0x10", "€ 5", "(5)", "1'000"])
    func mistakes(cell: String) throws {
        let text = cell.replacing("\"", with: "")
        let message = try #require(error(confounded(cell)))
        #expect(
            message.hasPrefix(
                "t.csv, line 8: column 'income' has '\(text)', which is no number, as 499 of its 500 values are; correct it, add it to data.missing_values, or name the column under data.categorical, where it is text"
            ), "\(message)")
        let decorated = !["1O.5", "unknown", "1.2.3", "0x10"].contains(cell)
        #expect(message.contains("without thousands separators") == decorated, "\(message)")
        // Each of the remedies works.
        let known = try read(
            confounded(cell), ["treatment": "w", "outcome": "y", "missing_values": .string(text)])
        #expect(known.column(named: "income")?.values.doubles()[6].isNaN == true)
        let insisted = try read(
            confounded(cell), ["treatment": "w", "outcome": "y", "categorical": "income"])
        #expect(levels(insisted, "income")?.contains(text) == true)
        #expect(
            try levels(
                read(confounded(cell), ["treatment": "w", "outcome": "y", "exclude": "income"]), "income")
                != nil)
    }

    @Test("The average effect with an odd cell is that with an empty one")
    func averageEffect() throws {
        let spec = try folder.file("spec.json", "{\"data\": {\"treatment\": \"w\", \"outcome\": \"y\"}}")
        func ate(_ cell: String, _ arguments: String...) throws -> Program.Outcome {
            let data = try folder.file("data.csv", confounded(cell))
            return try Program.run(
                ["ate", spec, data, "--json", "--set", "cross_fitting.folds=3"] + arguments)
        }
        for learner in ["auto", "dr"] {
            let empty = try ate("", "--set", "learner=" + learner)
            let estimate = try #require(
                empty.json()["estimates"]?.arrayValue?.first?.objectValue?["estimate"]?.doubleValue)
            // The truth is 1; with the column as a category of 500 levels it was 2.9 and 2.4.
            #expect(abs(estimate - 0.95) < 0.1)
            #expect(try ate("N/A", "--set", "learner=" + learner).output == empty.output)
            let typo = try ate("1O.5", "--set", "learner=" + learner)
            #expect(typo.status == 3 && typo.error.contains("data.csv, line 8: column 'income' has '1O.5'"))
        }
    }

    @Test("Among texts the doubtful spellings are levels, and a column of other things than numbers is text")
    func texts() throws {
        let rows = (0..<40).map { row in
            "\(row % 2),\(row),\(["none", "mild", "-", "?"][row % 4]),\(["A1", "7"][row % 2])\n"
        }
        let table = try read("w,y,pain,code\n" + rows.joined())
        #expect(levels(table, "pain") == ["-", "?", "mild", "none"])
        #expect(levels(table, "code") == ["7", "A1"])
        // Numbers alone make the dash a missing number.
        let numbers = (0..<40).map { row in "\(row % 2),\(row),\(row % 4 == 0 ? "-" : "\(row)")\n" }
        let column = try #require(read("w,y,pain\n" + numbers.joined()).column(named: "pain"))
        #expect(column.levels == nil && column.values.doubles()[4].isNaN)
        // One of them first, and texts later: what was read as missing is text after all.
        let later = try read("w,y,pain\n0,1,none\n1,2,none\n0,3,mild\n")
        #expect(levels(later, "pain") == ["mild", "none"])
        #expect(later.column(named: "pain")?.codes() == [1, 1, 0])
    }

    @Test("A column of decorated numbers alone is refused; ranges, dates and codes are text")
    func decorated() throws {
        func column(_ cells: [String]) -> String {
            "w,y,x\n" + (0..<40).map { "\($0 % 2),\($0),\"\(cells[$0 % cells.count])\"\n" }.joined()
        }
        for cells in [
            ["$5", "$6"], ["5 %", "12.5 %"], ["1,234", "2,345,678"], ["1,5", "2,75"], ["1 234", "5"],
        ] {
            #expect(
                error(column(cells))?.contains("line 2: column 'x' has '\(cells[0])'") == true, "\(cells)")
        }
        for cells in [
            ["18-25", "26-40"], ["2020-01-05", "2021-02-06"], ["10mg", "20mg"], ["a", "5"], ["1.2.3", "x"],
        ] {
            #expect(try levels(read(column(cells)), "x") == cells.sorted(), "\(cells)")
        }
    }

    @Test("An outcome with an odd cell names it, whatever kind of outcome it is")
    func outcomes() throws {
        func rows(_ odd: String) -> String {
            "x,w,y\n" + (0..<60).map { "\($0),\($0 % 2),\($0 == 10 ? odd : "\($0 * 3 % 7)")\n" }.joined()
        }
        for type in ["auto", "continuous", "count", "classes"] as [SpecValue] {
            let message = error(rows("1O"), ["treatment": "w", "outcome": "y", "outcome_type": type])
            #expect(message?.hasPrefix("t.csv, line 12: column 'y' has '1O', which is no number") == true)
        }
        let dollars = "x,w,y\n" + (0..<60).map { "\($0),\($0 % 2),$\($0 % 37)\n" }.joined()
        #expect(error(dollars)?.hasPrefix("t.csv, line 2: column 'y' has '$0'") == true)
        #expect(error(rows("1O"), ["treatment": "y", "outcome": "x"])?.contains("line 12") == true)
        for key in ["weight", "propensity"] {
            var spec = SpecObject([("treatment", "w"), ("outcome", "y")])
            spec[key] = "x"
            #expect(
                error("x,w,y\n0.5,0,1\nhalf,1,2\n", .object(spec))
                    == "t.csv, line 3: column 'x' has 'half', which is no number; correct it, or add it to data.missing_values"
            )
        }
    }

    @Test("Integers of any length are labels as they are: arms, clusters, categories")
    func labels() throws {
        let rows = (0..<60).map { row in
            "\((1 << 53) + row % 3),\(row % 7),\(1_700_000_000_000_000_000 + 64 * (row / 4)),1000000000000000000000\(row % 2),00\(row % 4),\(row % 2).0\n"
        }
        let text = "w,y,g,long,zip,flag\n" + rows.joined()
        let spec: SpecValue = [
            "treatment": "w", "outcome": "y", "cluster": "g", "categorical": ["long", "zip", "flag"],
        ]
        let data = try CausalDataset(read(text, spec), DataSpec(spec))
        #expect(data.treatment.labels == ["9007199254740992", "9007199254740993", "9007199254740994"])
        #expect(data.treatment.counts == [20, 20, 20])
        #expect(Set(data.clusters ?? []).count == 15)
        let covariates = data.covariates.columns.map(\.levels)
        #expect(
            covariates == [
                ["10000000000000000000000", "10000000000000000000001"], ["000", "001", "002", "003"],
                ["0", "1"],
            ])
        // The order is that of numbers, and one number is one label however it is written.
        let doses = try read("w,y\n10,1\n9,2\n-1,3\n1e1,4\n9.0,5\n", ["treatment": "w", "outcome": "y"])
        #expect(levels(doses, "w") == ["-1", "9", "10"])
        #expect(doses.column(named: "w")?.codes() == [2, 1, 0, 2, 1])
    }

    @Test("New rows are read as their model knows them: numbers as numbers, levels as levels")
    func newRows() throws {
        let spec: SpecValue = ["treatment": "w", "outcome": "y", "categorical": "zip", "missing_values": -9]
        let text =
            "w,y,x,zip,code\n"
            + (0..<40).map { "\($0 % 2),\($0 % 5),\($0),\($0 % 3 + 1),\(["1.0", "b"][$0 % 2])\n" }.joined()
        let schema = CovariateSchema(try CausalDataset(read(text, spec), DataSpec(spec)).covariates)
        let rules = try ColumnRules(schema, DataSpec(spec))
        func predictTable(_ text: String) throws -> Table {
            try CSVReader(rules).read(ByteSource(Array(text.utf8), name: "new.csv"))
        }
        // A chunk in which the codes happen to be numbers, and one in which a category is written with a point.
        let (aligned, warnings) = try schema.align(predictTable("x,zip,code,note\n5,2.0,1.0,$5\n-9,3,b,7\n"))
        #expect(warnings.isEmpty)
        #expect(aligned.columns.map(\.name) == ["x", "zip", "code"])
        #expect(aligned.columns[0].values.doubles()[1].isNaN)
        #expect(aligned.columns[1].codes() == [1, 2])
        #expect(aligned.columns[2].codes() == [0, 1])
        let error = #expect(throws: MetaLearnersError.self) {
            try predictTable("x,zip,code\n1,1,b\nabc,1,b\n")
        }
        #expect(
            error?.description.hasPrefix("new.csv, line 3: column 'x' has 'abc', which is no number") == true)
    }

    @Test("A file with a header alone has no predictions, and is no data to fit")
    func headerAlone() throws {
        let spec = try folder.file("spec.yaml", Sample.spec)
        let data = try folder.file("data.csv", Sample.csv())
        let model = folder.path("m.model")
        #expect(try Program.run(["fit", spec, data, "-o", model]).status == 0)
        let empty = try folder.file("empty.csv", "x,group,w,y\n")
        let predict = try Program.run(["predict", model, empty, "-o", "-"])
        #expect(predict.status == 0, "\(predict.error)")
        #expect(predict.output == "cate\n")
        let fit = try Program.run(["fit", spec, empty, "-o", model])
        #expect(fit.status == 3 && fit.error.contains("has a header and no rows"))
    }

    @Test(
        "An identifier is left out with a warning, in fits, averages and models, and is not needed to predict"
    )
    func identifiers() throws {
        let spec = try folder.file("spec.yaml", Sample.spec)
        var lines = Sample.csv().split(separator: "\n").map(String.init)
        lines = lines.enumerated().map { $0 == 0 ? $1 + ",customer" : $1 + ",cust-\($0)" }
        let data = try folder.file("ids.csv", lines.joined(separator: "\n"))
        let plain = try folder.file("plain.csv", Sample.csv())
        let warning = "column 'customer' is left out"
        for arguments in [
            ["fit", spec, data, "-o", folder.path("m.model"), "--json"], ["ate", spec, data, "--json"],
        ] {
            let run = try Program.run(arguments)
            #expect(run.status == 0 && run.error.contains(warning), "\(run.error)")
            #expect(try run.json()["warnings"]?.arrayValue?.first?.stringValue?.hasPrefix(warning) == true)
        }
        #expect(
            try Program.run(["inspect", folder.path("m.model")]).output.contains("'customer' is left out"))
        let ate = try Program.run(["ate", folder.path("m.model"), plain])
        #expect(ate.status == 0, "\(ate.error)")
        let few = try folder.file("few.csv", lines.prefix(30).joined(separator: "\n"))
        #expect(try Program.run(["ate", folder.path("m.model"), few]).status == 0)
    }

    @Test("Clusters fewer than the folds, and percentages as propensities, say what is wrong")
    func otherMessages() throws {
        let spec = try folder.file("spec.yaml", Sample.spec)
        var lines = Sample.csv().split(separator: "\n").map(String.init)
        lines = lines.enumerated().map { $0 == 0 ? $1 + ",g,e" : $1 + ",\($0 % 2),30.96" }
        let data = try folder.file("data.csv", lines.joined(separator: "\n"))
        let clusters = try Program.run(["ate", spec, data, "--set", "data.cluster=g"])
        #expect(clusters.status == 3)
        #expect(
            clusters.error
                == "metalearners: data.cluster: there are 2 clusters for 3 folds, and a cluster is held out as a whole; use fewer folds (cross_fitting.folds: 2), or name a column with more clusters\n"
        )
        let shares = try Program.run(["ate", spec, data, "--set", "data.propensity=e"])
        #expect(
            shares.error
                == "metalearners: propensity 'e': line 2 has 30.96 for arm '1', not between 0 and 1; give probabilities, not percentages or odds\n"
        )
    }
}
