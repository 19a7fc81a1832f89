import CausalAnalysis
import MetaLearners
import MetaLearnersCore
import MetaLearnersKit
import Testing
import _TestSupport

@Suite("Analyses of heterogeneity")
struct HeterogeneityTests {
    /// What `evaluate` runs on columns that were computed elsewhere.
    private static var analyses: [any Analysis.Type] {
        AnalysisRegistry.default.analyses(of: [.heterogeneity, .ranking, .evaluation])
            .filter { $0.init().needs.isDisjoint(with: [.fitting, .model]) }
    }

    @Test("The distribution of effects is that of the numbers, weights counted")
    func distribution() throws {
        let data = try SyntheticDataset.linear(rows: 100, seed: 1)
        let effects = (0..<100).map { Double($0) - 24.5 }
        func table(_ weights: [Double]?, _ rows: [Int]) throws -> ResultTable {
            let dataset = try CausalDataset(
                covariates: data.covariates.selecting(rows: rows.map { Int32($0) }),
                treatment: Treatment(arms: rows.map { data.treatment.arms[$0] }, labels: ["0", "1"]),
                outcome: Outcome(rows.map { data.outcome[$0] }), weights: weights)
            let study = try CausalStudy(dataset, given: GivenColumns(effects: [rows.map { effects[$0] }]))
            return try #require(try EffectDistributionAnalysis().run(study).table(named: "distribution"))
        }
        let plain = try table(nil, Array(0..<100))
        #expect(plain.numbers("q50") == [24.5] && plain.numbers("q5") == [-20.5])
        #expect(abs(plain.numbers("share_above_zero")[0] - 0.75) < 1e-12)
        // Every row twice, or a weight of two: the same.
        let doubled = try table(nil, Array(0..<50) + Array(0..<100))
        let weighted = try table((0..<100).map { $0 < 50 ? 2 : 1 }, Array(0..<100))
        for key in ["mean", "std_deviation", "q25", "q50", "q75", "share_above_zero"] {
            expectEqual(doubled.numbers(key), weighted.numbers(key), key, tolerance: 1e-12)
        }
    }

    @Test("Constants of folds are no differences, and cannot be upside down", arguments: 1...6)
    func constantsOfFolds(seed: Int) throws {
        var spec = MetaLearnerSpec()
        spec.learner = .dr
        spec.seed = seed
        spec.models = try ModelsSpec(["outcome": "ridge", "propensity": "logistic", "effect": "constant"])
        let data = try SyntheticDataset.linear(rows: 200, seed: UInt64(seed)).dataset
        let model = try MetaLearnerFitter(spec, registry: .default).fit(data)
        #expect(Set(model.trainingEffects[0]).count == 5)
        let study = try CausalStudy(model, on: data)
        for analysis in [
            CalibrationTestAnalysis(), RATEAnalysis(), UpliftCurvesAnalysis(), LossesAnalysis(),
        ] as [any Analysis] {
            let findings = try analysis.run(study).findings
            #expect(findings == ["The estimated effects are the same for everybody."], "\(findings)")
        }
        let groups = try GATESAnalysis().run(study)
        #expect(!groups.findings.contains { $0.contains("upside down") }, "\(groups.findings)")
    }

    @Test(
        "Effects of training rows by auto are judged with a warning, those of fresh rows and of other learners without"
    )
    func sharedFolds() throws {
        let data = try SyntheticDataset.linear(rows: 200, seed: 4).dataset
        let fresh = try SyntheticDataset.linear(rows: 200, seed: 5).dataset
        let models: SpecValue = ["outcome": "ridge", "propensity": "logistic", "effect": "ridge"]
        for (learner, members, isWarnedOf) in [
            (LearnerKind.auto, nil, true), (.ensemble, ["auto", "t"], true), (.ensemble, ["t", "x"], false),
            (.r, nil, false), (.x, nil, false),
        ] as [(LearnerKind, SpecValue?, Bool)] {
            var object: SpecObject = ["learner": .string(learner.rawValue)]
            if learner != .auto { object["models"] = models }
            if let members { object["ensemble"] = ["members": members] }
            let spec = try MetaLearnerSpec(.object(object))
            let model = try MetaLearnerFitter(spec, registry: .default).fit(data)
            func isWarned(_ analysis: any Analysis, _ rows: CausalDataset) throws -> Bool {
                try analysis.run(CausalStudy(model, on: rows)).warnings.contains {
                    $0.contains("its own training rows")
                }
            }
            for analysis in [
                CalibrationTestAnalysis(), RATEAnalysis(), LossesAnalysis(), PolicyValueAnalysis(),
            ] as [any Analysis] {
                #expect(try isWarned(analysis, data) == isWarnedOf, "\(type(of: analysis)) of \(learner)")
                #expect(try !isWarned(analysis, fresh))
            }
            #expect(try !isWarned(AIPWAnalysis(), data))
        }
    }

    @Test("Effects that do not differ are said so, without a NaN")
    func constant() throws {
        let data = try SyntheticDataset.linear(rows: 100, seed: 1)
        let study = try CausalStudy(
            data.dataset,
            given: GivenColumns(
                effects: [[Double](repeating: 1, count: 100)], propensities: data.propensities,
                armMeans: data.armOutcomes, trueEffects: data.effects))
        for analysis in Self.analyses {
            let result = try analysis.init().run(study)
            #expect(!result.findings.isEmpty)
            for text in result.findings + result.warnings {
                #expect(!text.contains("nan") && !text.contains("inf"), "\(text)")
            }
        }
        let gates = try GATESAnalysis().run(study)
        #expect(gates.table(named: "differences")?.column("note")[0] == "all estimated effects are the same")
        let calibration = try CalibrationTestAnalysis().run(study)
        #expect(calibration.table(named: "calibration")?.column("estimate")[1] == .null)
    }

    @Test("Groups by a column: levels by name, a group of one row with a note")
    func groups() throws {
        let (data, given) = try SimulatedStudy.columns(rows: 200, seed: 1)
        let letters = (0..<200).map { $0 == 7 ? "lone" : $0 % 2 == 0 ? "a" : "b" }
        let study = try CausalStudy(data.dataset, given: given)
            .grouping(by: data.covariates.appending(Column("letter", categories: letters)))
        var analysis = GroupEffectsAnalysis()
        analysis.by = "letter"
        let table = try #require(try analysis.run(study).table(named: "groups"))
        #expect(table.column("group") == ["a", "b", "lone"])
        #expect(table.column("rows") == [.integer(100), .integer(99), .integer(1)])
        #expect(table.column("estimate")[2] == .null && table.column("note")[2] != .null)
        analysis.by = "leter"
        let error = #expect(throws: MetaLearnersError.self) { try analysis.run(study) }
        #expect(error?.description.contains("letter") == true)
    }

    @Test("Rows without overlap count nowhere")
    func overlap() throws {
        let (data, given) = try SimulatedStudy.columns(rows: 300, seed: 5)
        func results(_ rows: [Int], _ weights: [Double]?) throws -> [[Double]] {
            func taking(_ lists: [[Double]]?) -> [[Double]]? { lists?.map { list in rows.map { list[$0] } } }
            let dataset = try CausalDataset(
                covariates: data.covariates.selecting(rows: rows.map { Int32($0) }),
                treatment: Treatment(arms: rows.map { data.treatment.arms[$0] }, labels: ["0", "1"]),
                outcome: Outcome(rows.map { data.outcome[$0] }), weights: weights)
            let study = try CausalStudy(
                dataset,
                given: GivenColumns(
                    effects: taking(given.effects), propensities: taking(given.propensities),
                    armMeans: taking(given.armMeans), trueEffects: taking(data.effects)))
            var numbers: [[Double]] = []
            for type in Self.analyses
            where type.name != SurrogateTreeAnalysis.name {
                for table in try type.init().run(study).tables {
                    for column in table.columns where column.format != .text {
                        numbers.append(table.numbers(column.key).filter { !$0.isNaN })
                    }
                }
            }
            return numbers
        }
        let few = try results(Array(0..<250), nil)
        let all = try results(Array(0..<300), (0..<300).map { $0 < 250 ? 1 : 0 })
        #expect(few.count == all.count)
        for (left, right) in zip(few, all) { expectEqual(right, left, "weight 0") }
    }

    @Test("The tree finds the rule that there is, and none where there is none")
    func tree() throws {
        let (data, given) = try SimulatedStudy.columns(rows: 2000, seed: 3)
        var analysis = SurrogateTreeAnalysis()
        let result = try analysis.run(CausalStudy(data.dataset, given: given))
        let rules = try #require(result.table(named: "rules"))
        #expect(rules.column("rule")[0].stringValue?.hasPrefix("x1 ≤") == true)
        let estimates = rules.numbers("estimate")
        #expect(estimates.count == 4 && estimates == estimates.sorted())
        #expect(abs(rules.numbers("share").reduce(0, +) - 1) < 1e-12)
        // The rules say of themselves which rows they hold for.
        analysis.columns = ["x4"]
        let none = try analysis.run(CausalStudy(data.dataset, given: given))
        #expect(none.table(named: "rules")?.column("rule") == ["everybody"])
        #expect(none.findings == ["No rule separates larger from smaller effects clearly enough."])
    }

    @Test("CLAN finds what the effects are made of first")
    func clan() throws {
        let study = try SimulatedStudy.study(rows: 600, seed: 8)
        let result = try CLANAnalysis().run(study)
        let table = try #require(result.table(named: "characteristics"))
        #expect(table.column("characteristic")[0] == "x1" && table.numbers("p_value")[0] < 1e-6)
        #expect(result.findings[0].contains("x1"))
    }

    @Test("Several arms have their rows in every table, and one of them can be asked about")
    func arms() throws {
        let data = try SyntheticDataset.multiArm(rows: 400, seed: 2)
        let study = try CausalStudy(
            data.dataset,
            given: GivenColumns(
                effects: data.effects, propensities: data.propensities, armMeans: data.armOutcomes,
                trueEffects: data.effects))
        for type in Self.analyses {
            let table = try #require(try type.init().run(study).tables.first)
            #expect(
                Set(table.column("arm").compactMap(\.stringValue)).isSuperset(of: ["1", "2"]), "\(type.name)")
            guard type != NuisanceMetricsAnalysis.self else { continue }
            let one = try #require(try type.init(["arm": "2"]).run(study).tables.first)
            #expect(one.column("arm").allSatisfy { $0 == "2" }, "\(type.name)")
        }
    }
}
