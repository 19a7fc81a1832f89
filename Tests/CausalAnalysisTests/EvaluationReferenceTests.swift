import CausalAnalysis
import MetaLearners
import MetaLearnersCore
import MetaLearnersKit
import Testing
import _TestSupport

@Suite("Evaluation against scikit-learn, statsmodels and scipy")
struct EvaluationReferenceTests {
    @Test("Losses, those of the best constant and what is saved, each with its error")
    func losses() throws {
        for entry in try HeterogeneityStudy.all() {
            for (known, rows) in try entry.byArm(entry.table(LossesAnalysis(), "losses")) {
                for row in rows {
                    let part = try known.part("losses").part(row["loss"]?.stringValue ?? "")
                    for (name, keys) in [
                        ("model", ["model", "model_std_error"]),
                        ("constant", ["constant", "constant_std_error"]),
                        ("gain", ["estimate", "std_error"]),
                    ] {
                        expectEqual(
                            keys.map { row[$0]?.doubleValue ?? .nan }, try part.numbers(name),
                            "\(entry.name), \(name)")
                    }
                }
            }
        }
    }

    @Test("Metrics of propensities and of expected outcomes")
    func metrics() throws {
        for entry in try HeterogeneityStudy.all() {
            let table = try entry.table(NuisanceMetricsAnalysis(), "metrics")
            let rows = (table.specValue.arrayValue ?? []).compactMap(\.objectValue)
            func check(_ known: Fixture, _ role: String, _ arm: Int) throws {
                let own = rows.filter { $0["role"] == .string(role) && $0["arm"] == .string("arm \(arm)") }
                for (key, value) in known.value.objectValue?.entries ?? [] {
                    let isError = key == "auc_std_error"
                    let row = own.first { $0["metric"] == .string(isError ? "auc" : key) }
                    // The slope is the end of an iteration, theirs as ours.
                    expectEqual(
                        [row?[isError ? "std_error" : "estimate"]?.doubleValue ?? .nan],
                        [value.doubleValue ?? .nan], "\(entry.name), \(role) of arm \(arm), \(key)",
                        tolerance: key == "calibration_slope" ? 1e-8 : 1e-9)
                }
            }
            for (index, known) in try entry.known.part("by_arm").parts().enumerated() {
                try check(known.part("propensity"), "propensity", index + 1)
            }
            for (arm, known) in try entry.known.part("outcomes").parts().enumerated() {
                try check(known, "outcome", arm)
            }
        }
    }

    @Test("Errors against the truth")
    func truth() throws {
        for entry in try HeterogeneityStudy.all() {
            for (known, rows) in try entry.byArm(entry.table(TruthAnalysis(), "errors")) {
                for (key, value) in try known.part("truth").value.objectValue?.entries ?? [] {
                    expectEqual(rows.numbers(key), [value.doubleValue ?? .nan], "\(entry.name), \(key)")
                }
            }
        }
    }

    @Test("True effects have no error, and lose nothing")
    func perfect() throws {
        let data = try SyntheticDataset.linear(rows: 200, seed: 4)
        let study = try CausalStudy(
            data.dataset, given: GivenColumns(effects: data.effects, trueEffects: data.effects))
        let table = try #require(try TruthAnalysis().run(study).table(named: "errors"))
        #expect(table.numbers("pehe") == [0] && table.numbers("policy_risk") == [0])
        #expect(abs(table.numbers("rank_correlation")[0] - 1) < 1e-12)
    }

    @Test("Metrics by fold average to those of all rows")
    func folds() throws {
        let data = try SyntheticDataset.linear(rows: 300, seed: 6)
        let spec = try MetaLearnerSpec([
            "learner": "t", "models": ["outcome": ["backend": "ols"], "propensity": ["backend": "logistic"]],
        ])
        let model = try MetaLearnerFitter(spec).fit(data.dataset)
        let result = try NuisanceMetricsAnalysis().run(CausalStudy(model, on: data.dataset))
        let folds = try #require(result.table(named: "folds"))
        #expect(folds.isDetail && result.table(named: "calibration")?.isDetail == true)
        let rows = (folds.specValue.arrayValue ?? []).compactMap(\.objectValue).filter {
            $0["role"] == "propensity" && $0["metric"] == "brier"
        }
        #expect(rows.count == 5)
        let all = try #require(
            (result.table(named: "metrics")?.specValue.arrayValue ?? []).compactMap(\.objectValue).first {
                $0["metric"] == "brier"
            })
        let mean = Approximate.mean(rows.numbers("estimate"))
        #expect(abs(mean - (all["estimate"]?.doubleValue ?? .nan)) < 2e-3)
    }
}
