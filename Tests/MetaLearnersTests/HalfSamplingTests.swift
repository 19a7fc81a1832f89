import MetaLearnersCore
import MetaLearnersKit
import Testing
import _TestSupport

@testable import MetaLearners

@Suite("Intervals by half-sampling")
struct HalfSamplingTests {
    private static let intervals: SpecValue = ["method": "half_sampling", "samples": 20]

    private func fitter(_ learner: LearnerKind, _ keys: [(String, SpecValue)] = []) throws
        -> MetaLearnerFitter
    {
        var object = SpecObject([
            ("learner", .string(learner.rawValue)), ("cross_fitting", ["folds": 3]),
            ("intervals", Self.intervals),
        ])
        if learner != .auto { object["models"] = Linear.models }
        for (key, value) in keys { object[key] = value }
        return try MetaLearnerFitter(MetaLearnerSpec(.object(object)))
    }

    @Test(
        "Every learner has them, the same on any number of threads and out of its file",
        arguments: LearnerKind.allCases)
    func everyLearner(learner: LearnerKind) throws {
        let law = try SyntheticDataset.linear(rows: 200, seed: 41)
        let fitter = try fitter(learner)
        let model = try fitter.fit(law.dataset, ExecutionOptions(threads: 2))
        #expect(try fitter.fit(law.dataset, ExecutionOptions(threads: 1)).encoded() == model.encoded())
        #expect(model.intervalMethod == .halfSampling)
        let fresh = try SyntheticDataset.linear(rows: 400, seed: 42)
        let wide = try model.predict(PredictionRequest(.intervals), for: .new(fresh.covariates))
        #expect(wide.names == ["cate", "cate_lower", "cate_upper"])
        #expect(wide.meaning?.contains("20 fits to half of the rows") == true)
        #expect(
            try CATEModel(bytes: model.encoded()).predict(
                PredictionRequest(.intervals), for: .new(fresh.covariates)) == wide)
        let narrow = try model.predict(PredictionRequest(.intervals, level: 0.5), for: .new(fresh.covariates))
        for row in 0..<400 {
            #expect(
                wide.columns[1][row] < narrow.columns[1][row] && narrow.columns[1][row] < wide.columns[0][row]
            )
        }
        let held = (0..<400).filter {
            wide.columns[1][$0] <= fresh.effects[0][$0] && fresh.effects[0][$0] <= wide.columns[2][$0]
        }
        // No band is so wide that it says nothing: the effects' standard deviation is 1.03.
        let width = Approximate.mean(zip(wide.columns[2], wide.columns[1]).map { $0 - $1 }) / 2
        #expect(width < 2.5, "\(width)")
        // (Without products, S on linear models knows one effect for all.)
        if learner != .s { #expect(held.count > 340, "\(held.count)") }
    }

    @Test("Whole clusters are halved, and arms are compared with one another")
    func clusters() throws {
        let once = try SyntheticDataset.multiArm(rows: 90, seed: 43).dataset
        let copies = (0..<Int32(90)).flatMap { [$0, $0, $0, $0] }
        let four = try once.taking(copies)
        let clustered = try CausalDataset(
            covariates: four.covariates, treatment: four.treatment, outcome: four.outcome, clusters: copies)
        let fitter = try fitter(.t, [("intervals", ["method": "half_sampling", "samples": 60])])
        func width(_ data: CausalDataset) throws -> Double {
            let columns = try fitter.fit(data).predict(
                PredictionRequest(.intervals, arm: "2", baseline: "1"), for: .new(once.covariates)
            ).columns
            return Approximate.mean(zip(columns[2], columns[1]).map { $0 - $1 })
        }
        let ofOne = try width(once)
        #expect(try abs(width(clustered) / ofOne - 1) < 0.3)
        #expect(try width(four) / ofOne < 0.75)
    }

    @Test("The disagreement of the members of a combination is added, and a learner by itself has none")
    func allowances() throws {
        let law = try SyntheticDataset.linear(rows: 200, seed: 44)
        func allowances(_ learner: LearnerKind, _ keys: [(String, SpecValue)] = []) throws -> [Double] {
            let model = try fitter(learner, keys).fit(law.dataset)
            guard case .halfSampling(_, let allowances)? = model.intervals else { return [] }
            return allowances
        }
        #expect(try allowances(.t) == [0])
        #expect(try allowances(.auto)[0] > 0)
        let members: [LearnerKind] = [.s, .t]
        let found = try allowances(
            .ensemble, [("ensemble", ["members": .array(members.map { .string($0.rawValue) })])])
        let own = try fitter(
            .ensemble, [("ensemble", ["members": .array(members.map { .string($0.rawValue) })])]
        )
        .fit(law.dataset)
        let effects = try members.map { try Linear.fit(law.dataset, $0).trainingEffects[0] }
        // The weights of the two are in the model's details; twice the variance under them is 2ab times the squared distance.
        let stack = try #require((own.predictor as? EnsemblePredictor)?.stacks.first)
        let shares = stack.weights.map { $0 / stack.weights.reduce(0, +) }
        let distance = Approximate.mean(zip(effects[0], effects[1]).map { ($0 - $1) * ($0 - $1) })
        let expected = 2 * shares[0] * shares[1] * distance
        #expect(abs(found[0] - expected) <= 1e-9 * (1 + expected), "\(found), \(expected)")
        // Two methods with equal weights, one row that does not count and one that counts twice.
        let square = try Disagreement.meanSquare(
            [[1, 50, 2], [3, 0, 6]], weights: [0.5, 0.5], rows: [0, 2], rowWeights: [1, 1, 2])
        #expect(abs(square - (1.0 * 2 + 2 * 8) / 3) < 1e-12)
        #expect(try Disagreement.meanSquare([[1], [9]], weights: [1, 0], rows: [0], rowWeights: nil) == 0)
    }

    @Test(
        "Ratios have none: refused before anything is fitted where the spec asks for them, and when they are predicted"
    )
    func ratios() throws {
        let law = try SyntheticDataset.binary(rows: 200, seed: 45)
        let models: SpecValue = ["outcome": ["backend": "logistic"], "propensity": ["backend": "logistic"]]
        let model = try fitter(.t, [("models", models)]).fit(law.dataset)
        let error = #expect(throws: MetaLearnersError.self) {
            try model.predict(PredictionRequest(.intervals, scale: .ratio), for: .new(law.covariates))
        }
        #expect(error?.description.contains("differences") == true)
        let refused = #expect(throws: MetaLearnersError.self) {
            try fitter(.t, [("models", models), ("effect_scale", "ratio")]).fit(law.dataset)
        }
        #expect(refused?.description.contains("effect_scale: difference") == true)
    }
}
