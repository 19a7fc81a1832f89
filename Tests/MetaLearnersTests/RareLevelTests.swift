import CausalAnalysis
import MetaLearners
import MetaLearnersCore
import MetaLearnersKit
import Testing
import _TestSupport

/// Categories of many levels, and numbers that are seldom missing, which say nothing: they must not spoil what linear
/// models of outcome and propensity find without them.
@Suite("Rare levels")
struct RareLevelTests {
    /// Confounded data whose average effect is 1, with columns of noise beside the three that count.
    static func dataset(rows: Int, levels: Int = 1, gaps: Double = 0, seed: UInt64 = 7) throws
        -> CausalDataset
    {
        var stream = RandomStream(seed: seed)
        let b = (0..<3).map { _ in (0..<rows).map { _ in stream.normal() } }
        var arms: [Int32] = []
        var outcome: [Double] = []
        for row in 0..<rows {
            let treated = stream.bernoulli(1 / (1 + _exp(-0.7 * b[0][row])))
            arms.append(treated ? 1 : 0)
            outcome.append(
                b[0][row] + 0.5 * b[1][row] + (treated ? 1 + 0.5 * b[2][row] : 0) + stream.normal())
        }
        var columns = b.enumerated().map { Column("b\($0)", $1) }
        if levels > 1 {
            columns.append(
                Column("area", categories: (0..<rows).map { _ in "L\(stream.integer(below: levels))" }))
        }
        if gaps > 0 {
            for index in 0..<40 {
                columns.append(
                    Column(
                        "g\(index)", (0..<rows).map { _ in stream.uniform() < gaps ? .nan : stream.normal() })
                )
            }
        }
        return try CausalDataset(
            covariates: Table(columns), treatment: Treatment(arms: arms, labels: ["0", "1"]),
            outcome: Outcome(outcome))
    }

    private static func _exp(_ x: Double) -> Double {
        // Half a dozen squarings of the series: enough for a test's law, and no import.
        let small = x / 64
        var value = 1 + small * (1 + small / 2 * (1 + small / 3 * (1 + small / 4)))
        for _ in 0..<6 { value *= value }
        return value
    }

    @Test(
        "a category that is noise leaves the average effect and its error as they are without it",
        arguments: ["dr", "r"], [50, 100, 200, 1000])
    func noise(learner: String, levels: Int) throws {
        let spec = try MetaLearnerSpec([
            "learner": .string(learner),
            "models": ["outcome": "ridge", "propensity": "logistic", "effect": "ridge"],
        ])
        func average(_ levels: Int) throws -> (estimate: Double, error: Double) {
            let model = try MetaLearnerFitter(spec).fit(Self.dataset(rows: 1000, levels: levels))
            let effect = try model.averageEffects(.ate)[0]
            return (effect.estimate, effect.stdError)
        }
        let without = try average(1)
        let with = try average(levels)
        #expect(abs(with.estimate - without.estimate) < 1.5 * without.error)
        #expect(with.error < 1.35 * without.error)
        #expect(abs(with.estimate - 1) < 3 * with.error)
    }

    @Test("numbers that are seldom missing leave the propensity as it is without their indicators")
    func gaps() throws {
        let spec = try MetaLearnerSpec([
            "learner": "dr",
            "models": ["outcome": "ridge", "propensity": "logistic", "effect": "ridge"],
        ])
        let model = try MetaLearnerFitter(spec).fit(Self.dataset(rows: 1000, gaps: 0.003))
        let effect = try model.averageEffects(.ate)[0]
        #expect(abs(effect.estimate - 1) < 3 * effect.stdError)
        #expect(effect.stdError < 0.11)
    }
}
