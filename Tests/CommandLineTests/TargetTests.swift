import Foundation
import MetaLearnersCore
import Testing

@Suite("Deciding whom to treat")
struct TargetTests {
    private let folder: TemporaryFolder
    private let spec: String
    private let data: String
    private let model: String

    init() throws {
        folder = try TemporaryFolder()
        data = folder.path("data.csv")
        let generate = try Program.run([
            "generate", "nie_wager", "--rows", "400", "--set", "setup=b", "-o", data,
        ])
        #expect(generate.status == 0, "\(generate.error)")
        spec = try folder.file(
            "spec.yaml",
            generate.output
                + "learner: dr\nmodels: {outcome: ridge, propensity: logistic, effect: ridge}\ncross_fitting: {folds: 3}\n"
        )
        model = folder.path("m.model")
        let fit = try Program.run(["fit", spec, data, "-o", model, "--quiet"])
        #expect(fit.status == 0, "\(fit.error)")
    }

    private func rows(_ path: String) throws -> [[String]] {
        try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").map {
            $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        }
    }

    @Test("A budget treats the rows with the largest predicted effects; identifiers come out as they went in")
    func budget() throws {
        // Identifiers of many kinds, in quotation marks where they need them.
        var lines = try String(contentsOfFile: data, encoding: .utf8).split(separator: "\n").map(String.init)
        for index in lines.indices {
            let id = ["name", "007", "\"Smith, Ann\"", "1.50", "\"say \"\"hi\"\"\"", "ä ö"][
                index == 0 ? 0 : 1 + index % 5]
            lines[index] = id + "," + lines[index]
        }
        let named = try folder.file("named.csv", lines.joined(separator: "\n") + "\n")
        let out = folder.path("out.csv")
        let run = try Program.run([
            "target", model, named, "-o", out, "--keep", "name,id", "--budget", "50", "--json",
        ])
        #expect(run.status == 0, "\(run.error)")
        let summary = try run.json()
        #expect(summary["treated"] == 50 && summary["rows"] == 400)
        let gain = try #require(summary["expected_gain"]?.objectValue)
        #expect(gain["basis"] == "training_rows")
        #expect((gain["lower"]?.doubleValue ?? 0) < (gain["estimate"]?.doubleValue ?? 0))
        let text = try String(contentsOfFile: out, encoding: .utf8)
        let written = text.split(separator: "\n").map(String.init)
        #expect(written[0] == "name,id,effect,rank,decision" && written.count == 401)
        for index in 1...5 {
            #expect(written[index].hasPrefix(lines[index].split(separator: ",\(index),")[0] + ",\(index),"))
        }
        let predicted = folder.path("p.csv")
        _ = try Program.run(["predict", model, data, "-o", predicted])
        let effects = try rows(predicted).dropFirst().compactMap { Double($0[0]) }
        let chosen = written.dropFirst().map { $0.hasSuffix(",1") }
        #expect(chosen.filter { $0 }.count == 50)
        let least = zip(effects, chosen).filter { $0.1 }.map { $0.0 }.min() ?? 0
        let most = zip(effects, chosen).filter { !$0.1 }.map { $0.0 }.max() ?? 0
        #expect(least >= most)
        // Threads change nothing.
        let again = folder.path("again.csv")
        _ = try Program.run([
            "target", model, named, "-o", again, "--keep", "name,id", "--budget", "50", "--threads", "1",
        ])
        #expect(try String(contentsOfFile: again, encoding: .utf8) == text)
    }

    @Test("With a spec, or --training, effects are out of fold and the gain is that of these very rows")
    func ofTheseRows() throws {
        let (one, two) = (folder.path("one.csv"), folder.path("two.csv"))
        let fitted = try Program.run([
            "target", spec, data, "-o", one, "--keep", "id", "--share", "0.25", "--json",
        ])
        #expect(fitted.status == 0, "\(fitted.error)")
        let known = try Program.run([
            "target", model, data, "-o", two, "--keep", "id", "--share", "0.25", "--training", "--json",
        ])
        #expect(known.status == 0, "\(known.error)")
        #expect(
            try String(contentsOfFile: one, encoding: .utf8) == String(contentsOfFile: two, encoding: .utf8))
        #expect(try fitted.json()["expected_gain"] == known.json()["expected_gain"])
        #expect(try fitted.json()["expected_gain"]?.objectValue?["basis"] == "these_rows")
        // policy_value says the same of the same policy.
        let value = try Program.run([
            "policy", model, data, "--only", "policy_value", "--option", "share=0.25", "--json",
        ])
        let gains = try #require(
            value.json()["results"]?.arrayValue?.first?.objectValue?["gains"]?.arrayValue?.first?.objectValue)
        let total = try #require(fitted.json()["expected_gain"]?.objectValue?["estimate"]?.doubleValue)
        #expect(abs((gains["estimate"]?.doubleValue ?? 0) * 400 - total) < 1e-8)
    }

    @Test(
        "Rows without overlap have no part in expected gains where they are trimmed, and are told of",
        arguments: [true, false])
    func withoutOverlap(isNew: Bool) throws {
        // Below 0 everybody has a coin thrown and gains 1; above nobody is treated.
        var lines = ["x,w,y"]
        var stream = RandomStream(seed: 9)
        for _ in 0..<600 {
            let x = 2 * stream.uniform() - 1
            let w = x < 0 ? (stream.uniform() < 0.5 ? 1 : 0) : 0
            lines.append("\(x),\(w),\(Double(w) + stream.uniform())")
        }
        let file = try folder.file("trim.csv", lines.joined(separator: "\n") + "\n")
        let trimmed = folder.path("trim.model")
        let fit = try Program.run([
            "fit", file, "--treatment", "w", "--outcome", "y", "--learner", "dr", "--set",
            "overlap.policy=trim", "--set", "overlap.bounds=[0.1, 0.9]", "--set",
            "models.outcome=ols", "--set", "models.effect=ols", "--set", "models.propensity=trees", "-o",
            trimmed, "--quiet",
        ])
        #expect(fit.status == 0, "\(fit.error)")
        let run = try Program.run(
            ["target", trimmed, file, "-o", folder.path("trim.out.csv"), "--json"]
                + (isNew ? [] : ["--training"]))
        #expect(run.status == 0, "\(run.error)")
        #expect(run.error.contains("treated rows have no overlap"), "\(run.error)")
        let summary = try run.json()
        let gain = try #require(summary["expected_gain"]?.objectValue?["estimate"]?.doubleValue)
        // Some 300 rows say anything, and each of them gains 1.
        #expect(summary["treated"]?.doubleValue ?? 0 > 500 && gain > 200 && gain < 400, "\(gain)")
    }

    @Test("Costs by column, several arms and clusters")
    func costs() throws {
        let arms = folder.path("arms.csv")
        let lines = try Program.run(["generate", "several_arms", "--rows", "300", "-o", arms])
        let spec = try folder.file(
            "arms.yaml", lines.output + "learner: t\nmodels: {outcome: ridge}\ncross_fitting: {folds: 3}\n")
        let out = folder.path("arms_out.csv")
        let run = try Program.run([
            "target", spec, arms, "-o", out, "--keep", "id", "--budget", "100", "--cost", "1=1", "--cost",
            "2=2.5", "--json",
        ])
        #expect(run.status == 0, "\(run.error)")
        let table = try rows(out)
        #expect(table[0] == ["id", "effect_1", "effect_2", "rank", "decision"])
        let cost = table.dropFirst().reduce(0.0) { $0 + ($1[4] == "1" ? 1 : $1[4] == "2" ? 2.5 : 0) }
        #expect(cost <= 100 && cost > 97)
        let summary = try run.json()
        #expect(summary["cost"]?.doubleValue == cost)
        #expect(
            (summary["optimality_bound"]?.doubleValue ?? 0) >= (summary["predicted_gain"]?.doubleValue ?? 1))

        let schools = folder.path("schools.csv")
        let clusters = try Program.run(["generate", "clustered_trial", "--rows", "400", "-o", schools])
        let clusterSpec = try folder.file(
            "schools.yaml",
            clusters.output + "learner: t\nmodels: {outcome: ridge}\ncross_fitting: {folds: 3}\n")
        let byCluster = try Program.run([
            "target", clusterSpec, schools, "-o", out, "--keep", "cluster", "--by-cluster", "--budget", "100",
        ])
        #expect(byCluster.status == 0, "\(byCluster.error)")
        var decisions: [String: Set<String>] = [:]
        for row in try rows(out).dropFirst() { decisions[row[0], default: []].insert(row[3]) }
        #expect(decisions.count == 20 && decisions.values.allSatisfy { $0.count == 1 })
    }

    @Test("True effects value what was decided, beside as many rows at random and the best choice")
    func truth() throws {
        let out = folder.path("true.csv")
        let run = try Program.run([
            "target", model, data, "-o", out, "--keep", "true_effect", "--budget", "80", "--true-effects",
            "true_effect", "--json",
        ])
        #expect(run.status == 0, "\(run.error)")
        let rows = try rows(out).dropFirst()
        let effects = rows.compactMap { Double($0[0]) }
        let achieved = rows.filter { $0[3] == "1" }.compactMap { Double($0[0]) }.reduce(0, +)
        let best = effects.filter { $0 > 0 }.sorted(by: >).prefix(80).reduce(0, +)
        let truth = try #require(run.json()["true_gain"]?.objectValue)
        for (key, known) in [
            ("achieved", achieved), ("best", best), ("random", 80 * effects.reduce(0, +) / 400),
        ] {
            #expect(abs((truth[key]?.doubleValue ?? .nan) - known) < 1e-9 * max(1, abs(known)), "\(key)")
        }
        // As many at random gain the average effect each.
        let average = try Program.run(["ate", model, data, "--json"])
        let ate = try #require(
            average.json()["estimates"]?.arrayValue?.first?.objectValue?["estimate"]?.doubleValue)
        let random = try #require(run.json()["random_gain"]?.objectValue)
        #expect(abs((random["estimate"]?.doubleValue ?? .nan) - 80 * ate) < 1e-9)
        #expect(random["basis"] == "training_rows")
        for options in [["--true-effects", "id2"], ["--true-effects", "x1", "--true-effects", "x2"]] {
            let wrong = try Program.run(["target", model, data, "-o", folder.path("no.csv")] + options)
            #expect(wrong.status != 0 && wrong.error.contains("true-effects"), "\(wrong.error)")
        }
    }

    @Test("What cannot be done is an error that says where, and leaves no file")
    func refusals() throws {
        let out = folder.path("none.csv")
        for (options, place) in [
            (["--budget", "0.5"], "budget"), (["--share", "0.0001"], "share"), (["--cost", "price"], "cost"),
            (["--cost=-2"], "--cost"), (["--cost", "true_effect"], "true_effect"),
            (["--keep", "idd"], "idd"),
            (["--by-cluster"], "--by-cluster"), (["--budget", "5", "--share", "0.2"], "--budget"),
            (["--share", "1.5"], "--share"), (["--cost", "1", "--cost", "2"], "--cost"),
        ] {
            let run = try Program.run(["target", model, data, "-o", out] + options)
            #expect(run.status != 0 && run.error.contains(place), "\(options): \(run.error)")
            #expect(!FileManager.default.fileExists(atPath: out))
        }
        let same = try Program.run(["target", model, data, "-o", data])
        #expect(same.status == 2 && same.error.contains("overwritten"))
        let other = try Program.run(["target", model, data, "-o", out, "--training", "--class", "a"])
        #expect(other.status != 0)
    }

    @Test("Where nobody gains enough, nobody is treated")
    func nobody() throws {
        let out = folder.path("nobody.csv")
        let run = try Program.run(["target", model, data, "-o", out, "--threshold", "1000"])
        #expect(run.status == 0 && run.output.contains("Nobody"))
        #expect(try rows(out).dropFirst().allSatisfy { $0.last == "0" })
    }
}

@Suite("Drawing data and comparing learners")
struct GenerateAndCompareTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    @Test("generate lists its laws, writes the truth, and says how to fit")
    func generate() throws {
        let list = try Program.run(["generate", "--list"])
        #expect(
            list.status == 0 && list.output.contains("nie_wager") && list.output.contains("scaled_programme"))
        let laws = try Program.run(["generate", "--list", "--json"])
        let names = try SpecValue(json: Array(laws.output.utf8), source: "output").arrayValue?.compactMap {
            $0.objectValue?["name"]?.stringValue
        }
        #expect(names?.count == 9)
        let (one, two) = (folder.path("one.csv"), folder.path("two.csv"))
        let run = try Program.run([
            "generate", "kunzel", "--rows", "20000", "--seed", "4", "-o", one, "--json", "--threads", "1",
        ])
        #expect(run.status == 0, "\(run.error)")
        let summary = try run.json()
        #expect(
            summary["rows"] == 20000 && summary["constants"]?.objectValue?["beta"]?.arrayValue?.count == 20)
        _ = try Program.run([
            "generate", "kunzel", "--rows", "20000", "--seed", "4", "-o", two, "--threads", "3",
        ])
        #expect(
            try Data(contentsOf: URL(fileURLWithPath: one)) == Data(contentsOf: URL(fileURLWithPath: two)))
        let stream = try Program.run(["generate", "count_outcome", "--rows", "3", "-o", "-"])
        let header = "id,x1,x2,x3,x4,x5,treatment,outcome,true_effect,true_propensity,true_mean_0,true_mean_1"
        #expect(stream.output.hasPrefix(header + "\n1,") && stream.output.split(separator: "\n").count == 4)
        for arguments in [["nie_wagner", "-o", two], ["kunzel", "-o", two, "--set", "setup=9"], ["kunzel"]] {
            let refused = try Program.run(["generate"] + arguments)
            #expect(refused.status == 2, "\(refused.error)")
        }
    }

    @Test("The true effects are read by the analyses that want them, and compare sets learners side by side")
    func compare() throws {
        let data = folder.path("data.csv")
        let lines = try Program.run([
            "generate", "nie_wager", "--rows", "300", "--set", "setup=b", "-o", data,
        ])
        let spec = try folder.file(
            "spec.yaml",
            lines.output
                + "models: {outcome: ridge, propensity: logistic, effect: ridge}\ncross_fitting: {folds: 2}\n"
        )
        let tables = folder.path("tables")
        let run = try Program.run([
            "compare", spec, data, "--learners", "s, t,dr", "--backends", "ridge", "--json", "--csv", tables,
        ])
        #expect(run.status == 0, "\(run.error)")
        let result = try #require(try run.json()["results"]?.arrayValue?.first?.objectValue)
        #expect(result["learners"]?.arrayValue?.count == 3 && result["complete"] == true)
        #expect(FileManager.default.fileExists(atPath: tables + "/compare_agreement.csv"))
        let text = try Program.run(["compare", spec, data, "--learners", "t,x"])
        #expect(text.status == 0 && text.output.contains("Correlation of the effects"))
        // A plain evaluate does not fit everything anew.
        let evaluate = try Program.run(["analyses", "compare"])
        #expect(evaluate.output.contains("(metalearners compare)"))
        let curve = try Program.run([
            "policy", spec, data, "--learner", "t", "--true-effects", "true_effect", "--only", "budget_curve",
            "--json",
        ])
        #expect(curve.status == 0, "\(curve.error)")
        let points = try #require(
            curve.json()["results"]?.arrayValue?.first?.objectValue?["curve"]?.arrayValue)
        #expect(points.allSatisfy { ($0.objectValue?["true_regret"]?.doubleValue ?? -1) >= -1e-12 })
    }
}
