import Foundation
import MetaLearnersCore
import Testing

@Suite("What the commands that analyse print and write")
struct AnalysisOutputTests {
    private let folder: TemporaryFolder
    private let spec: String
    private let data: String

    init() throws {
        folder = try TemporaryFolder()
        data = folder.path("data.csv")
        let generate = try Program.run([
            "generate", "nie_wager", "--rows", "300", "--set", "setup=b", "-o", data,
        ])
        #expect(generate.status == 0, "\(generate.error)")
        spec = try folder.file(
            "spec.yaml",
            generate.output
                + "learner: dr\nmodels: {outcome: ridge, propensity: logistic, effect: ridge}\ncross_fitting: {folds: 3}\n"
        )
    }

    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()

    /// The commands with options under which every analysis of theirs has all of its tables.
    static let commands: [(command: String, options: [String])] = [
        ("check", []), ("effects", ["--by", "x1"]),
        (
            "effects",
            ["--only", "ipw", "--only", "matching", "--only", "ols", "--only", "difference_in_means"]
        ),
        ("evaluate", ["--by", "x1", "--true-effects", "true_effect", "--option", "replicates=20"]),
        ("policy", ["--true-effects", "true_effect", "--option", "points=3"]),
        ("refute", ["--option", "repeats=2", "--option", "negative_control.outcomes=[x1]"]),
        ("compare", ["--learners", "t,dr"]),
    ]

    /// The part of docs/analyses.md about the topic in which the section of an analysis stands.
    private func documentation(of analysis: String) throws -> String {
        let text = try String(
            contentsOf: Self.root.appendingPathComponent("docs/analyses.md"), encoding: .utf8)
        let parts = text.components(separatedBy: "\n## ")
        return try #require(
            parts.first { part in
                part.contains("`\(analysis)` |") && part.contains("| `")
                    || part.components(separatedBy: "\n### ").dropFirst().contains {
                        $0.split(separator: "\n")[0].split(separator: ",").contains {
                            $0.drop { $0 == " " } == analysis
                        }
                    }
            }, "no section of docs/analyses.md is about \(analysis)")
    }

    @Test(
        "JSON has the documented keys, and CSV a file for each table with the same columns",
        arguments: commands.indices)
    func keys(_ index: Int) throws {
        let (command, options) = Self.commands[index]
        let tables = folder.path("tables")
        let run = try Program.run([command, spec, data, "--json", "--csv", tables] + options)
        #expect(run.status == 0, "\(run.error)")
        let answer = try run.json()
        let manual = try String(contentsOf: Self.root.appendingPathComponent("docs/cli.md"), encoding: .utf8)
        #expect(
            answer.entries.map { $0.0 } == [
                "source", "origin", "rows", "arms", "results", "failures", "complete", "warnings",
            ])
        #expect(answer.entries.map { $0.0 }.filter { !manual.contains("| `\($0)` |") } == [])
        #expect(answer["complete"] == .boolean(true) && answer["failures"]?.arrayValue?.isEmpty == true)
        let common = [
            "analysis", "title", "findings", "row_columns", "assumptions", "warnings", "complete",
        ]
        #expect(common.filter { !manual.contains("`\($0)`") } == [])
        let results = try #require(answer["results"]?.arrayValue).compactMap(\.objectValue)
        #expect(!results.isEmpty)
        for result in results {
            let name = try #require(result["analysis"]?.stringValue)
            let text = try documentation(of: name)
            for (key, value) in result.entries where !common.contains(key) {
                // Keys that end with the label of an arm are documented with ARM.
                let plain = key.hasSuffix("_1") ? String(key.dropLast(1)) + "ARM" : key
                let isDocumented = text.contains("`\(plain)`")
                #expect(isDocumented, "\(name): \(key)")
                guard let rows = value.arrayValue?.compactMap(\.objectValue), let first = rows.first else {
                    continue
                }
                let columns = first.entries.map { $0.0 }
                let csv = try folder.text("tables/\(name)_\(key).csv").split(separator: "\n")
                #expect(csv[0] == columns.joined(separator: ",") && csv.count > rows.count, "\(name) \(key)")
                // Learners stand beside each other under their names.
                let unknown = key == "agreement" ? [] : columns.filter { !text.contains("`\($0)`") }
                #expect(unknown == [], "\(name), \(key)")
            }
        }
    }

    @Test("evaluate judges a model, out of fold or on other rows, and columns that were computed elsewhere")
    func evaluate() throws {
        let model = folder.path("m.model")
        #expect(try Program.run(["fit", spec, data, "-o", model, "--quiet"]).status == 0)
        let own = try Program.run(["evaluate", model, data, "--only", "rate", "--json"])
        #expect(own.status == 0, "\(own.error)")
        #expect(try own.json()["origin"] == "out_of_fold" && own.json()["source"] == "dr")
        let ofSpec = try Program.run(["evaluate", spec, data, "--only", "rate", "--json"])
        #expect(try ofSpec.json()["results"] == own.json()["results"])
        let others = folder.path("others.csv")
        _ = try Program.run([
            "generate", "nie_wager", "--rows", "200", "--set", "setup=b", "--seed", "9", "-o", others,
        ])
        let predicted = try Program.run(["evaluate", model, others, "--only", "losses", "--json"])
        #expect(try predicted.json()["origin"] == "predicted" && predicted.json()["rows"] == 200)
        let given = try Program.run([
            "evaluate", spec, data, "--effects", "true_effect", "--only", "rate", "--only", "losses",
            "--json",
        ])
        #expect(try given.json()["origin"] == "given" && given.json()["source"] == "true_effect")
        // Others may have answers; what was asked for by its name has none, and the status says so.
        let page = folder.path("page.html")
        for run in [
            try Program.run(["evaluate", model, data, "--by", "nowhere"]),
            try Program.run(["effects", model, data, "--by", "nowhere", "--quiet"]),
            try Program.run(["report", model, data, "--by", "nowhere", "-o", page]),
        ] {
            #expect(run.status == 3 && run.error.contains("no column 'nowhere'"), "\(run.error)")
        }
        #expect(try String(contentsOfFile: page, encoding: .utf8).contains("nowhere"))
        let text = try Program.run(["evaluate", spec, data])
        #expect(text.status == 0 && text.output.hasPrefix("In short\n"), "\(text.error)")
        #expect(text.output.contains("This holds if:"))
        for (options, words) in [
            (["--only", "rate", "--option", "against=x99"], "x99"), (["--only", "rte"], "rate"),
            (["--option", "replicats=3"], "replicats"), (["--only", "truth"], "true effects"),
        ] {
            let run = try Program.run(["evaluate", spec, data] + options)
            #expect(run.status != 0 && run.error.contains(words), "\(options): \(run.error)")
        }
    }

    @Test("A ranking that effects are compared with is no covariate, unless the spec lists it")
    func against() throws {
        // The spec names no covariates: without the option the score would be one.
        let lines = try String(contentsOfFile: data, encoding: .utf8).split(separator: "\n")
        let scored = lines.enumerated().map { "\($0 == 0 ? "score" : "\(($0 * 37) % 101)"),\($1)" }
        let path = try folder.file("scored.csv", scored.joined(separator: "\n") + "\n")
        func losses(_ file: String, _ options: [String] = []) throws -> SpecValue? {
            let run = try Program.run(["evaluate", spec, file, "--only", "losses", "--json"] + options)
            #expect(run.status == 0, "\(run.error)")
            return try run.json()["results"]
        }
        let plain = try losses(data)
        #expect(try losses(path) != plain)
        let compared = try Program.run([
            "evaluate", spec, path, "--only", "losses", "--only", "rate", "--option", "against=score",
            "--json",
        ])
        #expect(try compared.json()["results"]?.arrayValue?.first == plain?.arrayValue?.first)
        let listed = try Program.run([
            "evaluate", spec, path, "--only", "losses", "--only", "rate", "--option", "against=score",
            "--set", "data.covariates=[score, x1, x2, x3, x4, x5, x6]", "--json",
        ])
        #expect(listed.status == 0, "\(listed.error)")
        #expect(try listed.json()["results"]?.arrayValue?.first != plain?.arrayValue?.first)
    }

    @Test(
        "--where keeps to rows of one value, for a fit and for what judges it, and its column is no covariate"
    )
    func conditions() throws {
        let lines = try String(contentsOfFile: data, encoding: .utf8).split(separator: "\n")
        let split = lines.enumerated().map {
            "\($1),\($0 == 0 ? "part,group" : "\($0 % 3 == 0 ? 1 : 0),\($0 % 2 == 0 ? "a" : "b")")"
        }
        let path = try folder.file("split.csv", split.joined(separator: "\n") + "\n")
        let training = try folder.file(
            "training.csv",
            ([lines[0]] + lines.indices.dropFirst().filter { $0 % 3 != 0 }.map { lines[$0] })
                .joined(separator: "\n") + "\n")
        let (model, other) = (folder.path("part.model"), folder.path("other.model"))
        let fit = try Program.run([
            "fit", spec, path, "--where", "part=0", "--set",
            "data.exclude=[id, group, true_effect, true_propensity, true_mean_0, true_mean_1]", "-o",
            model, "--json",
        ])
        #expect(fit.status == 0, "\(fit.error)")
        #expect(try fit.json()["rows"] == 200)
        let same = try Program.run([
            "fit", spec, training, "--set",
            "data.exclude=[id, true_effect, true_propensity, true_mean_0, true_mean_1]", "-o", other,
            "--json",
        ])
        #expect(try same.json()["estimates"] == fit.json()["estimates"])
        #expect(try same.json()["covariates"] == fit.json()["covariates"])
        let judged = try Program.run([
            "evaluate", model, path, "--where", "part=1", "--only", "losses", "--json",
        ])
        #expect(try judged.json()["rows"] == 100 && judged.json()["origin"] == "predicted")
        let known = try Program.run([
            "evaluate", model, path, "--where", "part=0", "--only", "losses", "--json",
        ])
        #expect(try known.json()["origin"] == "out_of_fold")
        let both = folder.path("both.csv")
        let decided = try Program.run([
            "target", model, path, "--where", "part=1", "--where", "group=a", "--keep", "id", "-o", both,
            "--json",
        ])
        #expect(decided.status == 0, "\(decided.error)")
        let ids = try folder.text("both.csv").split(separator: "\n").dropFirst().map {
            String($0.prefix { $0 != "," })
        }
        #expect(ids == (1...300).filter { $0 % 6 == 0 }.map(String.init))
        for (condition, words) in [
            ("part=7", "none of the 300 rows"), ("prt=1", "part"), ("part=x", "none"), ("part", "--where"),
        ] {
            let run = try Program.run(["evaluate", model, path, "--where", condition])
            #expect(run.status != 0 && run.error.contains(words), "\(condition): \(run.error)")
        }
    }

    @Test("Rows chosen by --where are as a file of these rows alone: levels of others are none")
    func levelsOfOtherRows() throws {
        let lines = try String(contentsOfFile: data, encoding: .utf8).split(separator: "\n")
        let split = lines.enumerated().map { row, line in
            let isTest = row % 3 == 0
            return row == 0
                ? "\(line),part,place"
                : "\(line),\(isTest ? 1 : 0),\(isTest ? "a" : row % 2 == 0 ? "b" : "c")"
        }
        let path = try folder.file("places.csv", split.joined(separator: "\n") + "\n")
        let alone = try folder.file(
            "alone.csv",
            split.indices.filter { $0 == 0 || $0 % 3 != 0 }.map { split[$0] }.joined(separator: "\n") + "\n")
        let model = folder.path("alone.model")
        let fit = try Program.run([
            "fit", spec, alone, "--set",
            "data.exclude=[id, part, true_effect, true_propensity, true_mean_0, true_mean_1]", "-o", model,
        ])
        #expect(fit.status == 0, "\(fit.error)")
        let judged = try Program.run([
            "evaluate", model, path, "--where", "part=0", "--only", "losses", "--json",
        ])
        #expect(try judged.json()["origin"] == "out_of_fold", "\(judged.error)")
        let grouped = try Program.run([
            "evaluate", spec, path, "--where", "place=b", "--by", "place", "--only", "group_effects",
            "--json",
        ])
        #expect(grouped.status == 0, "\(grouped.error)")
    }
}
