import MetaLearnersCore
import MetaLearnersKit
import Testing
import _TestSupport

@Suite("What is fitted can be read back")
struct ReadableTests {
    private func data(scale: Double, weight: Double) throws -> CausalDataset {
        var stream = RandomStream(seed: 5)
        let rows = 100
        let x = (0..<rows).map { _ in stream.uniform() }
        let arms = (0..<rows).map { Int32($0 % 2) }
        return try CausalDataset(
            covariates: Table([Column("x", x.map { $0 * scale }), Column("z", x.map { $0 * $0 })]),
            treatment: Treatment(arms: arms, labels: ["0", "1"]),
            outcome: Outcome((0..<rows).map { (x[$0] + Double(arms[$0])) * scale }),
            weights: (0..<rows).map { $0 == 3 ? weight : 1 })
    }

    @Test(
        "A fit gives a model that its file gives back, or an error: numbers near the ends of what a double holds",
        arguments: LearnerKind.allCases, [1e-308, 1e-154, 1e154, 1e300])
    func extremes(learner: LearnerKind, scale: Double) throws {
        for weight in [1, Double.leastNonzeroMagnitude * 1e12, 1e308] {
            for calibration in ["none", "isotonic"] {
                var models: SpecValue = [
                    "outcome": "ols", "effect": "ridge", "propensity": ["calibration": .string(calibration)],
                ]
                if learner == .auto { models = ["propensity": ["calibration": .string(calibration)]] }
                let spec = try MetaLearnerSpec([
                    "learner": .string(learner.rawValue), "models": models, "cross_fitting": ["folds": 2],
                ])
                do throws(MetaLearnersError) {
                    let model = try MetaLearnerFitter(spec).fit(data(scale, weight))
                    let bytes = model.encoded()
                    #expect(try CATEModel(bytes: bytes).encoded() == bytes)
                } catch {
                    #expect([.numericalFailure, .invalidData].contains(error.kind), "\(error)")
                }
            }
        }
    }

    private func data(_ scale: Double, _ weight: Double) throws(MetaLearnersError) -> CausalDataset {
        do { return try data(scale: scale, weight: weight) } catch {
            throw error as? MetaLearnersError ?? MetaLearnersError(.internalFault, "\(error)")
        }
    }
}
