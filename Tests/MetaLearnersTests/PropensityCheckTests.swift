import MetaLearnersCore
import MetaLearnersKit
import Testing
import _TestSupport

@testable import MetaLearners

@Suite("The second look at average effects")
struct PropensityCheckTests {
    /// Rows whose treatment depends on x² (or on x, where it `isLinear`), and whose outcome does, too.
    private func data(
        rows: Int = 800, isLinear: Bool = false, seed: UInt64 = 3, weighted: Bool = false,
        clustered: Bool = false,
        arms armCount: Int = 2
    ) throws -> CausalDataset {
        var stream = RandomStream(seed: seed)
        let x = (0..<rows).map { _ in stream.normal() }
        let other = (0..<rows).map { _ in stream.normal() }
        let arms = x.map { x in
            let odds = isLinear ? x : 1.2 * x * x - 1
            let isTreated = stream.uniform() < 1 / (1 + Double.exp(-odds))
            return isTreated ? Int32(1 + stream.integer(below: armCount - 1)) : 0
        }
        let outcome = zip(x, arms).map { (isLinear ? $0 : $0 * $0) + (Double($1) + stream.normal()) / 2 }
        return try CausalDataset(
            covariates: Table([Column("x", x), Column("other", other)]),
            treatment: Treatment(arms: arms, labels: (0..<armCount).map { "\($0)" }),
            outcome: Outcome(outcome),
            weights: weighted ? x.map { 1 + abs($0) / 2 } : nil,
            clusters: clustered ? (0..<Int32(rows)).map { $0 / 2 } : nil)
    }

    private func found(
        _ data: CausalDataset, _ learner: LearnerKind = .dr, propensity: SpecValue = "logistic",
        keys: SpecObject = SpecObject()
    ) throws -> [String] {
        var spec = keys
        spec["learner"] = .string(learner.rawValue)
        spec["cross_fitting"] = ["folds": 2]
        // Straight lines miss x² in the outcome, too.
        if learner != .auto {
            spec["models"] = ["outcome": "ols", "effect": "ols", "propensity": propensity]
        }
        let model = try MetaLearnerFitter(MetaLearnerSpec(.object(spec))).fit(
            data, ExecutionOptions(threads: 1))
        return model.warnings.filter { $0.hasPrefix("propensity: together with") }
    }

    @Test(
        "Whatever the learner, the model says that a logistic propensity misses the confounding",
        arguments: LearnerKind.single + [.ensemble])
    func everyLearner(learner: LearnerKind) throws {
        let warning = try #require(found(data(), learner).first)
        #expect(warning.contains("together with trees") && warning.contains("downwards"))
        #expect(warning.contains("use models.propensity: stack"))
        #expect(try found(data(isLinear: true), learner).isEmpty)
    }

    @Test("What auto stacks needs no second opinion")
    func auto() throws {
        #expect(try found(data(), .auto).isEmpty)
    }

    @Test("With weights, clusters and several arms, each arm with its own shift")
    func shapes() throws {
        #expect(try found(data(weighted: true, clustered: true)).count == 1)
        let warning = try #require(found(data(rows: 1600, arms: 3)).first)
        #expect(warning.contains("of arm '1' by") && warning.contains("of arm '2' by"))
    }

    @Test("Without outcomes of the arms, without the check, and with known propensities nothing is said")
    func silent() throws {
        #expect(try found(data(), keys: ["overlap": ["check": false]]).isEmpty)
        #expect(try found(data(), .r, keys: ["average_effects": false]).isEmpty)
    }

    @Test("A logistic treatment gives no alarm", arguments: [1, 2, 3, 4, 5, 6, 7, 8] as [UInt64])
    func falseAlarms(seed: UInt64) throws {
        #expect(try found(data(rows: 400, isLinear: true, seed: seed)).isEmpty)
    }
}
