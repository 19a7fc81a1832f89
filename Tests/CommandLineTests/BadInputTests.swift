import Foundation
import MetaLearnersCore
import Testing

@Suite("Bad input")
struct BadInputTests {
    private let folder: TemporaryFolder
    private let spec: String
    private let data: String

    init() throws {
        folder = try TemporaryFolder()
        spec = try folder.file("spec.yaml", Sample.spec)
        data = try folder.file("data.csv", Sample.csv(rows: 60))
    }

    /// Checks that a run ends with `status` and one line of error that contains `words`, and nothing else.
    private func expectFailure(
        _ status: Int32, _ arguments: [String], _ words: String...,
        at location: SourceLocation = #_sourceLocation
    ) throws {
        let before = try folder.names()
        let run = try Program.run(arguments)
        #expect(run.status == status, "\(run.error)", sourceLocation: location)
        #expect(run.output == "", sourceLocation: location)
        #expect(run.error.hasPrefix("metalearners: ") && run.error.hasSuffix("\n"), sourceLocation: location)
        #expect(run.error.filter { $0 == "\n" }.count == 1, "\(run.error)", sourceLocation: location)
        for word in words { #expect(run.error.contains(word), "\(run.error)", sourceLocation: location) }
        #expect(try folder.names() == before, "no file is left behind", sourceLocation: location)
    }

    private func fit(_ extra: String...) -> [String] {
        ["fit", spec, data, "-o", folder.path("m.model")] + extra
    }

    private func fit(data text: String, _ extra: String...) throws -> [String] {
        ["fit", spec, try folder.file("bad.csv", text), "-o", folder.path("m.model")] + extra
    }

    @Test("wrong usage ends with 2")
    func wrongUsage() throws {
        try expectFailure(2, ["fit"], "Missing expected argument '<spec>'", "metalearners fit --help")
        try expectFailure(2, ["fit", spec, data], "--output")
        try expectFailure(2, ["nonsense"], "nonsense")
        try expectFailure(2, fit("--thread", "2"), "--thread")
        try expectFailure(2, fit("--threads", "0"), "--threads")
        try expectFailure(2, fit("--seed", "-1"), "seed")
        try expectFailure(2, fit("--seed=-1"), "--seed")
        try expectFailure(2, ["ate", spec, data, "--estimand", "atx"], "atx")
        try expectFailure(2, ["ate", "-", "-"], "standard input")
        for level in ["0", "1", "95", "-0.5", "nan"] {
            try expectFailure(2, ["ate", spec, data, "--level=\(level)"], "--level", "0 < x < 1")
        }
        try expectFailure(2, ["fit", "-", "-", "-o", folder.path("m")], "standard input")
        try expectFailure(2, ["fit", spec, data, "-o", "-"], "standard output")
        try expectFailure(2, ["ate", data], "--treatment", "--outcome COLUMN, or a spec")
        try expectFailure(2, ["ate", data, "--treatment", "w"], "--outcome")
        try expectFailure(
            2, ["ate", data, "--treatment", "w", "--outcome", "y", "--learner", "q"], "learner")
        try expectFailure(2, ["ate", spec, data, "--delimiter", "a"], "--delimiter", "'a'")
        try expectFailure(2, ["ate", spec, data, "--decimal", "x"], "--decimal", "'x'")
    }

    @Test("swapped files are recognised, and what is missing is said")
    func swappedFiles() throws {
        let model = folder.path("m.model")
        #expect(try Program.run(fit()).status == 0)
        let target = folder.path("p.csv")
        try expectFailure(
            2, ["fit", data, spec, "-o", target], "swapped", "metalearners fit \(spec) \(data)")
        try expectFailure(2, ["ate", data, spec], "swapped", "metalearners ate \(spec) \(data)")
        try expectFailure(2, ["ate", data, model], "swapped", "metalearners ate \(model) \(data)")
        try expectFailure(
            2, ["predict", data, model, "-o", target], "swapped", "metalearners predict \(model) \(data)")
        try expectFailure(2, ["fit", spec, "-o", target], "the data file is missing")
        try expectFailure(2, ["ate", model], "the data file is missing")
        try expectFailure(2, ["fit", model, data, "-o", target], "is a fitted model, not a spec")
        try expectFailure(2, ["ate", data, data], "is a data file by its name", "--treatment")
        try expectFailure(3, ["ate", spec, model], "is a model file, not a table")
    }

    @Test("files that are no text are told by what they are")
    func otherFormats() throws {
        let kinds: [([UInt8], String)] = [
            ([0x50, 0x4B, 3, 4, 0, 0], "Excel"), (Array("PAR1xxxx".utf8), "Parquet"),
            ([0x28, 0xB5, 0x2F, 0xFD, 0], "zstd -d"), (Array("BZh91AY".utf8), "bzip2 -d"),
        ]
        for (bytes, words) in kinds {
            let path = folder.path("other.csv")
            try Data(bytes).write(to: URL(fileURLWithPath: path))
            try expectFailure(3, ["ate", spec, path], words, "other.csv")
        }
    }

    @Test("names of other programs give ours, and choices go in any case")
    func foreignNames() throws {
        try expectFailure(2, fit("--set", "models.outcome=xgb"), "did you mean 'xgboost'?")
        try expectFailure(
            2, fit("--set", "models.outcome={backend: trees, n_estimators: 5}"), "did you mean 'trees'?")
        try expectFailure(2, fit("--set", "models.outcome={backend: trees, eta: 0.1}"), "'learning_rate'")
        for estimand in ["ATE", "ate", "Att"] {
            #expect(try Program.run(["ate", spec, data, "--estimand", estimand]).status == 0)
        }
        let model = folder.path("m.model")
        #expect(try Program.run(fit("--learner", "DR")).status == 0)
        #expect(try Program.run(["predict", model, data, "-o", "-", "--what", "Arm-Means"]).status == 0)
    }

    @Test("a wrong spec ends with 2 and names the key, the nearest known one, or the list")
    func wrongSpecs() throws {
        try expectFailure(2, fit("--set", "lerner=dr"), "lerner", "did you mean 'learner'?")
        try expectFailure(2, fit("--set", "learner=q"), "learner", "unknown learner 'q'")
        try expectFailure(
            2, fit("--set", "models.effect=ridg"), "models.effect", "did you mean 'ridge'?", "logistic")
        try expectFailure(2, fit("--set", "models.effect.l3=1"), "models.effect.l3", "'l2'")
        try expectFailure(2, fit("--set", "models.effect.l2=-1"), "models.effect.l2")
        try expectFailure(2, fit("--set", "models.outcome=logistic"), "models.outcome", "these can")
        try expectFailure(2, fit("--set", "overlap.bounds=[0.9,0.1]"), "overlap.bounds")
        try expectFailure(2, fit("--set", "data.treatment="), "data.treatment", "is required")
        try expectFailure(2, fit("--set", "version=2"), "version")
        try expectFailure(2, ["spec", "--learner", "drr"], "learner", "'dr'")
        try expectFailure(2, ["fit", folder.path("none.yaml"), data, "-o", folder.path("m")], "no such file")
        let broken = try folder.file("broken.yaml", "data: {treatment: w\nlearner: dr\n")
        try expectFailure(2, ["fit", broken, data, "-o", folder.path("m")], "line ", "not valid YAML")
        let named = try folder.file("spec.txt", Sample.spec)
        try expectFailure(2, ["ate", named, data], "extension")
    }

    @Test("bad data ends with 3 and names the column, the row or the line")
    func badData() throws {
        try expectFailure(3, ["fit", spec, folder.path("none.csv"), "-o", folder.path("m")], "no such file")
        try expectFailure(3, fit("--set", "data.outcome=yy"), "data.outcome", "did you mean 'y'?")
        try expectFailure(3, fit("--set", "data.control=7"), "data.control", "'7'")
        let bad: [(String, [String])] = [
            ("", ["is empty"]), ("x,w,y\n", ["no rows"]), ("x,w,y\n1,0,2\n1,0\n", ["line 3", "2 fields"]),
            ("x,w,y\n1,0,2\n1,\"0,1\n", ["line 3", "quoted"]), ("x,w,w\n1,0,2\n", ["line 1", "'w'"]),
            ("x,w,y\n1,1,2\n2,1,3\n", ["one arm only"]),
            ("x,w,y\n1,0,2\n2,1,3\n3,1,1\n4,1,5\n5,1,3\n", ["arm"]),
            ("x,w,y\n1,0,2\n2,,3\n3,1,1\n", ["treatment", "line 3"]),
            ("x,w,y\n1,0,2\n2,1,\n3,1,inf\n", ["2 of 3", "line 3", "data.missing_outcome: drop"]),
            ("x,w,y\n1,0,2\ninf,1,2\n3,1,4\n", ["column 'x'", "line 3", "infinite"]),
        ]
        for (text, words) in bad {
            let arguments = try fit(data: text)
            try expectFailure(3, arguments, words[0])
            let error = try Program.run(arguments).error
            for word in words { #expect(error.contains(word), "\(error)") }
        }
    }

    @Test("classes as outcomes end with 2 where the learner has no effects for them, naming those that have")
    func classesNeedOutcomeModels() throws {
        let rows = (0..<30).map { "\($0),\($0 % 2),\(["a", "b", "c"][$0 % 3])\n" }
        let arguments = try fit(data: "x,w,y\n" + rows.joined())
        try expectFailure(2, arguments, "3 classes")
        #expect(try Program.run(arguments).error.contains("these have: s, t"))
    }

    @Test("a column missing at predict, and a damaged or missing model, are told apart")
    func badModels() throws {
        let model = folder.path("m.model")
        #expect(try Program.run(fit()).status == 0)
        let lacking = try folder.file("lacking.csv", "x,grup\n1,a\n")
        try expectFailure(
            3, ["predict", model, lacking, "-o", folder.path("p.csv")], "column 'group'", "'grup'")
        try expectFailure(3, ["ate", model, lacking], "'y'")
        try expectFailure(2, ["ate", model, data, "--set", "seed=2"], "--set")
        try expectFailure(4, ["predict", folder.path("none"), data, "-o", folder.path("p.csv")], "none")
        try expectFailure(4, ["predict", data, data, "-o", folder.path("p.csv")], "not a model file")
        let bytes = try Data(contentsOf: URL(fileURLWithPath: model))
        let cut = folder.path("cut.model")
        try bytes.prefix(bytes.count / 2).write(to: URL(fileURLWithPath: cut))
        try expectFailure(4, ["predict", cut, data, "-o", folder.path("p.csv")], "cut")
        try expectFailure(4, ["ate", cut, data], "cut")
    }

    @Test("what cannot be written ends with 4, before any work is done")
    func unwritableOutputs() throws {
        try expectFailure(4, ["fit", spec, data, "-o", folder.path("none/m.model")], "cannot be written")
        try expectFailure(4, fit("--cates", folder.path("none/c.csv")), "cannot be written")
        try expectFailure(4, ["fit", spec, data, "-o", "/"], "directory")
    }
}
