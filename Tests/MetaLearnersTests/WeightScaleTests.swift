import MetaLearnersCore
import MetaLearnersKit
import Testing
import _TestSupport

@testable import MetaLearners

@Suite("The scale of sample weights")
struct WeightScaleTests {
    private static let factors: [Double] = [1 / 150.0, 1e-6, 3, 1e-300, 1e300]

    private func weighted(_ data: CausalDataset, times factor: Double) throws -> CausalDataset {
        var stream = RandomStream(seed: 2)
        return try CausalDataset(
            covariates: data.covariates, treatment: data.treatment, outcome: data.outcome,
            weights: data.treatment.arms.map { _ in (0.25 + stream.uniform()) * factor })
    }

    @Test(
        "A common factor of the weights leaves every byte of a model as it was",
        arguments: [LearnerKind.s, .t, .x, .r, .dr, .u, .f, .ra, .auto],
        ["linear", "trees", "forest", "bart"])
    func anyFactor(learner: LearnerKind, backend: String) throws {
        // The others see the weights where these do.
        guard backend == "linear" || [.s, .r, .dr].contains(learner) else { return }
        let data = try SyntheticDataset.nieWager(.a, rows: 150, seed: 3).dataset
        let base: SpecValue =
            switch backend {
            case "trees": ["backend": "trees", "trees": 8]
            case "forest": ["backend": "forest", "trees": 6]
            case "bart": ["backend": "bart", "trees": 4, "effect_trees": 3, "sweeps": 4, "burn_in": 1]
            default: ["backend": "ridge"]
            }
        let models: SpecValue = ["outcome": base, "propensity": ["backend": "logistic"], "effect": base]
        let expected = try Linear.fit(weighted(data, times: 1), learner, models: models).encoded()
        for factor in backend == "linear" && learner != .auto ? Self.factors : [1e-6, 1e300] {
            let bytes = try Linear.fit(weighted(data, times: factor), learner, models: models).encoded()
            #expect(bytes == expected, "\(factor)")
        }
    }

    @Test("An ensemble and bootstrapped intervals do not move either")
    func ensembleAndIntervals() throws {
        let data = try SyntheticDataset.nieWager(.a, rows: 150, seed: 4).dataset
        let specs: [SpecValue] = [
            [
                "learner": "ensemble", "cross_fitting": ["folds": 3],
                "ensemble": ["members": [["learner": "t"], ["learner": "r"]]],
                "models": ["outcome": "ridge", "propensity": "logistic", "effect": "ridge"],
            ],
            [
                "learner": "t", "cross_fitting": ["folds": 3],
                "intervals": ["method": "bootstrap", "samples": 20],
                "models": ["outcome": "ridge", "propensity": "logistic", "effect": "ridge"],
            ],
        ]
        for spec in specs {
            let fitter = try MetaLearnerFitter(MetaLearnerSpec(spec))
            let expected = try fitter.fit(weighted(data, times: 1)).encoded()
            for factor in [1 / 150.0, 1e-300, 1e300] {
                #expect(try fitter.fit(weighted(data, times: factor)).encoded() == expected)
            }
        }
    }

    @Test("Equal weights of any size say what no weights say")
    func equalWeights() throws {
        let data = try SyntheticDataset.nieWager(.a, rows: 150, seed: 5).dataset
        let plain = try Linear.fit(data, .dr, models: DeterminismTests.trees).trainingEffects[0]
        let equal = try CausalDataset(
            covariates: data.covariates, treatment: data.treatment, outcome: data.outcome,
            weights: [Double](repeating: 1 / 150, count: 150))
        let other = try Linear.fit(equal, .dr, models: DeterminismTests.trees).trainingEffects[0]
        #expect(Approximate.largestDifference(plain, other) < 1e-9)
    }
}
