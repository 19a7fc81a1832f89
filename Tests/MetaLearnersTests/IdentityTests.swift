import LinearEstimators
import MetaLearnersCore
import MetaLearnersKit
import Testing
import _TestSupport

@testable import MetaLearners

@Suite("Identities")
struct IdentityTests {
    @Test("A linear T-learner equals a linear X-learner where both see the same rows", arguments: [2, 3])
    func linearTEqualsLinearX(arms: Int) throws {
        let data = try SyntheticDataset.multiArm(rows: 200, arms: arms, seed: 1).dataset
        let t = try Linear.fit(data, .t, folds: 1)
        // Averages of these rows are by models that saw them, which is said; in two folds there is nothing to say.
        #expect(t.warnings.contains { $0.contains("cross_fitting.folds: 1") })
        #expect(try !Linear.fit(data, .t, folds: 2).warnings.contains { $0.contains("cross_fitting.folds") })
        let x = try Linear.fit(data, .x, folds: 1)
        let fresh = try SyntheticDataset.multiArm(rows: 50, arms: arms, seed: 2).covariates
        for arm in 0..<(arms - 1) {
            #expect(Approximate.largestDifference(t.trainingEffects[arm], x.trainingEffects[arm]) < 1e-10)
            #expect(
                try Approximate.largestDifference(
                    t.predict(fresh).effects[arm], x.predict(fresh).effects[arm]) < 1e-10)
        }
    }

    @Test(
        "True nuisances and no noise give the true linear effect",
        arguments: [LearnerKind.x, .u, .r, .ra, .dr])
    func trueNuisances(kind: LearnerKind) throws {
        var stream = RandomStream(seed: 12)
        let rows = 300
        let x = (0..<2).map { _ in (0..<rows).map { _ in stream.normal() } }
        let control = x[0].map { $0 * $0 - 1 / (1 + $0 * $0) }
        let effects = (1...2).map { arm in (0..<rows).map { Double(arm) * (0.5 + x[0][$0]) - 0.25 * x[1][$0] }
        }
        let means = [control] + effects.map { zip(control, $0).map { $0 + $1 } }
        var propensities = (0..<3).map { arm in x[1].map { 1 + Double(arm) / (1 + $0 * $0) } }
        for row in 0..<rows {
            let total = propensities.reduce(0) { $0 + $1[row] }
            for arm in 0..<3 { propensities[arm][row] /= total }
        }
        let arms = (0..<rows).map { row in Int32(stream.index(of: propensities.map { $0[row] })) }
        let marginal = (1...2).map { arm in
            (0..<rows).map { row in
                let share = propensities[arm][row] / (propensities[0][row] + propensities[arm][row])
                return (1 - share) * control[row] + share * means[arm][row]
            }
        }
        let dataset = try CausalDataset(
            covariates: Table([Column("a", x[0]), Column("b", x[1])]),
            treatment: Treatment(arms: arms, labels: ["0", "1", "2"]),
            outcome: Outcome((0..<rows).map { means[Int(arms[$0])][$0] }))
        let nuisances = try NuisanceEstimates(
            propensities: propensities, armOutcomes: means, marginalOutcomes: marginal)
        var spec = MetaLearnerSpec()
        spec.learner = kind
        let learner = try #require(Registry.default.metaLearner(of: spec))
        let estimator = try OLSEstimator(OLSSpec())
        for direct in [true, false] {
            var predictions: [EffectRole: [Double]] = [:]
            for role in learner.effectRoles(armCount: 3) {
                let task = try learner.pseudoOutcome(role, dataset, nuisances).task(
                    dataset, direct: direct, seed: 1)
                predictions[role] = try estimator.fit(task, ExecutionContext())
                    .predict(dataset.covariates, rows: nil, ExecutionContext())
            }
            for arm in 1...2 {
                let found = try learner.effect(of: arm, nuisances, EffectPredictions(predictions))
                #expect(Approximate.largestDifference(found, effects[arm - 1]) < 1e-10)
            }
        }
    }

    @Test("Permuting rows with their folds permutes the results", arguments: LearnerKind.single)
    func permutation(learner: LearnerKind) throws {
        let data = try SyntheticDataset.multiArm(rows: 120, seed: 3).dataset
        let folds = try FoldAssignment(data, count: 3, seed: 1)
        var order = Array(0..<Int32(120))
        var stream = RandomStream(seed: 1)
        stream.shuffle(&order)
        let plain = try Linear.fit(data, learner, injecting: folds)
        let permuted = try Linear.fit(
            data.taking(order), learner,
            injecting: FoldAssignment(order.map { folds.folds[Int($0)] }, count: 3))
        for arm in 0..<2 {
            let expected = order.map { plain.trainingEffects[arm][Int($0)] }
            #expect(Approximate.largestDifference(permuted.trainingEffects[arm], expected) < 1e-10)
            let left = try plain.predict(data.covariates).effects[arm]
            let right = try permuted.predict(data.covariates).effects[arm]
            #expect(Approximate.largestDifference(left, right) < 1e-10)
        }
    }

    @Test("Relabelling the arms flips the sign", arguments: LearnerKind.single)
    func relabelling(learner: LearnerKind) throws {
        let data = try SyntheticDataset.nieWager(.c, rows: 150, seed: 3).dataset
        let folds = try FoldAssignment(data, count: 3, seed: 1)
        let swapped = try CausalDataset(
            covariates: data.covariates,
            treatment: Treatment(arms: data.treatment.arms.map { 1 - $0 }, labels: ["1", "0"]),
            outcome: data.outcome)
        let plain = try Linear.fit(data, learner, injecting: folds)
        let other = try Linear.fit(swapped, learner, injecting: folds)
        let flipped = other.trainingEffects[0].map { -$0 }
        #expect(Approximate.largestDifference(plain.trainingEffects[0], flipped) < 1e-10)
        let left = try plain.predict(data.covariates).effects[0]
        let right = try other.predict(data.covariates).effects[0].map { -$0 }
        #expect(Approximate.largestDifference(left, right) < 1e-10)
    }

    /// Models of penalised base learners. Weights have mean 1, so against rows that are doubled the penalty of weighted ones
    /// counts as much more as there are more rows.
    private func models(outcome: String, effect: String, penalty: Double) -> SpecValue {
        func model(_ backend: String) -> SpecValue {
            backend == "ols" ? ["backend": "ols"] : ["backend": .string(backend), "l2": .number(penalty)]
        }
        return ["outcome": model(outcome), "propensity": model("logistic"), "effect": model(effect)]
    }

    @Test("Doubling a weight equals doubling a row", arguments: LearnerKind.single, ["ols", "ridge"])
    func weights(learner: LearnerKind, backend: String) throws {
        let data = try SyntheticDataset.binary(rows: 120, seed: 3)
        let outcome = data.outcome.enumerated().map { $1 + 0.1 * Double($0 % 5) }
        let plain = try CausalDataset(
            covariates: data.covariates, treatment: data.treatment, outcome: Outcome(outcome))
        let folds = try FoldAssignment(plain, count: 3, seed: 1)
        let all = Array(0..<Int32(120))
        let twice = all.filter { $0 % 3 == 0 }
        let weighted = try Linear.fit(
            plain.taking(all, weights: all.map { $0 % 3 == 0 ? 2 : 1 }), learner,
            models: models(outcome: backend, effect: backend, penalty: 1), injecting: folds)
        let doubled = try Linear.fit(
            plain.taking(all + twice), learner,
            models: models(outcome: backend, effect: backend, penalty: Double(120 + twice.count) / 120),
            injecting: FoldAssignment((all + twice).map { folds.folds[Int($0)] }, count: 3))
        let left = weighted.trainingEffects[0]
        let right = Array(doubled.trainingEffects[0].prefix(120))
        #expect(Approximate.largestDifference(left, right) < 1e-10)
        let fresh = try SyntheticDataset.binary(rows: 20, seed: 4).covariates
        #expect(
            try Approximate.largestDifference(
                weighted.predict(fresh).effects[0], doubled.predict(fresh).effects[0]) < 1e-10)
    }

    @Test(
        "Doubling a weight equals doubling a row where outcomes are binary",
        arguments: [LearnerKind.s, .t, .x, .r, .dr])
    func binaryWeights(learner: LearnerKind) throws {
        let data = try SyntheticDataset.binary(rows: 160, seed: 5).dataset
        let folds = try FoldAssignment(data, count: 3, seed: 1)
        let all = Array(0..<Int32(160))
        let twice = all.filter { $0 % 3 == 0 }
        let weighted = try Linear.fit(
            data.taking(all, weights: all.map { $0 % 3 == 0 ? 2 : 1 }), learner,
            models: models(outcome: "logistic", effect: "ridge", penalty: 1), injecting: folds)
        let doubled = try Linear.fit(
            data.taking(all + twice), learner,
            models: models(
                outcome: "logistic", effect: "ridge", penalty: Double(160 + twice.count) / 160),
            injecting: FoldAssignment((all + twice).map { folds.folds[Int($0)] }, count: 3))
        let right = Array(doubled.trainingEffects[0].prefix(160))
        #expect(Approximate.largestDifference(weighted.trainingEffects[0], right) < 1e-10)
    }

    @Test("The M-learner equals the F-learner with two arms")
    func mEqualsF() throws {
        let data = try SyntheticDataset.nieWager(.a, rows: 150, seed: 6).dataset
        let f = try Linear.fit(data, .f).trainingEffects[0]
        let m = try Linear.fit(data, .m).trainingEffects[0]
        #expect(Approximate.largestDifference(f, m) < 1e-10)
    }

    @Test(
        "Out-of-fold effects of a row do not depend on its own outcome in one-stage learners",
        arguments: [LearnerKind.s, .t])
    func heldOut(learner: LearnerKind) throws {
        let data = try SyntheticDataset.linear(rows: 60, seed: 7).dataset
        let folds = try FoldAssignment(data, count: 3, seed: 1)
        var outcome = data.outcome.values
        outcome[10] += 100
        let changed = try CausalDataset(
            covariates: data.covariates, treatment: data.treatment, outcome: Outcome(outcome))
        let left = try Linear.fit(data, learner, injecting: folds).trainingEffects[0]
        let right = try Linear.fit(changed, learner, injecting: folds).trainingEffects[0]
        for row in folds.rows(in: Int(folds.folds[10])) { #expect(left[Int(row)] == right[Int(row)]) }
        #expect(left != right)
    }
}
