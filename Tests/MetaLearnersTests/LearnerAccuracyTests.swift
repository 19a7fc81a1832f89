import MetaLearners
import MetaLearnersCore
import Testing
import _TestSupport

@Suite("Accuracy on known effects")
struct LearnerAccuracyTests {
    /// The root mean squared error of out-of-fold effects that each learner stays under, on setups A to D: what
    /// was measured when the test was written, and 30 % more. (The effects' standard deviations are about 0.2, 1.1,
    /// 0 and 1.3. F, M and U divide by small numbers and are known for their variance.)
    private static let bounds: [LearnerKind: [Double]] = [
        .s: [0.4, 0.95, 0.7, 1.35],
        .t: [0.55, 0.9, 1.1, 1.0],
        .f: [2.6, 0.8, 1.4, 1.0],
        .m: [2.6, 0.8, 1.4, 1.0],
        .x: [0.35, 0.45, 1.05, 0.9],
        .u: [1.1, 0.45, 9.0, 1.3],
        .r: [0.35, 0.4, 0.5, 0.9],
        .ra: [0.4, 0.45, 0.7, 0.9],
        .dr: [1.1, 0.45, 0.8, 0.95],
    ]

    private static let models: SpecValue = [
        "outcome": ["backend": "trees", "trees": 30, "learning_rate": 0.15],
        "propensity": ["backend": "logistic"],
        "effect": ["backend": "ridge"],
    ]

    @Test(
        "Nie & Wager's setups: each learner stays within its RMSE", arguments: NieWagerSetup.allCases,
        LearnerKind.single)
    func nieWager(setup: NieWagerSetup, learner: LearnerKind) throws {
        let data = try SyntheticDataset.nieWager(setup, rows: 400, noise: 0.5, seed: 17)
        let model = try Linear.fit(data.dataset, learner, models: Self.models)
        let error = Approximate.rootMeanSquare(model.trainingEffects[0], data.effects[0])
        let position = try #require(NieWagerSetup.allCases.firstIndex(of: setup))
        let bound = try #require(Self.bounds[learner]?[position])
        #expect(error < bound, "\(error)")
        #expect(model.trainingEffects[0].allSatisfy { $0.isFinite })
    }
}
