import CausalAnalysis
import Reporting
import Foundation
import MetaLearners
import MetaLearnersCore
import MetaLearnersKit
import Testing

import metalearners_cli

@Suite("The program, end to end")
struct EndToEndTests {
    private let folder: TemporaryFolder
    private let spec: String
    private let data: String

    init() throws {
        folder = try TemporaryFolder()
        spec = try folder.file("spec.yaml", Sample.spec)
        data = try folder.file("data.csv", Sample.csv())
    }

    @Test("ate of a model knows the training rows where a column has categories, in whatever order they come")
    func trainingRowsWithCategories() throws {
        var stream = RandomStream(seed: 6)
        let areas = ["north", "east", "south", "a", "zone 9"]
        var csv = "area,x,w,y\n"
        for row in 0..<160 {
            let area = row < 3 ? 4 - row : Int(stream.uniform() * 5)
            let arm = stream.uniform() < 0.5 ? 0 : 1
            let x = stream.uniform()
            csv += "\(areas[area]),\(x),\(arm),\(x + Double(arm * (1 + area)) + stream.uniform())\n"
        }
        let data = try folder.file("areas.csv", csv)
        let spec = try folder.file(
            "areas.yaml",
            "data: {treatment: w, outcome: y}\nlearner: t\nmodels: {outcome: ols}\ncross_fitting: {folds: 3}\n"
        )
        let model = folder.path("areas.model")
        let fit = try Program.run(["fit", spec, data, "-o", model, "--json"])
        #expect(fit.status == 0, "\(fit.error)")
        let ate = try Program.run(["ate", model, data, "--json"])
        #expect(ate.status == 0, "\(ate.error)")
        #expect(try ate.json()["estimates"] == fit.json()["estimates"])
    }

    @Test("fit, predict and ate do their work, and agree")
    func commandsAgree() throws {
        let model = folder.path("m.model")
        let cates = folder.path("cates.csv")
        let fit = try Program.run(["fit", spec, data, "-o", model, "--cates", cates, "--json"])
        #expect(fit.status == 0, "\(fit.error)")
        let report = try fit.json()
        #expect(report["learner"] == "dr")
        #expect(report["rows"] == 240)
        #expect(report["arms"]?.arrayValue?.count == 2)
        #expect(report["seconds"]?.objectValue?.keys.sorted() == ["fit", "predict", "read"])
        #expect((report["peak_memory_bytes"]?.integerValue ?? 0) > 1_000_000)
        let estimate = try #require(report["estimates"]?.arrayValue?.first?.objectValue)
        #expect(
            Set(estimate.keys) == [
                "arm", "control", "estimand", "estimate", "std_error", "lower", "upper", "level",
                "p_value",
            ])
        let lower = try #require(estimate["lower"]?.doubleValue)
        let upper = try #require(estimate["upper"]?.doubleValue)
        #expect(lower > 1.5 && upper < 2.5 && lower < upper)

        for source in [model, spec] {
            let ate = try Program.run(["ate", source, data, "--json"])
            #expect(ate.status == 0, "\(ate.error)")
            #expect(try ate.json()["estimates"] == report["estimates"])
            let table = try Program.run(["ate", source, data])
            let value = try #require(estimate["estimate"]?.doubleValue)
            #expect(table.output.contains(NumberText.fixed(value, decimals: 3)))
        }
        let att = try Program.run(["ate", model, data, "--estimand", "att", "--json"])
        #expect(try att.json()["estimates"]?.arrayValue?.first?.objectValue?["estimand"] == "att")
        #expect(estimate["level"] == 0.95)
        let wider = try Program.run(["ate", model, data, "--level", "0.999", "--json"])
        let wide = try #require(try wider.json()["estimates"]?.arrayValue?.first?.objectValue)
        #expect(wide["level"] == 0.999 && wide["estimate"] == estimate["estimate"])
        #expect(try #require(wide["lower"]?.doubleValue) < lower)
        let table = try Program.run(["ate", model, data, "--level", "0.999"])
        #expect(table.output.contains("99.9 % interval"), "\(table.output)")

        let effects = try CSVReader().read(cates)
        #expect(effects.columns.map(\.name) == ["cate"])
        #expect(try effects.columns[0].values.doubles() == CATEModel(contentsOf: model).trainingEffects[0])

        let predicted = folder.path("p.csv")
        let predict = try Program.run(["predict", model, data, "-o", predicted])
        #expect(predict.status == 0)
        #expect(predict.output == "")
        #expect(try CSVReader().read(predicted).rowCount == 240)
        let piped = try Program.run(["predict", model, "-", "-o", "-", "--quiet"], input: Sample.csv())
        #expect(piped.error == "")
        #expect(try piped.output == folder.text("p.csv"))
        #expect(try folder.names() == ["cates.csv", "data.csv", "m.model", "p.csv", "spec.yaml"])
    }

    @Test("quiet means quiet: of a fit nothing is printed, of other commands what was asked for")
    func quiet() throws {
        let model = folder.path("m.model")
        let fit = try Program.run(["fit", spec, data, "-o", model, "--quiet"])
        #expect(fit.status == 0 && fit.output == "" && fit.error == "")
        let json = try Program.run(["fit", spec, data, "-o", model, "--quiet", "--json"])
        #expect(json.error == "")
        #expect(try json.json()["estimates"] != nil)
        for arguments in [["ate", model, data], ["inspect", model], ["spec"], ["backends"]] {
            let run = try Program.run(arguments + ["--quiet"])
            #expect(run.status == 0 && !run.output.isEmpty && run.error == "")
        }
    }

    @Test("the table for people has the numbers of the JSON")
    func tableHasTheSameNumbers() throws {
        let arguments = ["fit", spec, data, "-o", folder.path("m.model")]
        let table = try Program.run(arguments)
        let json = try Program.run(arguments + ["--json"]).json()
        #expect(table.status == 0)
        let estimate = try #require(
            json["estimates"]?.arrayValue?.first?.objectValue?["estimate"]?.doubleValue)
        #expect(table.output.contains(NumberText.fixed(estimate, decimals: 3)))
        #expect(table.output.contains("0 (control)"))
    }

    @Test("threads change nothing, the seed does and replaces the spec's")
    func threadsAndSeed() throws {
        func estimates(_ extra: [String]) throws -> SpecValue? {
            try Program.run(["ate", spec, data, "--json"] + extra).json()["estimates"]
        }
        let base = try estimates([])
        #expect(base != nil)
        #expect(try estimates(["--threads", "1"]) == base)
        #expect(try estimates(["--threads", "2"]) == base)
        #expect(try estimates(["--seed", "1"]) == base)
        #expect(try estimates(["--seed", "2"]) != base)
        #expect(try estimates(["--set", "seed=2"]) == estimates(["--set", "seed=3", "--seed", "2"]))
    }

    @Test("a fit takes over the nuisances of another model, says which, and saves the same model")
    func nuisancesOfAnotherModel() throws {
        let (first, alone, reusing) = (folder.path("dr"), folder.path("t1"), folder.path("t2"))
        _ = try Program.run(["fit", spec, data, "-o", first])
        let arguments = ["fit", spec, data, "--set", "learner=t", "-o"]
        #expect(try Program.run(arguments + [alone]).status == 0)
        let fit = try Program.run(arguments + [reusing, "--nuisances", first])
        #expect(fit.status == 0, "\(fit.error)")
        #expect(
            fit.error.contains("nuisances taken over: outcome of arm '0', outcome of arm '1', propensity"))
        #expect(try AtomicFile.read(alone) == AtomicFile.read(reusing))
        let other = try Program.run(arguments + [reusing, "--nuisances", first, "--seed", "5"])
        #expect(other.status != 0 && other.error.contains("other folds"))
        let rows = try folder.file("other.csv", Sample.csv(seed: 2))
        let refused = try Program.run(["fit", spec, rows, "-o", reusing, "--nuisances", first])
        #expect(refused.status == 3, "\(refused.error)")
        let none = try Program.run(["fit", spec, data, "-o", reusing, "--nuisances", folder.path("none")])
        #expect(none.status == 4)
    }

    @Test("three arms give a column for each but the control, named for it")
    func severalArms() throws {
        let data = try folder.file("three.csv", Sample.csv(rows: 360, arms: ["none", "some", "a,lot"]))
        let cates = folder.path("cates.csv")
        let fit = try Program.run([
            "fit", spec, data, "-o", folder.path("m.model"), "--cates", cates, "--json", "--set",
            "data.control=none",
        ])
        #expect(fit.status == 0, "\(fit.error)")
        #expect(try fit.json()["estimates"]?.arrayValue?.count == 2)
        #expect(try CSVReader().read(cates).columns.map(\.name) == ["cate_a,lot", "cate_some"])
    }

    @Test("rows dropped because they have no outcome still get an effect, in their place")
    func droppedRowsKeepTheirPlace() throws {
        var lines = Sample.csv().split(separator: "\n").map(String.init)
        for row in [1, 7, 240] {
            lines[row] = lines[row].split(separator: ",").dropLast().joined(separator: ",") + ","
        }
        let data = try folder.file("gaps.csv", lines.joined(separator: "\n"))
        let refused = try Program.run(["fit", spec, data, "-o", folder.path("m.model")])
        #expect(refused.status == 3)
        #expect(refused.error.contains("3 of 240") && refused.error.contains("data.missing_outcome: drop"))

        let cates = folder.path("cates.csv")
        let fit = try Program.run([
            "fit", spec, data, "-o", folder.path("m.model"), "--cates", cates, "--json", "--set",
            "data.missing_outcome=drop",
        ])
        #expect(fit.status == 0, "\(fit.error)")
        #expect(try fit.json()["rows"] == 237)
        #expect(fit.error.contains("3 rows without an outcome were dropped"))
        let effects = try CSVReader().read(cates).columns[0].values.doubles()
        let predicted = try CATEModel(contentsOf: folder.path("m.model")).predict(CSVReader().read(data))
            .effects[0]
        #expect(effects.count == 240)
        for row in [0, 6, 239] { #expect(effects[row] == predicted[row]) }
        #expect(effects.allSatisfy { $0.isFinite })
        // The same by `predict --training`, whatever is predicted: a line for each row of the file.
        let again = folder.path("again.csv")
        for what in ["effects", "arm_means", "propensities", "individual_intervals"] {
            let run = try Program.run([
                "predict", folder.path("m.model"), data, "-o", again, "--training", "--what", what,
            ])
            #expect(run.status == 0, "\(run.error)")
            #expect(run.error.contains("3 rows of 240 had no part in the fit"))
            let columns = try CSVReader().read(again).columns
            #expect(columns.allSatisfy { $0.count == 240 && $0.values.doubles().allSatisfy(\.isFinite) })
            if what == "effects" { #expect(columns[0].values.doubles() == effects) }
        }
    }

    @Test("levels never seen count as missing, with a warning that counts them")
    func unseenLevels() throws {
        let model = folder.path("m.model")
        _ = try Program.run(["fit", spec, data, "-o", model])
        let new = try folder.file("new.csv", "x,group\n0.5,a\n0.1,z\n0.2,z\n")
        let predict = try Program.run(["predict", model, new, "-o", "-"])
        #expect(predict.status == 0)
        #expect(predict.output.split(separator: "\n").count == 4)
        #expect(predict.error.contains("warning") && predict.error.contains("2 of 3 rows"))
    }

    @Test("a constant outcome gives zero effects and a warning")
    func constantOutcome() throws {
        let rows = Sample.csv().split(separator: "\n").dropFirst().map {
            $0.split(separator: ",").dropLast().joined(separator: ",") + ",5"
        }
        let data = try folder.file("constant.csv", "x,group,w,y\n" + rows.joined(separator: "\n"))
        let fit = try Program.run(["fit", spec, data, "-o", folder.path("m.model"), "--json"])
        #expect(fit.status == 0, "\(fit.error)")
        #expect(fit.error.contains("outcome is the same in every row"))
        let effect = try #require(
            fit.json()["estimates"]?.arrayValue?.first?.objectValue?["estimate"]?.doubleValue)
        #expect(abs(effect) < 1e-9)
    }

    @Test("the printed spec serves as a spec")
    func printedSpecServes() throws {
        let printed = try Program.run([
            "spec", "--learner", "t", "--set", "data.treatment=w", "--set", "data.outcome=y", "--set",
            "models.outcome=ridge",
        ])
        #expect(printed.status == 0, "\(printed.error)")
        let ate = try Program.run(["ate", folder.file("printed.yaml", printed.output), data, "--json"])
        #expect(ate.status == 0, "\(ate.error)")
        #expect(try ate.json()["learner"] == "t")
        let backends = try Program.run(["backends", "--json"]).json()
        let names =
            backends["backends"]?.arrayValue?.compactMap { $0.objectValue?["name"]?.stringValue } ?? []
        #expect(names.contains("ridge") && names.contains("trees"))
        let table = try Program.run(["backends"]).output
        for name in names { #expect(table.contains(name)) }
    }

    @Test("a reader that goes away is no cause for noise")
    func closedPipe() throws {
        let run = try Program.run(["spec"])
        #expect(run.status == 0 && !run.output.isEmpty)
        let model = folder.path("m.model")
        _ = try Program.run(["fit", spec, data, "-o", model])
        let piped = try Program.shell(
            "'\(Program.executable)' spec | true; '\(Program.executable)' predict '\(model)' '\(data)' -o - | head -1"
        )
        #expect(piped.output == "cate\n")
        #expect(piped.error == "")
    }

    @Test("an interrupt ends the program by its signal, so that a shell stops too, and leaves no files")
    func interrupt() throws {
        let run = try Program.interrupt(
            ["fit", spec, "-", "-o", folder.path("m.model"), "--cates", folder.path("c.csv")],
            input: Sample.csv(rows: 10_000))
        #expect(run.signal == SIGINT && run.status == -1)
        #expect(run.output == "")
        #expect(run.error == "metalearners: the work was cancelled\n")
        #expect(try folder.names() == ["data.csv", "spec.yaml"])
    }

    @Test("a loop of a shell ends where the program in it is interrupted")
    func interruptedLoop() throws {
        // The program reads from a pipe that stays open, says that it runs, and gets the signal of a keyboard.
        let pipe = folder.path("pipe")
        let script = try folder.file(
            "loop.sh",
            """
            mkfifo '\(pipe)'
            sleep 60 > '\(pipe)' 2> /dev/null & writer=$!
            for round in 1 2 3; do
                echo "round $round"
                '\(Program.executable)' ate '\(spec)' - < '\(pipe)' & run=$!
                sleep 1
                kill -INT $run
                wait $run
                status=$?
                echo "status $status"
                [ $status -le 128 ] || break
            done
            kill $writer
            """)
        let run = try Program.shell("sh '\(script)'")
        #expect(run.output == "round 1\nstatus 130\n", "\(run.output)\(run.error)")
    }

    @Test("a file with a header alone is predicted as no rows, and is nothing to fit to")
    func noRows() throws {
        let model = folder.path("m.model")
        _ = try Program.run(["fit", spec, data, "-o", model])
        let empty = try folder.file("empty.csv", "x,group\n")
        for what in ["effects", "arm_means", "propensities", "stability", "individual_intervals"] {
            let run = try Program.run(["predict", model, empty, "-o", "-", "--what", what])
            #expect(run.status == 0, "\(run.error)")
            let rows = try Program.run(["predict", model, data, "-o", "-", "--what", what])
            #expect(run.output == rows.output.prefix { !$0.isNewline } + "\n")
        }
        for arguments in [
            ["ate", spec, empty], ["ate", model, empty], ["predict", model, empty, "-o", "-", "--training"],
        ] {
            #expect(try Program.run(arguments).status == 3)
        }
        let lacking = try Program.run(["predict", model, folder.file("lacking.csv", "x\n"), "-o", "-"])
        #expect(lacking.status == 3 && lacking.error.contains("group"))
    }

    @Test("inspect says which models the effects are made of, and which serve average effects alone")
    func inspectTellsPurposes() throws {
        let model = folder.path("f.model")
        _ = try Program.run(["fit", spec, data, "-o", model, "--learner", "f", "--quiet"])
        let parts = try Program.run(["inspect", model, "--json"]).json()["nuisance_models"]?.arrayValue ?? []
        for part in parts.compactMap(\.objectValue) {
            let isPropensity = part["role"] == "propensity"
            #expect(part["serves"] == (isPropensity ? "effects" : "average effects"))
        }
        #expect(parts.count > 1)
        let lines = try Program.run(["inspect", model]).output.split(separator: "\n")
        #expect(
            lines.contains {
                $0.hasPrefix("  propensity ") && $0.hasSuffix(" effects") && !$0.contains("average")
            })
        #expect(lines.contains { $0.hasPrefix("  outcome ") && $0.hasSuffix(" average effects") })
        #expect(lines.contains { $0.hasPrefix("  effect of arm '1' ") && $0.hasSuffix(" effects") })
    }

    @Test("inspect tells how many drawn trees models of BART are the mean of, and gives them no stages")
    func inspectTellsDrawnTrees() throws {
        let model = folder.path("b.model")
        let bart = "models={outcome: {backend: bart, trees: 20, sweeps: 8, burn_in: 3}, effect: ridge}"
        _ = try Program.run(["fit", spec, data, "-o", model, "--learner", "dr", "--set", bart, "--quiet"])
        let parts = try Program.run(["inspect", model, "--json"]).json()["nuisance_models"]?.arrayValue ?? []
        let drawn = parts.compactMap(\.objectValue).filter { $0["backend"] == "bart" }
        #expect(drawn.count == 2)
        for part in drawn {
            let models = part["models"]?.arrayValue?.compactMap(\.objectValue) ?? []
            #expect(part["stages"] == .null && !models.isEmpty)
            // Twenty trees in each of five sweeps, but for those that never split.
            for model in models { #expect((1...100).contains(model["drawn_trees"]?.integerValue ?? 0)) }
        }
        let text = try Program.run(["inspect", model]).output
        #expect(
            text.contains(
                "\nDrawn trees (those that split, of all sweeps kept, means over models)\n  outcome "))
        // Among the members of a stack they are told of as well.
        let stack =
            "models={outcome: {backend: stack, members: [ridge, {backend: bart, trees: 20, sweeps: 8, burn_in: 3}]}, effect: ridge}"
        _ = try Program.run(["fit", spec, data, "-o", model, "--learner", "dr", "--set", stack, "--quiet"])
        let ofStack = try Program.run(["inspect", model]).output
        let told = ofStack.split(separator: "\n").filter {
            $0.hasPrefix("  outcome ") && $0.contains(", bart: ")
        }
        #expect(told.count == 2, "\(ofStack)")
    }

    @Test("no spec is needed where the command line names the columns")
    func noSpec() throws {
        let options = [
            "--treatment", "w", "--outcome", "y", "--set", "models={outcome: ridge, effect: ridge}",
        ]
        let spec = try folder.file(
            "same.yaml",
            "data: {treatment: w, outcome: y}\nlearner: dr\nmodels: {outcome: ridge, effect: ridge}\n")
        let expected = try Program.run(["ate", spec, data, "--json"])
        #expect(expected.status == 0, "\(expected.error)")
        let ate = try Program.run(["ate", data, "--learner", "DR", "--json"] + options)
        #expect(ate.output == expected.output, "\(ate.error)")
        let piped = try Program.run(
            ["ate", "-", "--learner", "dr", "--json"] + options, input: Sample.csv())
        #expect(piped.output == expected.output, "\(piped.error)")
        let model = folder.path("m.model")
        let fit = try Program.run(["fit", data, "-o", model, "--learner", "dr", "--json"] + options)
        #expect(try fit.json()["estimates"] == expected.json()["estimates"], "\(fit.error)")
        // Options come before those of the spec, and --set before both.
        let other = try Program.run(["ate", spec, data, "--learner", "t", "--json", "--control", "1"])
        #expect(try other.json()["learner"] == "t")
        #expect(other.output.contains("\"control\": \"1\""))
        let printed = try Program.run([
            "spec", "--treatment", "w", "--outcome", "y", "--cluster", "g", "--weight", "v",
        ])
        for line in ["  treatment: w", "  outcome: y", "  cluster: g", "  weight: v"] {
            #expect(printed.output.contains(line + "\n"))
        }
    }
}
