import MetaLearnersCore
import Testing
import _TestSupport

@testable import AutoLearner
@testable import MetaLearners

/// Five rows of three arms, with numbers that were worked out by hand: what each learner's effect model is fitted to, and
/// how predictions are put together. The nuisances are wrong on purpose, so that no term cancels.
@Suite("Formulas of the learners, by hand")
struct LearnerFormulaTests {
    private func data() throws -> CausalDataset {
        try CausalDataset(
            covariates: Table([Column("x", [0, 1, 2, 3, 4])]),
            treatment: Treatment(arms: [0, 1, 2, 0, 1], labels: ["0", "1", "2"]),
            outcome: Outcome([1, 2, 4, 3, 6]), weights: [0.5, 1.5, 1, 0.75, 1.25])
    }

    private func nuisances() throws -> NuisanceEstimates {
        try NuisanceEstimates(
            propensities: [
                [0.5, 0.4, 0.25, 0.2, 0.5], [0.2, 0.1, 0.5, 0.6, 0.25], [0.3, 0.5, 0.25, 0.2, 0.25],
            ],
            armOutcomes: [[0.5, 1, 2, 2.5, 4], [1, 3, 2, 4, 5], [0, 1, 3, 2, 2]],
            marginalOutcomes: [[1.5, 1, 3, 2, 5], [1, 1, 1, 1, 1]])
    }

    private func target(_ learner: any MetaLearner, _ part: EffectRole.Part = .effect, overlap: [Bool]? = nil)
        throws
        -> PseudoOutcome
    {
        var nuisances = try nuisances()
        nuisances.hasOverlap = overlap
        return try learner.pseudoOutcome(EffectRole(arm: 1, part: part), data(), nuisances)
    }

    private func values(_ target: PseudoOutcome) -> [Double] { target.rows.map { target.values[Int($0)] } }

    @Test("Targets, and the rows that they are of")
    func targets() throws {
        let dr = try target(DRLearner())
        #expect(dr.rows == [0, 1, 2, 3, 4])
        #expect(Approximate.equal(values(dr), [-0.5, -8, 0, -1, 5], 1e-12))
        let ra = try target(RALearner())
        #expect(ra.rows == [0, 1, 3, 4])
        #expect(Approximate.equal(values(ra), [0, 1, 1, 2], 1e-12))
        let u = try target(ULearner())
        #expect(u.rows == [0, 1, 3, 4])
        #expect(Approximate.equal(values(u), [1.75, 1.25, -4 / 3, 1.5], 1e-12))
        let onArm = try target(XLearner(), .armRows)
        #expect(onArm.rows == [1, 4])
        #expect(Approximate.equal(values(onArm), [1, 2], 1e-12))
        let onControl = try target(XLearner(), .controlRows)
        #expect(onControl.rows == [0, 3])
        #expect(Approximate.equal(values(onControl), [0, 1], 1e-12))
        let r = try target(RLearner())
        #expect(r.rows == [0, 1, 3, 4])
        #expect(Approximate.equal(values(r), [-0.5, 1, 1, 1], 1e-12))
        let left = try #require(r.residuals.first)
        #expect(Approximate.equal(r.rows.map { left[Int($0)] }, [-2 / 7, 0.8, -0.75, 2 / 3], 1e-12))
    }

    @Test("F and M measure the outcome from the weighted mean of the pair's rows")
    func transformedOutcomes() throws {
        // c = (0.5·1 + 1.5·2 + 0.75·3 + 1.25·6) / 4 = 3.3125
        let f = try target(FLearner())
        #expect(f.rows == [0, 1, 3, 4])
        #expect(Approximate.equal(values(f), [3.2375, -6.5625, 1.25, 8.0625], 1e-12))
        let m = try target(MLearner())
        #expect(m.rows == [0, 1, 2, 3, 4])
        #expect(Approximate.equal(values(m), [4.625, -13.125, 0, 1.5625, 10.75], 1e-12))
        // Without row 1: c = (0.5·1 + 0.75·3 + 1.25·6) / 2.5 = 4.1
        let few = try target(FLearner(), overlap: [true, false, true, true, true])
        #expect(Approximate.equal(values(few), [4.34, 4.4, 5.7], 1e-12))
    }

    @Test("Rows without overlap take part in no target")
    func overlap() throws {
        let overlap = [true, false, true, true, true]
        #expect(try target(DRLearner(), overlap: overlap).rows == [0, 2, 3, 4])
        for learner in [RLearner(), RALearner(), ULearner()] as [any MetaLearner] {
            #expect(try target(learner, overlap: overlap).rows == [0, 3, 4])
        }
        #expect(try target(XLearner(), .armRows, overlap: overlap).rows == [4])
    }

    @Test("The R-loss as a weighted regression: Y − m over W − ē, weights (W − ē)² times the row's own")
    func fallback() throws {
        let target = try target(RLearner())
        let task = try target.task(data(), direct: false, seed: 1)
        let weights = try #require(task.weights)
        #expect(
            Approximate.equal(
                task.rows.map { task.target[Int($0)] }, [1.75, 1.25, -4 / 3, 1.5], 1e-12))
        // Weights may come in any unit.
        let expected = [0.5 * 4 / 49, 1.5 * 0.64, 0.75 * 0.5625, 1.25 * 4 / 9]
        let found = task.rows.map { weights[Int($0)] }
        #expect(Approximate.equal(found.map { $0 / found[1] }, expected.map { $0 / expected[1] }, 1e-12))
    }

    @Test("The X-learner weighs the model of the control's rows by ē, that of the arm's by 1 − ē")
    func mixture() throws {
        let effects = try XLearner().effect(
            of: 1, nuisances(),
            EffectPredictions([
                EffectRole(arm: 1, part: .armRows): [1, 2, 3, 4, 5],
                EffectRole(arm: 1, part: .controlRows): [10, 20, 30, 40, 50],
            ]))
        #expect(Approximate.equal(effects, [25 / 7, 5.6, 21, 31, 20], 1e-12))
    }

    @Test("Pairs' propensities become those of all arms by their odds")
    func pairs() {
        #expect(Approximate.equal(armShares(ofPairs: [[0.25], [0.4]]), [0.5, 1 / 6, 1 / 3], 1e-12))
    }

    @Test("Of an outcome of 0 and 1, nuisances are the probability of 1")
    func binary() throws {
        var estimates = NuisanceEstimates(rowCount: 2, armCount: 2)
        estimates.store(
            [
                (.armOutcome(0), [[0.9, 0.1, 0.6, 0.4]]), (.armOutcome(1), [[0.5, 0.5, 0.25, 0.75]]),
                (.marginalOutcome(arm: 1), [[0.7, 0.3, 0.2, 0.8]]),
            ], of: .binary(labels: ["0", "1"]))
        #expect(try estimates.armOutcome(0) == [0.1, 0.4])
        #expect(try estimates.armOutcome(1) == [0.5, 0.75])
        #expect(try estimates.marginalOutcome(1) == [0.3, 0.8])
    }

    @Test("What auto's effects are fitted to: propensities kept from 0 and 1, m and not an arm's mean")
    func auto() throws {
        let dataset = try CausalDataset(
            covariates: Table([Column("x", [0, 1, 2])]),
            treatment: Treatment(arms: [0, 1, 1], labels: ["0", "1"]), outcome: Outcome([1, 2, 4]))
        var settings = AutoSettings(rowCount: 3)
        settings.leastShare = 0.1
        let residuals = AutoPair(dataset, arm: 1, settings, seed: 1).residuals(
            AutoNuisances(
                share: [0.01, 0.5, 0.99], shareBlends: [], means: [[3, 5, 7], [2, 8, 1]], meanFormulas: [],
                marginal: [0.5, 1, 1.5], results: [:]),
            hasOverlap: nil)
        #expect(Approximate.equal(residuals.share, [0.1, 0.5, 0.9], 1e-12))
        #expect(Approximate.equal(residuals.treatment, [-0.1, 0.5, 0.1], 1e-12))
        #expect(Approximate.equal(residuals.outcome, [0.5, 1, 2.5], 1e-12))
        #expect(Approximate.equal(residuals.imputed[0], [1, 6, -3], 1e-12))
        #expect(Approximate.equal(residuals.imputed[1], [-2, -3, -3], 1e-12))
    }
}
