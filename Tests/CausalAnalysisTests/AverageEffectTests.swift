import CausalAnalysis
import MetaLearnersCore
import MetaLearnersKit
import Testing
import _TestSupport

@testable import MetaLearners

@Suite("Average effects of models")
struct AverageEffectTests {
    private static let linearModels: SpecValue = [
        "outcome": ["backend": "ols"], "propensity": ["backend": "logistic"], "effect": ["backend": "ols"],
    ]

    private func fit(_ data: CausalDataset, _ learner: LearnerKind, seed: Int = 1) throws -> CATEModel {
        let spec = try MetaLearnerSpec([
            "learner": .string(learner.rawValue), "seed": .integer(seed),
            // `auto` brings its own.
            "models": learner == .auto ? .null : Self.linearModels,
        ])
        return try MetaLearnerFitter(spec).fit(data, ExecutionOptions(threads: 1))
    }

    @Test(
        "95 % intervals of the ATE and the ATT cover the truth about as often as they say (60 runs)",
        arguments: [
            LearnerKind.dr, .r,
        ])
    func coverage(learner: LearnerKind) throws {
        var covered: [Estimand: Int] = [:]
        for run in 0..<60 {
            let data = try SyntheticDataset.linear(rows: 200, share: 0.4, seed: UInt64(1000 + run))
            let model = try fit(data.dataset, learner, seed: run)
            // The effect is 0.5 + x₁ + x₃/4 with covariates of mean 0, and treatment is random: both are 0.5.
            for estimand in Estimand.allCases {
                let effect = try model.averageEffects(estimand)[0]
                covered[estimand, default: 0] += effect.lower <= 0.5 && 0.5 <= effect.upper ? 1 : 0
            }
        }
        // Of 60 runs at 95 %, fewer than 51 cover with a probability below 0.2 %.
        for estimand in Estimand.allCases {
            #expect(covered[estimand, default: 0] >= 51, "\(estimand): \(covered)")
        }
    }

    @Test("Intervals of clustered data cover too, and those that ignore the clusters are narrower")
    func clusters() throws {
        var covered = 0
        var wider = 0
        for run in 0..<40 {
            let data = try SyntheticDataset.clustered(
                clusters: 40, rowsPerCluster: 6, clusterNoise: 0.5, seed: UInt64(run))
            let effect = try fit(data.dataset, .dr).averageEffects(.ate)[0]
            covered += effect.lower <= 1 && 1 <= effect.upper ? 1 : 0
            let plain = try CausalDataset(
                covariates: data.covariates, treatment: data.treatment, outcome: Outcome(data.outcome))
            wider += try effect.stdError > fit(plain, .dr).averageEffects(.ate)[0].stdError ? 1 : 0
        }
        #expect(covered >= 33)
        // The effect varies from cluster to cluster, so that rows of one tell less than as many independent ones.
        #expect(wider >= 30)
    }

    @Test(
        "Every learner's nuisances give an ATE near the truth, and one near the others'",
        arguments: LearnerKind.allCases)
    func everyLearner(learner: LearnerKind) throws {
        // (`auto` takes much longer than all others together.)
        for seed in learner == .auto ? [8] : [8, 9, 10] as [UInt64] {
            let data = try SyntheticDataset.multiArm(rows: 600, arms: 3, noise: 0.5, seed: seed)
            let model = try fit(data.dataset, learner)
            let best = try CausalStudy(
                data.dataset,
                given: GivenColumns(propensities: data.propensities, armMeans: data.armOutcomes))
            for estimand in Estimand.allCases {
                let effects = try model.averageEffects(estimand)
                #expect(effects.map(\.arm) == ["1", "2"])
                for (effect, known) in zip(effects, try best.averageEffects(estimand)) {
                    let index = effect.arm == "1" ? 0 : 1
                    let shares = data.effects[index].indices.map { row -> Double in
                        let (control, treated) = (
                            data.propensities[0][row], data.propensities[index + 1][row]
                        )
                        switch estimand {
                        case .ate: return 1
                        case .att: return data.treatment.arms[row] == index + 1 ? 1 : 0
                        case .atc: return data.treatment.arms[row] == 0 ? 1 : 0
                        case .ato: return control * treated / (control + treated)
                        }
                    }
                    let truth =
                        zip(shares, data.effects[index]).reduce(0) { $0 + $1.0 * $1.1 }
                        / shares.reduce(0, +)
                    #expect(abs(effect.estimate - truth) < 2.5 * effect.stdError, "\(learner), \(estimand)")
                    // Lines miss the curve of the outcome, and so know less than the true nuisances do; never more.
                    let ratio = effect.stdError / known.stdError
                    #expect(ratio > 0.8 && ratio < 2.5, "\(learner), \(estimand): \(ratio)")
                    #expect(effect.lower < effect.estimate && effect.estimate < effect.upper)
                }
            }
        }
    }

    @Test(
        "Learners whose effects need no outcome of each arm have the averages of those that do, to the bit",
        arguments: [LearnerKind.f, .m, .u, .r, .x, .t])
    func properOutcomes(learner: LearnerKind) throws {
        let data = try SyntheticDataset.multiArm(rows: 300, arms: 3, noise: 0.5, seed: 3).dataset
        for estimand in Estimand.allCases {
            #expect(
                try fit(data, learner).averageEffects(estimand) == fit(data, .dr).averageEffects(estimand))
        }
    }

    @Test(
        "average_effects: false saves these outcomes, and averages say what they lack",
        arguments: LearnerKind.allCases)
    func withoutAverages(learner: LearnerKind) throws {
        let data = try SyntheticDataset.linear(rows: 120, seed: 3).dataset
        func model(_ hasAverages: Bool) throws -> CATEModel {
            let spec: SpecValue = [
                "learner": .string(learner.rawValue), "average_effects": .boolean(hasAverages),
                "models": learner == .auto ? .null : Self.linearModels, "cross_fitting": ["folds": 2],
            ]
            return try MetaLearnerFitter(MetaLearnerSpec(spec)).fit(data)
        }
        let (with, without) = (try model(true), try model(false))
        #expect(with.trainingEffects == without.trainingEffects)
        #expect(try with.predict(data.covariates).effects == without.predict(data.covariates).effects)
        #expect(with.hasAverageEffects)
        let loaded = try CATEModel(bytes: without.encoded())
        #expect(loaded.hasAverageEffects == ![LearnerKind.f, .m, .u, .r, .ensemble].contains(learner))
        guard !loaded.hasAverageEffects else { return }
        for rows in [nil, data, try SyntheticDataset.linear(rows: 50, seed: 4).dataset] {
            let error = #expect(throws: MetaLearnersError.self) { try loaded.averageEffects(.ate, on: rows) }
            #expect(error?.kind == .unsupported && error?.remedy?.contains("average_effects: true") == true)
        }
    }

    @Test("Averages of a trimmed model are over the rows that are left", arguments: Estimand.allCases)
    func trimmed(estimand: Estimand) throws {
        let data = try SyntheticDataset.nieWager(.c, rows: 200, seed: 1).dataset
        let spec = try MetaLearnerSpec([
            "learner": "dr", "models": Self.linearModels,
            "overlap": ["policy": "trim", "bounds": [0.3, 0.7]],
        ])
        let model = try MetaLearnerFitter(spec).fit(data)
        let known = try #require(model.training?.nuisances)
        let hasOverlap = try #require(known.hasOverlap)
        let left = hasOverlap.indices.filter { hasOverlap[$0] }
        #expect(left.count > 50 && left.count < 150)
        func taking<Value>(_ list: [Value]) -> [Value] { left.map { list[$0] } }
        let few = try CausalDataset(
            covariates: Table([]),
            treatment: Treatment(arms: taking(Array(data.treatment.arms)), labels: data.treatment.labels),
            outcome: Outcome(taking(data.outcome.values)))
        let shares = try #require(known.propensities)
        let study = try CausalStudy(
            few,
            given: GivenColumns(
                propensities: shares.map { taking($0) },
                armMeans: [taking(known.armOutcome(0)), taking(known.armOutcome(1))]))
        let expected = try study.averageEffects(estimand)[0]
        let found = try model.averageEffects(estimand)[0]
        #expect(Approximate.equal(found.estimate, expected.estimate, 1e-12))
        #expect(Approximate.equal(found.stdError, expected.stdError, 1e-12))
    }

    @Test("The training rows given again are recognised; other rows are predicted")
    func givenRows() throws {
        let data = try SyntheticDataset.linear(rows: 200, seed: 3).dataset
        let model = try fit(data, .dr)
        let own = try model.averageEffects(.ate)
        #expect(try model.averageEffects(.ate, on: data) == own)
        for seed in 4..<7 as Range<UInt64> {
            let other = try SyntheticDataset.linear(rows: 2000, seed: seed).dataset
            let effect = try model.averageEffects(.ate, on: other)[0]
            #expect(effect != own[0])
            // Outcomes have a noise of 1 and treatment a share of a half, effects a variance of 17/16.
            #expect(effect.stdError > 0.045 && effect.stdError < 0.065)
            #expect(abs(effect.estimate - 0.5) < 3 * effect.stdError)
        }
    }

    @Test("Rows of other arms, or without a column, are refused")
    func refused() throws {
        let model = try fit(SyntheticDataset.linear(rows: 100, seed: 3).dataset, .t)
        let arms = #expect(throws: MetaLearnersError.self) {
            try model.averageEffects(.ate, on: SyntheticDataset.multiArm(rows: 100, seed: 3).dataset)
        }
        #expect(arms?.kind == .invalidData)
        let column = #expect(throws: MetaLearnersError.self) {
            try model.averageEffects(
                .ate, on: SyntheticDataset.linear(rows: 100, columns: 3, seed: 5).dataset)
        }
        #expect(column?.description.hasPrefix("column 'x4': is missing") == true)
    }

    @Test(
        "A constant outcome has an effect of zero, no doubt about it, and a warning",
        arguments: LearnerKind.allCases)
    func constantOutcome(learner: LearnerKind) throws {
        let data = try SyntheticDataset.linear(rows: 100, seed: 3)
        let dataset = try CausalDataset(
            covariates: data.covariates, treatment: data.treatment,
            outcome: Outcome([Double](repeating: 0.1, count: 100)))
        let model = try fit(dataset, learner)
        #expect(model.warnings.contains { $0.contains("the outcome is the same in every row") })
        #expect(model.trainingEffects[0].allSatisfy { abs($0) < 1e-9 })
        #expect(try abs(model.averageEffects(.ate)[0].estimate) < 1e-9)
    }

    @Test(
        "A model file without the nuisances that averages take is refused, not read past",
        arguments: [
            LearnerKind.dr, .r,
        ])
    func missingNuisances(learner: LearnerKind) throws {
        let model = try fit(SyntheticDataset.linear(rows: 100, seed: 3).dataset, learner)
        var archive = try ModelArchive(model.encoded())
        var none = BinaryWriter()
        none.write(UInt64(0))
        archive.sections.removeAll { ["training", "nuisances"].contains($0.name) }
        archive.sections.append(("nuisances", none.bytes))
        let bare = try CATEModel(bytes: archive.encoded())
        let error = #expect(throws: MetaLearnersError.self) {
            try bare.averageEffects(.ate, on: SyntheticDataset.linear(rows: 50, seed: 4).dataset)
        }
        #expect(error?.kind == .unsupported)
    }
}
