import Foundation
import MetaLearnersCore
import Testing

@Suite("Searching hyper-parameters")
struct TuneTests {
    private let folder: TemporaryFolder
    private let spec: String
    private let data: String

    init() throws {
        folder = try TemporaryFolder()
        data = try folder.file("data.csv", Sample.csv())
        spec = try folder.file(
            "spec.yaml",
            Sample.spec + """

                tuning:
                  models:
                    outcome: {l2: [0.1, 10]}
                    effect: {backend: trees, trees: [2, 4], max_leaves: [2, 3]}
                """)
    }

    /// The candidates of a file of results without what depends on the clock, and without how many models were fitted: after a search
    /// went on, those for a candidate whose models were stages of another one's, which was judged before, are fitted anew.
    private func rows(_ path: String) throws -> [String] {
        let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").map {
            $0.split(separator: ",", omittingEmptySubsequences: false)
        }
        let header = try #require(lines.first)
        let timeless = header.indices.filter { !header[$0].hasSuffix("_seconds") && header[$0] != "fits" }
        return lines.map { line in timeless.map { String(line[$0]) }.joined(separator: ",") }
    }

    @Test("tune writes the table, a spec that fit takes, and the model that fit makes of it")
    func tune() throws {
        let (results, best, model) = (
            folder.path("r.csv"), folder.path("best.yaml"), folder.path("best.cate")
        )
        let run = try Program.run(["tune", spec, data, "-o", results, "--best-spec", best, "--model", model])
        #expect(run.status == 0, "\(run.error)")
        #expect(run.output.contains("Chosen is candidate") && run.output.contains("constant"))
        #expect(try rows(results).count == 6)
        #expect(!FileManager.default.fileExists(atPath: results + ".journal"))
        let alone = folder.path("alone.cate")
        let fit = try Program.run(["fit", best, data, "-o", alone])
        #expect(fit.status == 0, "\(fit.error)")
        #expect(
            try Data(contentsOf: URL(fileURLWithPath: model)) == Data(contentsOf: URL(fileURLWithPath: alone))
        )
        // One fit has no space to search.
        let whole = try Program.run(["fit", spec, data, "-o", alone])
        #expect(whole.status == 2 && whole.error.contains("metalearners tune"))
    }

    @Test("Options change the section, and JSON has everything")
    func options() throws {
        let results = folder.path("r.json")
        let run = try Program.run([
            "tune", spec, data, "-o", results, "--json", "--method", "random", "--candidates", "3",
            "--strategy",
            "joint", "--score", "dr_loss", "--learners", "dr, x", "--validation", "0.25", "--seed", "3",
            "--set",
            "tuning.models.propensity={l2: [0.1, 1]}",
        ])
        #expect(run.status == 0, "\(run.error)")
        let value = try run.json()
        #expect(value["validation_rows"] == 60 && value["rows"] == 180 && value["score"] == "dr_loss")
        #expect(value["complete"] == true && value["candidates"]?.arrayValue?.count == 1 + 2 * 2 * 3 * 2)
        let file = try SpecValue(json: Data(contentsOf: URL(fileURLWithPath: results)), source: results)
        #expect(file == .object(value))
        let held = try folder.file("held.csv", Sample.csv(rows: 100, seed: 9))
        let other = try Program.run(["tune", spec, data, "-o", results, "--json", "--validation", held])
        #expect(try other.json()["validation_rows"] == 100, "\(other.error)")
    }

    @Test("A search that was killed is gone on from, and gives the same table")
    func killed() throws {
        let whole = folder.path("whole.csv")
        #expect(try Program.run(["tune", spec, data, "-o", whole]).status == 0)
        let results = folder.path("killed.csv")
        // As soon as the journal has some lines, the program is killed; it may have finished just before.
        let kill = try Program.shell(
            """
            ( while [ ! -e '\(results)' ] && [ "$(cat '\(results).journal' 2>/dev/null | wc -l)" -lt 5 ]; do :; done
              kill -9 "$(cat '\(results).pid')" 2>/dev/null ) &
            sh -c 'echo $$ > "$1".pid; exec "$0" tune "$2" "$3" -o "$1" --threads 1 --quiet' \
                '\(Program.executable)' '\(results)' '\(spec)' '\(data)' 2>/dev/null
            echo done
            """)
        #expect(kill.output.contains("done"))
        if !FileManager.default.fileExists(atPath: results) {
            let journal = try String(contentsOfFile: results + ".journal", encoding: .utf8)
            #expect(journal.split(separator: "\n").count >= 5)
            let fresh = try Program.run(["tune", spec, data, "-o", results])
            #expect(fresh.status == 2 && fresh.error.contains("--resume"))
            let other = try Program.run(["tune", spec, data, "-o", results, "--resume", "--seed", "9"])
            #expect(other.status == 2 && other.error.contains("another search"))
            let resumed = try Program.run(["tune", spec, data, "-o", results, "--resume"])
            #expect(resumed.status == 0, "\(resumed.error)")
        }
        #expect(try rows(results) == rows(whole))
        #expect(!FileManager.default.fileExists(atPath: results + ".journal"))
    }

    @Test("Bad input is refused before any work")
    func badInput() throws {
        func fails(_ arguments: [String], _ words: String..., status: Int32 = 2) throws {
            let run = try Program.run(["tune"] + arguments)
            #expect(run.status == status && words.allSatisfy(run.error.contains), "\(run.error)")
        }
        let results = folder.path("r.csv")
        try fails([spec, data, "-o", folder.path("r.txt")], ".csv or .json")
        try fails([spec, data, "-o", results, "--best-spec", folder.path("b.toml")], ".yaml")
        try fails([spec, data, "-o", data], "data file")
        try fails([spec, data, "-o", results, "--method", "girds"], "tuning.method", "grid")
        try fails([spec, data, "-o", results, "--set", "tuning.models.effect.tres=[1]"], "tres", "trees")
        try fails([spec, data, "-o", results, "--validation", "0.95"], "validation_share")
        #expect(!FileManager.default.fileExists(atPath: results + ".journal"))
    }
}
