import MetaLearnersCore
import MetaLearnersKit
import Testing
import _TestSupport

@testable import MetaLearners

@Suite("How far the models of the folds differ")
struct StabilityTests {
    private func prediction(rows: Int, noise: Double, learner: String = "t") throws -> Prediction {
        let data = try SyntheticDataset.nieWager(.b, rows: rows, noise: noise, seed: 5)
        let spec: SpecValue = [
            "learner": .string(learner),
            "models": [
                "outcome": ["backend": "trees", "trees": 40, "max_leaves": 8],
                "propensity": ["backend": "logistic"],
            ],
        ]
        let model = try MetaLearnerFitter(MetaLearnerSpec(spec)).fit(data.dataset)
        return try model.predict(PredictionRequest(.stability), for: .new(data.covariates))
    }

    @Test("Where it is more than half of what rows differ by, the prediction says so and what to do")
    func warned() throws {
        let prediction = try prediction(rows: 300, noise: 6)
        let warning = try #require(prediction.warnings.first { $0.contains("models of the folds differ") })
        #expect(warning.hasPrefix("cate_stability: "))
        #expect(warning.contains("cross_fitting.repeats"))
        #expect(prediction.columns[0].allSatisfy { $0 > 0 })
    }

    @Test("Where the models agree, nothing is said")
    func quiet() throws {
        #expect(try prediction(rows: 2000, noise: 0.2).warnings.isEmpty)
    }

    @Test("The share is that of root mean squares, and few rows say nothing")
    func share() throws {
        let effects = (0..<12).map { Double($0 % 2) }
        // Around their mean of ½ the effects deviate by √(12/11)/2 = 0.522.
        let deviation = (12.0 / 11 / 4).squareRoot()
        func note(_ stability: Double, _ effects: [Double]) -> String? {
            CATEModel.unstableNote(
                "cate", [Double](repeating: stability, count: effects.count), effects: effects, of: .t)
        }
        #expect(note(0.49 * deviation, effects) == nil)
        #expect(try #require(note(0.6 * deviation, effects)).contains("by 60 % of"))
        #expect(note(0.6, Array(effects.prefix(9))) == nil)
        #expect(try #require(note(0.1, [Double](repeating: 3, count: 12))).contains("and rows do not"))
        #expect(note(0, [Double](repeating: 3, count: 12)) == nil)
        // auto takes no repeats.
        let ofAuto = CATEModel.unstableNote("cate", effects.map { _ in 1 }, effects: effects, of: .auto)
        #expect(try #require(ofAuto).hasSuffix("More rows make it depend less"))
    }
}
