import MetaLearners
import MetaLearnersCore
import MetaLearnersKit
import Testing

@testable import metalearners_cli

@Suite("CSV files that are read batch by batch")
struct StreamTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private static let spec = """
        data: {treatment: w, outcome: y, missing_values: [-9, unknown], exclude: [name], missing_outcome: drop}
        learner: dr
        models:
          outcome: {backend: trees, trees: 5}
          propensity: {backend: trees, trees: 5}
          effect: {backend: trees, trees: 5}
        cross_fitting: {folds: 2}
        """

    /// Columns of every kind: numbers, texts that begin as numbers, levels that come late, quoted fields with line ends, missing values of
    /// several spellings, arms whose labels are numbers in several spellings.
    private static func csv(rows: Int = 400) -> String {
        var stream = RandomStream(seed: 11)
        var text = "x,code,region,note,name,w,y\n"
        for row in 0..<rows {
            let x = stream.uniform()
            let arm = stream.integer(below: 2)
            let code = row < 50 ? "\(row % 7)" : ["A", "B", "7", "NA", "unknown"][stream.integer(below: 5)]
            let region = row > 300 ? "far" : ["north", "south", ""][stream.integer(below: 3)]
            let note = ["\"two\nlines\"", "\"a, b\"", "plain"][stream.integer(below: 3)]
            let number = row % 11 == 0 ? "-9" : row % 13 == 0 ? "NA" : "\(x)"
            let outcome = row % 17 == 0 ? "" : "\(x + Double(arm) * (1 + x) + stream.uniform())"
            text +=
                "\(number),\(code),\(region),\(note),person \(row),\(arm == 1 ? (row % 2 == 0 ? "1" : "1.0") : "0"),\(outcome)\n"
        }
        return text
    }

    @Test("Batches of any size give the model of the file as a whole", arguments: [1, 7, 256, 65_536])
    func sameModel(batchRows: Int) throws {
        let spec = try SpecLoader.load(folder.file("spec.yaml", Self.spec))
        let data = try folder.file("data.csv", Self.csv())
        let fitter = try MetaLearnerFitter(MetaLearnerSpec(spec), registry: .default)
        let rules = ColumnRules(fitter.spec.data)
        let table = try CSVReader(rules).read(data)
        #expect(table.column(named: "code")?.levels != nil && table.column(named: "x")?.levels == nil)
        let whole = try fitter.fit(CausalDataset(table, fitter.spec.data))
        let source = try CSVReader(rules).stream(data, batchRows: batchRows)
        let streamed = try fitter.fit(CausalDataset(source, fitter.spec.data, maxBins: 255))
        #expect(streamed.encoded() == whole.encoded())
        #expect(streamed.warnings == whole.warnings)
    }

    @Test("fit --stream saves the file that fit saves, also of compressed data")
    func program() throws {
        let spec = try folder.file("spec.yaml", Self.spec)
        let data = try folder.file("data.csv", Self.csv())
        let whole = try Program.run(["fit", spec, data, "-o", folder.path("whole")])
        #expect(whole.status == 0, "\(whole.error)")
        #expect(try Program.shell("gzip -k \(data)").status == 0)
        for path in [data, data + ".gz"] {
            let streamed = try Program.run(["fit", spec, path, "-o", folder.path("streamed"), "--stream"])
            #expect(streamed.status == 0, "\(streamed.error)")
            #expect(try Program.shell("cmp \(folder.path("whole")) \(folder.path("streamed"))").status == 0)
        }
    }

    @Test("What needs the rows in memory is refused, and so is what is no number among numbers")
    func refusals() throws {
        let spec = try folder.file("spec.yaml", Self.spec)
        let data = try folder.file("data.csv", Self.csv())
        let model = folder.path("model")
        for (arguments, says) in [
            (["--cates", folder.path("c.csv")], "--cates"), (["--where", "region=north"], "--where"),
            (["--learner", "auto"], "auto"), (["--set", "models.outcome=ridge"], "these can: trees"),
        ] {
            let run = try Program.run(["fit", spec, data, "-o", model, "--stream"] + arguments)
            #expect(run.status != 0 && run.error.contains(says), "\(run.error)")
        }
        let piped = try Program.run(["fit", spec, "-", "-o", model, "--stream"], input: "w,y\n")
        #expect(piped.status != 0 && piped.error.contains("several readings"), "\(piped.error)")
        let mistaken = try folder.file(
            "mistaken.csv", "x,w,y\n" + String(repeating: "1,0,2\n3,1,4\n", count: 40) + "oops,1,3\n")
        let run = try Program.run([
            "fit", mistaken, "--treatment", "w", "--outcome", "y", "-o", model, "--stream",
        ])
        #expect(
            run.status != 0 && run.error.contains("line 82") && run.error.contains("'oops'"), "\(run.error)")
        #expect(try folder.names().contains("model") == false)
    }

    @Test("A file that changes while it is read is an error")
    func changing() throws {
        let spec = try SpecLoader.load(folder.file("spec.yaml", Self.spec))
        let data = try folder.file("data.csv", Self.csv())
        let fitter = try MetaLearnerFitter(MetaLearnerSpec(spec), registry: .default)
        let source = try CSVReader(ColumnRules(fitter.spec.data)).stream(data, batchRows: 50)
        _ = try folder.file("data.csv", Self.csv().replacing("x,code", with: "z,code"))
        let error = #expect(throws: MetaLearnersError.self) { try CausalDataset(source, fitter.spec.data) }
        #expect(error?.kind == .invalidData && error?.problem.contains("changed") == true)
    }

    @Test(
        "predict --stream writes the file that predict writes, in pieces of any size, with the same warnings")
    func predictions() throws {
        let spec = try folder.file("spec.yaml", Self.spec)
        let data = try folder.file("data.csv", Self.csv())
        let model = folder.path("model")
        #expect(try Program.run(["fit", spec, data, "-o", model]).status == 0)
        // Levels that training did not have, from some row on.
        let other = try folder.file("new.csv", Self.csv(rows: 900).replacing("far", with: "moon"))
        #expect(try Program.shell("gzip -k \(other)").status == 0)
        for (what, file) in [
            ("effects", data), ("effects", other), ("effects", other + ".gz"), ("arm_means", other),
            ("propensities", other), ("stability", other),
        ] {
            let whole = try Program.run(["predict", model, file, "-o", folder.path("whole"), "--what", what])
            let streamed = try Program.run([
                "predict", model, file, "-o", folder.path("streamed"), "--what", what, "--stream",
            ])
            #expect(whole.status == 0 && streamed.status == 0, "\(whole.error) \(streamed.error)")
            #expect(try folder.text("whole") == folder.text("streamed"), "\(what) \(file)")
            #expect(
                whole.error.replacing("whole", with: "streamed") == streamed.error,
                "\(whole.error) \(streamed.error)")
            #expect(streamed.error.contains("warning") == (file != data))
        }
        let fitted = try CATEModel(contentsOf: model, registry: .default)
        let rules = ColumnRules(fitted.schema, fitted.spec.data)
        let request = PredictionRequest()
        let all = try fitted.predict(request, for: .new(CSVReader(rules).read(other)))
        for batchRows in [1, 7, 256] {
            var pieces = PredictedPieces(fitted, request)
            let source = try CSVReader(rules).stream(other, batchRows: batchRows)
            try source.restart()
            var effects: [Double] = []
            while let rows = try source.next() { effects += try pieces.predict(rows, ExecutionOptions())[0] }
            #expect(effects == all.columns[0] && pieces.rowCount == 900)
            #expect(pieces.warnings == all.warnings && pieces.meaning == all.meaning)
        }
    }

    @Test("predict --stream of a header alone gives a header, and refuses what needs the rows in memory")
    func predictionRefusals() throws {
        let spec = try folder.file("spec.yaml", Self.spec)
        let data = try folder.file("data.csv", Self.csv())
        let model = folder.path("model")
        let output = folder.path("out.csv")
        #expect(try Program.run(["fit", spec, data, "-o", model]).status == 0)
        let header = try folder.file("header.csv", "x,code,region,note\n")
        let empty = try Program.run(["predict", model, header, "-o", output, "--stream"])
        #expect(empty.status == 0, "\(empty.error)")
        #expect(try folder.text("out.csv") == "cate\n")
        let lacking = try folder.file("lacking.csv", "x,code,note\n")
        for (file, arguments, says) in [
            (data, ["--training"], "--training"), (data, ["--where", "region=north"], "--where"),
            (lacking, [], "'region'"), ("-", [], "several readings"),
        ] {
            let run = try Program.run(
                ["predict", model, file, "-o", output, "--stream"] + arguments, input: "x,code,region,note\n")
            #expect(run.status != 0 && run.error.contains(says), "\(run.error)")
        }
        // Nothing is left of a file that turns out to be none.
        let broken = try folder.file("broken.csv", Self.csv() + "1,2\n")
        let run = try Program.run(["predict", model, broken, "-o", folder.path("none"), "--stream"])
        #expect(run.status != 0 && run.error.contains("the row has 2 fields"), "\(run.error)")
        #expect(try folder.names().contains("none") == false)
    }
}
