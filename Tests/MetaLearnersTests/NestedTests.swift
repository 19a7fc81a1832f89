import MetaLearners
import MetaLearnersCore
import MetaLearnersKit
import Testing
import _TestSupport

@Suite("Effects of training rows")
struct NestedTests {
    private func spec(
        _ learner: LearnerKind, _ inSample: String, repeats: Int = 1, prediction: String = "full",
        models: SpecValue = Linear.models
    ) throws(MetaLearnersError) -> MetaLearnerSpec {
        try MetaLearnerSpec([
            "learner": .string(learner.rawValue), "models": models, "prediction": .string(prediction),
            "cross_fitting": [
                "folds": 3, "repeats": .integer(repeats), "in_sample": .string(inSample),
            ],
        ])
    }

    private func changing(_ data: CausalDataset, row: Int) throws(MetaLearnersError) -> CausalDataset {
        var outcome = data.outcome.values
        outcome[row] += 100
        return try CausalDataset(
            covariates: data.covariates, treatment: data.treatment, outcome: Outcome(outcome),
            weights: data.weights, clusters: data.clusters)
    }

    @Test(
        "A row's own outcome has no part in its nested effect, to the bit; nor in those of its cluster",
        arguments: LearnerKind.single, [1, 2])
    func noLeak(learner: LearnerKind, repeats: Int) throws {
        let plain = try SyntheticDataset.multiArm(rows: 90, seed: 7).dataset
        let clustered = try CausalDataset(
            covariates: plain.covariates, treatment: plain.treatment, outcome: plain.outcome,
            clusters: (0..<90).map { Int32($0 / 3) })
        let fitter = try MetaLearnerFitter(spec(learner, "nested", repeats: repeats))
        for (data, own) in [(plain, [31]), (clustered, [30, 31, 32])] {
            let before = try fitter.fit(data).trainingEffects
            let after = try fitter.fit(changing(data, row: 31)).trainingEffects
            for arm in before.indices {
                for row in own { #expect(before[arm][row].bitPattern == after[arm][row].bitPattern) }
            }
            // Every arm's outcomes have a part in some effect, this row's in those of its own arm at least.
            #expect(before != after)
        }
    }

    @Test(
        "Nor has it with trees, calibrated and trimmed propensities, weights and the joint loss, whatever the row",
        arguments: [LearnerKind.s, .t, .x, .r, .dr])
    func noLeakOfTrees(learner: LearnerKind) throws {
        let plain = try SyntheticDataset.multiArm(rows: 90, seed: 8).dataset
        let data = try CausalDataset(
            covariates: plain.covariates, treatment: plain.treatment, outcome: plain.outcome,
            weights: (0..<90).map { 1 + Double($0 % 3) })
        let trees: SpecValue = [
            "backend": "trees", "trees": 20, "learning_rate": 0.3, "min_leaf_size": 2,
        ]
        let fitter = try MetaLearnerFitter(
            MetaLearnerSpec([
                "learner": .string(learner.rawValue), "multi_arm": learner == .r ? "joint" : "pairwise",
                "models": [
                    "outcome": trees, "effect": trees,
                    "propensity": ["backend": "logistic", "calibration": "isotonic"],
                ],
                "overlap": ["policy": "trim", "bounds": [0.02, 0.98]],
                "cross_fitting": ["folds": 3, "in_sample": "nested"],
            ]))
        let before = try fitter.fit(data).trainingEffects
        for row in [0, 44, 89] {
            let after = try fitter.fit(changing(data, row: row)).trainingEffects
            for arm in before.indices { #expect(before[arm][row].bitPattern == after[arm][row].bitPattern) }
            #expect(before != after)
        }
    }

    @Test("Nor has it for outcomes of 0 and 1 on given folds", arguments: LearnerKind.single)
    func noLeakOfBinary(learner: LearnerKind) throws {
        let data = try SyntheticDataset.binary(rows: 120, seed: 3).dataset
        let folds = try FoldAssignment(data, count: 3, seed: 1)
        let models: SpecValue = ["outcome": "logistic", "propensity": "logistic", "effect": "ols"]
        let fitter = try MetaLearnerFitter(spec(learner, "nested", models: models))
        let before = try fitter.fit(data, folds: folds).trainingEffects[0]
        for row in [5, 71] {
            var outcome = data.outcome.values
            outcome[row] = 1 - outcome[row]
            let other = try CausalDataset(
                covariates: data.covariates, treatment: data.treatment,
                outcome: Outcome(outcome, kind: data.outcome.kind))
            let after = try fitter.fit(other, folds: folds).trainingEffects[0]
            #expect(before[row].bitPattern == after[row].bitPattern)
            #expect(before != after)
        }
    }

    @Test("Without nesting a row's outcome does reach its own effect through the nuisances of others")
    func leakWithoutNesting() throws {
        let data = try SyntheticDataset.linear(rows: 90, seed: 7).dataset
        let fitter = try MetaLearnerFitter(spec(.dr, "out_of_fold"))
        let before = try fitter.fit(data).trainingEffects[0]
        let after = try fitter.fit(changing(data, row: 31)).trainingEffects[0]
        #expect(before[31] != after[31])
    }

    @Test(
        "What is imputed across arms has no part of a row's outcome in its effect without nesting either",
        arguments: [LearnerKind.x, .ra], [1, 2])
    func noLeakAcrossArms(learner: LearnerKind, repeats: Int) throws {
        let data = try SyntheticDataset.multiArm(rows: 90, seed: 7).dataset
        let fitter = try MetaLearnerFitter(spec(learner, "out_of_fold", repeats: repeats))
        let before = try fitter.fit(data).trainingEffects
        for row in [0, 31, 89] {
            let after = try fitter.fit(changing(data, row: row)).trainingEffects
            for arm in before.indices {
                #expect(before[arm][row].bitPattern == after[arm][row].bitPattern)
            }
            #expect(before != after)
        }
    }

    @Test(
        "Default models follow effects, nested or not, in training rows and in new ones",
        arguments: LearnerKind.single, ["out_of_fold", "nested", "full"])
    func defaults(learner: LearnerKind, inSample: String) throws {
        let data = try SyntheticDataset.linear(rows: 600, seed: 5)
        let truth = data.effects[0]
        let mean = truth.reduce(0, +) / Double(truth.count)
        let constant = truth.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        let fitter = try MetaLearnerFitter(
            MetaLearnerSpec([
                "learner": .string(learner.rawValue),
                "cross_fitting": ["folds": 3, "in_sample": .string(inSample)],
            ]))
        let model = try fitter.fit(data.dataset)
        for effects in [model.trainingEffects[0], try model.predict(data.dataset.covariates).effects[0]] {
            let error = zip(effects, truth).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
            // (The transformed outcomes of F and U are noisy.)
            #expect(error < ([.f, .u, .m].contains(learner) ? 1.5 : 0.8) * constant, "\(error / constant)")
            #expect(Set(effects).count > 20)
        }
    }

    @Test(
        "Nested effects have the models of new rows and the nuisances that others have",
        arguments: [LearnerKind.r, .x])
    func rest(learner: LearnerKind) throws {
        let data = try SyntheticDataset.linear(rows: 90, seed: 7).dataset
        let nested = try MetaLearnerFitter(spec(learner, "nested")).fit(data)
        let plain = try MetaLearnerFitter(spec(learner, "out_of_fold")).fit(data)
        #expect(nested.training?.nuisances == plain.training?.nuisances)
        #expect(try nested.predict(data.covariates).effects == plain.predict(data.covariates).effects)
        #expect(nested.trainingEffects != plain.trainingEffects)
        let reused = try MetaLearnerFitter(spec(learner, "nested")).fit(data, nuisances: plain.nuisances)
        #expect(reused.encoded() == nested.encoded())
    }

    @Test(
        "Full effects of training rows are what prediction says of them", arguments: LearnerKind.single,
        ["full", "mean"])
    func full(learner: LearnerKind, prediction: String) throws {
        let data = try SyntheticDataset.multiArm(rows: 90, seed: 7).dataset
        let model = try MetaLearnerFitter(spec(learner, "full", prediction: prediction)).fit(data)
        #expect(try model.predict(data.covariates).effects == model.trainingEffects)
    }

    @Test("Nesting takes three folds at least")
    func folds() throws {
        let value: SpecValue = ["cross_fitting": ["folds": 2, "in_sample": "nested"]]
        let error = #expect(throws: MetaLearnersError.self) { try MetaLearnerSpec(value) }
        #expect(error?.location == "cross_fitting.in_sample")
        let data = try SyntheticDataset.linear(rows: 30, seed: 7).dataset
        let injected = try FoldAssignment(data, count: 2, seed: 1)
        let given = #expect(throws: MetaLearnersError.self) {
            try MetaLearnerFitter(spec(.r, "nested")).fit(data, folds: injected)
        }
        #expect(given.says(.invalidArgument, "folds: are too few for in_sample: nested"))
    }
}
