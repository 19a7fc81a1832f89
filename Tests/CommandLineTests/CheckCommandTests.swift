import Foundation
import MetaLearnersCore
import Testing

@Suite("Checking data and refuting answers")
struct CheckCommandTests {
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

    private func results(_ arguments: [String]) throws -> [SpecObject] {
        let run = try Program.run(arguments + ["--json"])
        #expect(run.status == 0, "\(run.error)")
        return (try run.json()["results"]?.arrayValue ?? []).compactMap(\.objectValue)
    }

    @Test("check prints the verdicts first, and has the documented keys as JSON and CSV")
    func check() throws {
        let text = try Program.run(["check", spec, data])
        #expect(text.status == 0 && text.output.hasPrefix("In short\n"), "\(text.error)")
        #expect(text.output.contains("Overlap of '1' with the control '0' is "))
        #expect(text.output.contains("boosted trees"))
        // What is long stands in files alone.
        #expect(!text.output.contains("Propensities by arm"))
        let csv = folder.path("tables")
        let results = try results(["check", spec, data, "--csv", csv])
        #expect(
            results.map { $0["analysis"]?.stringValue } == ["overlap", "balance", "suspicious_columns"])
        for (result, keys) in zip(
            results,
            [
                ["verdict", "bounds", "overlap", "separating_columns", "histogram"],
                ["verdict", "largest", "balance", "variance_ratios"], ["suspicious", "columns"],
            ])
        {
            for key in keys { #expect(result[key] != nil, "\(key)") }
        }
        let histogram = try String(contentsOfFile: csv + "/overlap_histogram.csv", encoding: .utf8)
        #expect(histogram.hasPrefix("arm,propensity,lower,upper,treated_share,control_share\n"))
    }

    @Test("refute runs every refutation, with options for those that have them")
    func refute() throws {
        let results = try results(["refute", spec, data, "--option", "repeats=2"])
        #expect(
            results.map { $0["analysis"]?.stringValue } == [
                "placebo_treatment", "random_common_cause", "data_subset", "dummy_outcome",
                "negative_control", "unobserved_confounder", "omitted_variable_bias", "e_value",
                "rosenbaum_bounds", "marginal_sensitivity",
            ])
        for result in results { #expect(result["complete"] == .boolean(true)) }
        for result in results.prefix(4) {
            #expect(result["repeats"]?.arrayValue?.count == 2)
            #expect(result["summary"]?.arrayValue?.count == 1 && result["verdict"] != nil)
        }
        let named = try self.results([
            "refute", spec, data, "--only", "negative_control", "--option", "outcomes=[x1]",
        ])
        #expect(named.first?["controls"]?.arrayValue?.count == 1)
        let unknown = try Program.run([
            "refute", spec, data, "--only", "negative_control", "--option", "outcomes=[x99]",
        ])
        #expect(unknown.status != 0 && unknown.error.contains("x99"))
    }
}
