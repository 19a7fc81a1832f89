import Foundation
import MetaLearnersCore
import Testing

@Suite("metalearners export")
struct ExportCommandTests {
    private let folder: TemporaryFolder
    private let model: String

    init() throws {
        folder = try TemporaryFolder()
        model = folder.path("m.model")
        let spec = try folder.file("spec.yaml", Sample.spec)
        let data = try folder.file("data.csv", Sample.csv(rows: 120))
        #expect(try Program.run(["fit", spec, data, "-o", model, "--quiet"]).status == 0)
    }

    private func export(_ arguments: String...) throws -> Program.Outcome {
        try Program.run(["export", model] + arguments)
    }

    @Test("each language goes to a file, with what was asked for")
    func languages() throws {
        let c = try export("--c", "--name", "gain", "-o", folder.path("gain.c"))
        #expect(c.status == 0 && c.output == "" && c.error.contains("C source written to"))
        #expect(try folder.text("gain.c").contains("double gain(const double *x);"))
        let sql = try export("--sql", "--dialect", "postgres", "--table", "s.people", "-o", "-")
        #expect(sql.status == 0 && sql.error == "")
        #expect(sql.output.contains("FROM \"s\".\"people\" AS mtlr_rows"))
        let expression = try export("--sql", "-o", "-")
        #expect(expression.output.hasSuffix("AS \"cate\"\n"))
        let json = try export("--json", "--what", "effects", "--what", "arm-means", "-o", "-").json()
        #expect(json["names"] == ["cate", "mean_0", "mean_1"])
        for categories in ["strings", "codes"] {
            let path = folder.path("\(categories).onnx")
            #expect(try export("--onnx", "--categories", categories, "-o", path, "--quiet").error == "")
            #expect(FileManager.default.contents(atPath: path)?.first == 8)
        }
    }

    @Test("wrong usage is refused, and writes nothing")
    func refusals() throws {
        let before = try folder.names()
        let path = folder.path("out")
        for (arguments, word) in [
            (["-o", path], "--onnx"), (["--c", "--sql", "-o", path], "--sql"), (["--c"], "--output"),
            (["--c", "--table", "t", "-o", path], "--table is for --sql"),
            (["--sql", "--name", "f", "-o", path], "--name is for --c"),
            (["--c", "--categories", "codes", "-o", path], "--categories is for --onnx"),
            (["--onnx", "--dialect", "duckdb", "-o", path], "--dialect is for --sql"),
            (["--sql", "--dialect", "oracle", "-o", path], "oracle"),
            (["--c", "--name", "two words", "-o", path], "name"),
            (["--sql", "--table", "a..b", "-o", path], "table"),
            (["--c", "--what", "intervals", "-o", path], "no formula"),
            (["--c", "--arm", "9", "-o", path], "no arm '9'"),
            (["--c", "--what", "effects", "--what", "effects", "-o", path], "twice"),
            (["--c", "-o", model], "is the model"),
        ] {
            let run = try Program.run(["export", model] + arguments)
            #expect(
                run.status == 2 && run.output == "" && run.error.contains(word), "\(arguments): \(run.error)")
        }
        #expect(try folder.names() == before)
        let missing = try Program.run(["export", folder.path("none"), "--c", "-o", path])
        #expect(missing.status == 4)
    }
}
