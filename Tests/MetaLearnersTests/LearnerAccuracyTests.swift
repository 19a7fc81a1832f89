import MetaLearners
import MetaLearnersCore
import Testing
import _TestSupport

@Suite("Accuracy on known effects")
struct LearnerAccuracyTests {
    /// What part of the effects' own standard deviation the root mean squared error of out-of-fold effects stays below:
    /// on setup B, a trial, and on setup D, where treatment is confounded and the effect is no line. A constant, the
    /// best one included, has 1. Each bound is the worst of three draws when it was set, and a tenth more. (F, M and U
    /// divide by small numbers and are known for their variance; S shrinks.)
    private static let bounds: [LearnerKind: (b: Double, d: Double)] = [
        .s: (0.6, 0.75), .t: (0.56, 0.47), .f: (0.44, 0.61), .m: (0.44, 0.61), .x: (0.22, 0.64),
        .u: (0.21, 0.68), .r: (0.22, 0.61), .ra: (0.22, 0.59), .dr: (0.24, 0.6),
    ]

    private static let models: SpecValue = [
        "outcome": ["backend": "trees", "trees": 30, "learning_rate": 0.15],
        "propensity": ["backend": "logistic"],
        "effect": ["backend": "ridge"],
    ]

    private func effects(_ data: SyntheticDataset, _ learner: LearnerKind) throws -> [Double] {
        try Linear.fit(data.dataset, learner, models: Self.models).trainingEffects[0]
    }

    @Test(
        "Effects that differ are found: every learner is well below what a constant has",
        arguments: LearnerKind.single)
    func heterogeneity(learner: LearnerKind) throws {
        let bound = try #require(Self.bounds[learner])
        for (setup, bound) in [(NieWagerSetup.b, bound.b), (.d, bound.d)] {
            let data = try SyntheticDataset.nieWager(setup, rows: 1000, noise: 0.5, seed: 17)
            let truth = data.effects[0]
            let spread = Approximate.rootMeanSquare(
                truth, [Double](repeating: Approximate.mean(truth), count: truth.count))
            let error = try Approximate.rootMeanSquare(effects(data, learner), truth)
            #expect(error < bound * spread, "\(setup): \(error / spread)")
        }
    }

    @Test(
        "Confounding is taken out: on setup C less than half of the difference of means' bias is left",
        arguments: LearnerKind.single.filter { $0 != .u })
    func confounding(learner: LearnerKind) throws {
        // (The U-learner's residuals are divided by small ones here; it is not made for such propensities.)
        let data = try SyntheticDataset.nieWager(.c, rows: 1000, noise: 0.5, seed: 17)
        func mean(ofArm arm: Int32) -> Double {
            Approximate.mean(
                data.outcome.indices.filter { data.treatment.arms[$0] == arm }.map { data.outcome[$0] })
        }
        let naive = mean(ofArm: 1) - mean(ofArm: 0) - 1
        #expect(abs(naive) > 1)
        #expect(try abs(Approximate.mean(effects(data, learner)) - 1) < 0.5 * abs(naive))
    }
}
