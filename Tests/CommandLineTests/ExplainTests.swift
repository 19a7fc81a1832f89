import Foundation
import MetaLearnersCore
import Testing

@testable import metalearners_cli

@Suite("Explanations on the command line")
struct ExplainTests {
    private let folder: TemporaryFolder
    private let data: String
    private let model: String

    init() throws {
        folder = try TemporaryFolder()
        data = try folder.file("data.csv", Sample.csv(arms: ["none", "low", "high"]))
        model = folder.path("m.model")
        let fit = try Program.run([
            "fit", data, "--treatment", "w", "--outcome", "y", "--control", "none", "--learner", "dr",
            "--set",
            "models={outcome: ridge, propensity: logistic, effect: ridge}", "-o", model, "--quiet",
        ])
        #expect(fit.status == 0, "\(fit.error)")
    }

    private func table(_ path: String) throws -> [String: [Double]] {
        let table = try CSVReader().read(path)
        return Dictionary(uniqueKeysWithValues: table.columns.map { ($0.name, $0.values.doubles()) })
    }

    @Test("The values of every row add up to what predict writes, and the table has every covariate")
    func file() throws {
        let (out, predicted) = (folder.path("e.csv"), folder.path("p.csv"))
        let run = try Program.run(["explain", model, data, "-o", out])
        #expect(run.status == 0, "\(run.error)")
        #expect(
            run.output.contains("exact interventional values") && run.output.contains("100 background rows"))
        #expect(run.output.contains("group") && run.error.contains("explanations of 240 rows written to"))
        #expect(try Program.run(["predict", model, data, "-o", predicted]).status == 0)
        let (found, effects) = (try table(out), try table(predicted))
        #expect(found.count == 2 * 4)
        for arm in ["low", "high"] {
            let name = "cate_" + arm
            let own = try #require(effects[name])
            #expect(found[name] == own)
            for row in own.indices {
                let sum = ["_base", "_shap_x", "_shap_group"].reduce(0.0) {
                    $0 + (found[name + $1]?[row] ?? .nan)
                }
                #expect(abs(sum - own[row]) < 1e-9)
            }
        }
    }

    @Test("Standard output takes the table, JSON or the values of every row")
    func output() throws {
        let plain = try Program.run(["explain", model, data])
        #expect(plain.status == 0 && plain.output.contains("mean |SHAP|, cate_high") && plain.error.isEmpty)
        let quiet = try Program.run(["explain", model, data, "--quiet"])
        #expect(quiet.output == plain.output)
        let json = try Program.run(["explain", model, data, "--json", "--rows", "20", "--arm", "high"])
        let answer = try json.json()
        #expect(answer["rows"] == 20 && answer["exact"] == true && answer["method"] == "interventional")
        let effects = try #require(answer["effects"]?.arrayValue)
        #expect(effects.count == 1 && effects[0].objectValue?["effect"] == "cate_high")
        #expect(effects[0].objectValue?["covariates"]?.arrayValue?.count == 2)
        let piped = try Program.run(["explain", model, "-", "-o", "-"], input: Sample.csv(rows: 30))
        #expect(piped.status == 0 && piped.output.split(separator: "\n").count == 31, "\(piped.error)")
    }

    @Test("Estimated values come with their errors, and depend on the seed and not on the threads")
    func sampled() throws {
        func run(_ options: [String]) throws -> String {
            let run = try Program.run(
                [
                    "explain", model, data, "-o", "-", "--method", "permutation", "--background-rows", "8",
                    "--rows", "12",
                ]
                    + options)
            #expect(run.status == 0, "\(run.error)")
            return run.output
        }
        let first = try run(["--threads", "1"])
        #expect(
            first.hasPrefix(
                "row,cate_high,cate_high_base,cate_high_shap_x,cate_high_shap_group,cate_high_error_x,cate_high_error_group,"
            ))
        #expect(first == (try run(["--threads", "3"])))
        #expect(first != (try run(["--seed", "5"])))
        let table = try Program.run([
            "explain", model, data, "--method", "Permutation", "--permutations", "3", "--background-rows",
            "8", "--rows", "5",
        ])
        #expect(table.output.contains("std. error of a value") && table.output.contains("3 orders"))
    }

    @Test("A background of its own moves the base value; a file with a header alone is explained with one")
    func background() throws {
        let other = try folder.file("other.csv", Sample.csv(rows: 50, seed: 9))
        let base = try Program.run(["explain", model, data, "--json", "--background", other]).json()
        let own = try Program.run(["explain", model, data, "--json"]).json()
        let values = [base, own].map {
            $0["effects"]?.arrayValue?.first?.objectValue?["base_value"]?.doubleValue
        }
        #expect(values[0] != nil && values[0] != values[1])
        #expect(base["background_rows"] == 50 && own["background_rows"] == 100)
        let empty = try folder.file("empty.csv", "x,group\n")
        let run = try Program.run(["explain", model, empty, "--background", other, "-o", "-"])
        #expect(run.status == 0 && run.output.split(separator: "\n").count == 1, "\(run.error)")
    }

    @Test("What cannot be is refused, and no file is left behind")
    func refusals() throws {
        let out = folder.path("none.csv")
        for (options, status, text) in [
            (["--rows", "0"], 2, "--rows"), (["--background-rows", "0"], 2, "--background-rows"),
            (["--permutations", "0"], 2, "--permutations"), (["--method", "exact"], 2, "exact"),
            (["--json", "-o", "-"], 2, "standard output"), (["--arm", "nobody"], 2, "nobody"),
            (["--method", "path_dependent", "-o", out, "--scale", "ratio"], 2, "ratio"),
            (["--background", folder.path("missing.csv")], 3, "missing.csv"),
            (["-o", data], 2, "the data file"),
        ] {
            let run = try Program.run(["explain", model, data] + options)
            #expect(run.status != 0 && run.error.contains(text), "\(options): \(run.status) \(run.error)")
            #expect(run.status == Int32(status), "\(options): \(run.status) \(run.error)")
        }
        #expect(!FileManager.default.fileExists(atPath: out))
        let swapped = try Program.run(["explain", data, model])
        #expect(swapped.status == 2 && swapped.error.contains("swapped"))
    }
}
