import MetaLearnersCore
import MetaLearnersKit
import Testing
import _TestSupport

@Suite("Warnings of little overlap")
struct OverlapWarningTests {
    /// The treatment nearly follows x: all but every eighth row near 0.
    private func data(steepness: Double) throws -> CausalDataset {
        var stream = RandomStream(seed: 9)
        let x = (0..<400).map { _ in stream.normal() }
        let arms = x.map { Int32(stream.uniform() < 1 / (1 + Double.exp(-steepness * $0)) ? 1 : 0) }
        return try CausalDataset(
            covariates: Table([Column("x", x)]), treatment: Treatment(arms: arms, labels: ["0", "1"]),
            outcome: Outcome(zip(x, arms).map { $0 + Double($1) }))
    }

    private func warnings(_ learner: LearnerKind, steepness: Double, policy: String) throws -> [String] {
        let spec = try MetaLearnerSpec([
            "learner": .string(learner.rawValue),
            "models": learner == .auto ? [:] : ["outcome": "ols", "effect": "ols"],
            "overlap": ["policy": .string(policy), "bounds": [0.05, 0.95]], "cross_fitting": ["folds": 2],
        ])
        return try MetaLearnerFitter(spec).fit(data(steepness: steepness)).warnings
    }

    @Test(
        "From a tenth of the rows on, the model says that its averages extrapolate",
        arguments: LearnerKind.allCases)
    func clipped(learner: LearnerKind) throws {
        let steep = try warnings(learner, steepness: 5, policy: "clip")
        #expect(steep.contains { $0.contains("extrapolation") && $0.contains("overlap.policy: trim") })
        let gentle = try warnings(learner, steepness: 0.5, policy: "clip")
        #expect(!gentle.contains { $0.contains("extrapolation") })
    }

    @Test("After trimming it says whose averages they are")
    func trimmed() throws {
        let steep = try warnings(.dr, steepness: 5, policy: "trim")
        #expect(steep.contains { $0.contains("% of rows that were kept, not of all rows") })
    }
}
