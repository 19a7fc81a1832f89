import MetaLearners
import MetaLearnersCore
import Testing
import _TestSupport

@Suite("Accuracy on known effects")
struct LearnerAccuracyTests {
    /// The root mean squared error of out-of-fold effects that each learner stays under, on setups A to D.
    private static let bounds: [LearnerKind: [Double]] = [:]

    private static let models: SpecValue = [
        "outcome": ["backend": "trees", "trees": 30, "learning_rate": 0.15],
        "propensity": ["backend": "logistic"],
        "effect": ["backend": "ridge"],
    ]

    @Test(
        "Nie & Wager's setups: each learner stays within its RMSE", arguments: NieWagerSetup.allCases,
        LearnerKind.allCases)
    func nieWager(setup: NieWagerSetup, learner: LearnerKind) throws {
        let data = try SyntheticDataset.nieWager(setup, rows: 400, noise: 0.5, seed: 17)
        let model = try Linear.fit(data.dataset, learner, models: Self.models)
        let error = Approximate.rootMeanSquare(model.trainingEffects[0], data.effects[0])
        print("RMSE", setup, learner, error)
        #expect(error < (Self.bounds[learner]?[0] ?? 100))
    }
}
