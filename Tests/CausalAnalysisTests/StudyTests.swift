import CausalAnalysis
import MetaLearners
import MetaLearnersCore
import MetaLearnersKit
import Testing
import _TestSupport

@Suite("Studies")
struct StudyTests {
    private func dataset(rows: Int = 240, arms: Int = 2) throws -> CausalDataset {
        let data = try SyntheticDataset.linear(rows: rows, seed: 11)
        var treatment = data.treatment
        if arms == 3 {
            treatment = try Treatment(
                arms: data.treatment.arms.enumerated().map { $1 == 1 && $0 % 2 == 0 ? 2 : $1 },
                labels: ["0", "1", "2"])
        }
        return try CausalDataset(
            covariates: data.covariates, treatment: treatment, outcome: Outcome(data.outcome))
    }

    private func fitter(_ learner: LearnerKind) throws -> MetaLearnerFitter {
        let trees: SpecValue = ["backend": "trees", "trees": 10]
        let models: SpecValue = ["outcome": trees, "effect": trees]
        let spec = try MetaLearnerSpec(
            learner == .auto
                ? ["learner": "auto"] : ["learner": .string(learner.rawValue), "models": models], at: .root)
        return try MetaLearnerFitter(spec)
    }

    @Test("A study of new rows predicts by their known propensities", arguments: LearnerKind.allCases)
    func knownPropensities(learner: LearnerKind) throws {
        func draw(_ seed: UInt64) throws -> CausalDataset {
            let data = try SyntheticDataset.linear(rows: 240, seed: seed)
            let shares = (0..<240).map { $0 % 3 == 0 ? 0.2 : 0.7 }
            return try CausalDataset(
                covariates: data.covariates, treatment: data.treatment, outcome: Outcome(data.outcome),
                knownPropensities: [shares.map { 1 - $0 }, shares])
        }
        let model = try fitter(learner).fit(draw(11))
        let (rows, context) = (try draw(12), ExecutionContext())
        let study = try CausalStudy(model, on: rows)
        #expect(study.origin == .predicted)
        #expect(study.effects == (try model.effects(on: rows, .combined, context)))
        // The X-learner weighs the effects of its arms by them.
        if learner == .x { #expect(try model.predict(rows.covariates).effects != study.effects) }
        #expect(!study.warnings.contains { $0.contains("come without known propensities") })
        // Without them the arms' shares stand for them, which every learner says, once.
        let bare = try SyntheticDataset.linear(rows: 240, seed: 12).dataset
        let without = try CausalStudy(model, on: bare)
        #expect(without.warnings.count { $0.contains("come without known propensities") } == 1)
        #expect(Set(without.propensities?[1] ?? []).count == 1)
    }

    @Test(
        "A study of any learner has its effects, and averages as the model does",
        arguments: LearnerKind.allCases)
    func learners(learner: LearnerKind) throws {
        for arms in [2, 3] {
            let dataset = try dataset(arms: arms)
            let model = try fitter(learner).fit(dataset)
            for rows in [dataset, nil] {
                let study = try CausalStudy(model, on: rows)
                #expect(study.effects == model.trainingEffects && study.origin == .outOfFold)
                #expect(study.parts.isSuperset(of: [.scores, .effects]))
                #expect(study.parts.contains(.covariates) == (rows != nil))
                let averages = try model.averageEffects(.ate)
                let table = try #require(try AIPWAnalysis().run(study).table(named: "estimates"))
                // With the outcome of each pair, two pairs say two things of the control; the study takes their mean.
                let tolerance = arms == 3 && [.r, .u, .f, .m, .ensemble].contains(learner) ? 0.2 : 1e-10
                for (average, estimate) in zip(averages, table.numbers("estimate")) {
                    #expect(abs(average.estimate - estimate) < tolerance, "\(learner)")
                }
            }
        }
    }

    @Test("Rows that the model was not fitted to are predicted")
    func newRows() throws {
        let model = try fitter(.t).fit(dataset())
        let other = try dataset(rows: 100)
        let study = try CausalStudy(model, on: other)
        #expect(study.origin == .predicted && study.rowCount == 100 && study.folds == nil)
        #expect(try study.effects == model.predict(other.covariates).effects)
        let means = try #require(study.armMeans)
        for row in 0..<100 {
            #expect(abs(means[1][row] - means[0][row] - (study.effects?[0][row] ?? .nan)) < 1e-12)
        }
    }

    @Test("No more is fitted than is needed")
    func needs() throws {
        let dataset = try dataset()
        let none = try CausalStudy(fitter(.dr), on: dataset, for: [.covariates])
        #expect(none.propensities == nil && none.effects == nil && none.fitting != nil)
        for learner: LearnerKind in [.dr, .r, .auto, .ensemble] {
            let nuisances = try CausalStudy(fitter(learner), on: dataset, for: .scores)
            #expect(nuisances.parts.isSuperset(of: .scores) && nuisances.effects == nil)
        }
        let effects = try CausalStudy(fitter(.t), on: dataset, for: [.effects])
        #expect(effects.effects?.count == 1)
        let given = GivenColumns(effects: [[Double](repeating: 1, count: 240)])
        let judged = try CausalStudy(fitter(.t), on: dataset, for: [.effects, .scores], given: given)
        #expect(judged.effects == given.effects && judged.origin == .given && judged.armMeans != nil)
    }

    @Test("Columns that cannot be are refused, with what to do")
    func given() throws {
        let dataset = try dataset(rows: 60)
        func refusal(_ given: GivenColumns) -> MetaLearnersError? {
            #expect(throws: MetaLearnersError.self) { try CausalStudy(dataset, given: given) }
        }
        let ones = [Double](repeating: 1, count: 60)
        #expect(refusal(GivenColumns(effects: [ones, ones]))?.location == "effects")
        #expect(refusal(GivenColumns(effects: [Array(ones.dropLast())]))?.problem.contains("59 rows") == true)
        #expect(
            refusal(GivenColumns(effects: [ones.map { _ in .nan }]))?.problem.contains("row index 0") == true)
        #expect(refusal(GivenColumns(propensities: [ones]))?.location == "propensities")
        #expect(refusal(GivenColumns(armMeans: [ones]))?.location == "arm means")
        let error = #expect(throws: MetaLearnersError.self) {
            try AIPWAnalysis().run(CausalStudy(dataset, given: GivenColumns(effects: [ones])))
        }
        #expect(error?.kind == .unsupported && error?.problem.contains("propensities") == true)
    }

    @Test("Of an outcome of classes one is chosen")
    func classes() throws {
        let data = try SyntheticDataset.linear(rows: 240, seed: 5)
        let dataset = try CausalDataset(
            covariates: data.covariates, treatment: data.treatment,
            outcome: Outcome(
                data.outcome.map { $0 < -0.5 ? 0 : $0 < 0.5 ? 1 : 2 },
                kind: .classes(labels: ["a", "b", "c"])))
        let model = try fitter(.t).fit(dataset)
        let averages = try model.averageEffects(.ate)
        for (index, label) in ["a", "b", "c"].enumerated() {
            let study = try CausalStudy(model, on: dataset, ofClass: label)
            #expect(study.isBinary && study.names.outcome == "outcome = \(label)")
            #expect(study.effects?[0] == model.trainingEffects[index])
            let table = try #require(try AIPWAnalysis().run(study).table(named: "estimates"))
            #expect(abs(table.numbers("estimate")[0] - averages[index].estimate) < 1e-10)
        }
        for label in [nil, "d"] {
            let error = #expect(throws: MetaLearnersError.self) {
                try CausalStudy(model, on: dataset, ofClass: label)
            }
            #expect(error?.kind == .invalidArgument && error?.location == "class")
        }
    }
}

@Suite("Analyses")
struct AnalysisRegistryTests {
    /// An analysis in one file: what an app, or the next of ours, has to write.
    struct Range: Analysis {
        static let name = "outcome_range"
        static let title = "Range of the outcome"
        static let summary = "Between which numbers the outcome lies"
        static let topic = AnalysisTopic.checks
        static let parameters: [Parameter<Range>] = [
            .number(
                "factor", \.factor, in: 0...10, exclusiveLower: true, "what the numbers are multiplied by")
        ]
        var factor = 1.0
        var needs: StudyParts { [] }

        func run(_ study: CausalStudy, _ scheduler: Scheduler) throws(MetaLearnersError) -> AnalysisResult {
            var result = AnalysisResult(analysis: Self.name, title: Self.title)
            let (low, high) = (study.outcome.min() ?? 0, study.outcome.max() ?? 0)
            result.values["low"] = .number(low * factor)
            result.values["high"] = .number(high * factor)
            result.rowColumns = [RowColumn("scaled", study.outcome.map { $0 * factor })]
            return result
        }
    }

    @Test("An analysis of an app is found by its name, with its options")
    func toy() throws {
        let registry = AnalysisRegistry.default.registering(Range.self)
        let data = try SyntheticDataset.linear(rows: 50, seed: 1)
        let dataset = try CausalDataset(
            covariates: data.covariates, treatment: data.treatment, outcome: Outcome(data.outcome))
        let study = try CausalStudy(dataset, given: GivenColumns())
        let analysis = try registry.analysis(["analysis": "Outcome-Range", "factor": 2])
        let result = try analysis.run(study)
        #expect(result.specValue.objectValue?["high"]?.doubleValue == 2 * (data.outcome.max() ?? 0))
        #expect(result.rowColumns[0].values == data.outcome.map { $0 * 2 })
        #expect(registry.specValue.json().contains("what the numbers are multiplied by"))
        for (request, word): (SpecValue, String) in [
            ("outcome_rang", "outcome_range"), (["analysis": "outcome_range", "factr": 1], "factor"),
            (["analysis": "outcome_range", "factor": 11], "0 < x ≤ 10"), ([:], "analysis"), (3, "mapping"),
        ] {
            let error = #expect(throws: MetaLearnersError.self) { try registry.analysis(request) }
            #expect(error?.kind == .invalidSpec && error?.description.contains(word) == true, "\(request)")
        }
    }

    @Test("Every analysis has a name, a title and a question of its own, and options that read back")
    func descriptions() throws {
        let types = AnalysisRegistry.default.analyses
        #expect(
            Set(types.map { $0.name }).count == types.count
                && Set(types.map { $0.title }).count == types.count)
        for type in types {
            #expect(type.name.allSatisfy { $0.isLowercase || $0 == "_" || $0.isNumber }, "\(type.name)")
            #expect(!type.summary.isEmpty && !type.summary.hasSuffix("."), "\(type.name)")
            let defaults = type.init()
            #expect(
                try type.init(defaults.specValue, at: .root).specValue == defaults.specValue, "\(type.name)")
        }
    }
}
