import MetaLearnersCore
import MetaLearnersKit
import Testing
import _TestSupport

@testable import AutoLearner
@testable import MetaLearners

@Suite("Auto")
struct AutoTests {
    /// `auto` in three folds, so that tests are short.
    private func fit(
        _ data: CausalDataset, _ keys: [(String, SpecValue)] = [], rounds: AutoCount = .auto, folds: Int = 3,
        asOf rowCount: Int? = nil, threads: Int = 1
    ) throws -> CATEModel {
        let spec: SpecValue = .object(SpecObject([("cross_fitting", ["folds": .integer(folds)])] + keys))
        let fitter = try MetaLearnerFitter(MetaLearnerSpec(spec))
        var settings = AutoSettings(rowCount: rowCount ?? data.rowCount)
        settings.rounds = rounds
        return try fitter.withAuto(settings).fit(data, ExecutionOptions(threads: threads))
    }

    private func replacing(
        _ data: CausalDataset, outcome: [Double]? = nil, weights: [Double]? = nil, clusters: [Int32]? = nil,
        knownPropensities: [[Double]]? = nil
    ) throws -> CausalDataset {
        try CausalDataset(
            covariates: data.covariates, treatment: data.treatment,
            outcome: Outcome(outcome ?? data.outcome.values, kind: data.outcome.kind),
            weights: weights ?? data.weights, clusters: clusters ?? data.clusters,
            knownPropensities: knownPropensities ?? data.knownPropensities)
    }

    private func meanSquare(_ effects: [Double], _ truth: [Double]) -> Double {
        let error = Approximate.rootMeanSquare(effects, truth)
        return error * error
    }

    private func variance(_ values: [Double]) -> Double {
        meanSquare(values, [Double](repeating: Approximate.mean(values), count: values.count))
    }

    @Test("A spec that names no learner is fitted by auto")
    func isDefault() throws {
        let data = try SyntheticDataset.linear(rows: 120, seed: 4).dataset
        let model = try MetaLearnerFitter(MetaLearnerSpec(["seed": 3])).fit(data)
        #expect(model.spec.learner == .auto)
        #expect(model.completeSpec.objectValue?["models"] == nil)
        #expect(
            try MetaLearnerFitter(MetaLearnerSpec(model.completeSpec)).fit(data).encoded() == model.encoded())
    }

    @Test(
        "Effects stay within the range of outcomes where folds are two and few rows count",
        arguments: 1...6 as ClosedRange<UInt64>)
    func fewRows(seed: UInt64) throws {
        let data = try SyntheticDataset.nieWager(.b, rows: 200, noise: 2, seed: seed).dataset
        let halves = try replacing(data, weights: (0..<200).map { $0 * 37 % 200 < 100 ? 2 : 0 })
        let outcomes = data.outcome.values
        let range = try #require(outcomes.max()) - #require(outcomes.min())
        #expect(try fit(halves, folds: 2).trainingEffects[0].allSatisfy { abs($0) < range })
    }

    @Test("Effects move with the outcome's unit and not with its zero")
    func units() throws {
        let data = try SyntheticDataset.nieWager(.a, rows: 240, seed: 5).dataset
        let effects = try fit(data).trainingEffects[0]
        let other = try fit(replacing(data, outcome: data.outcome.values.map { 3 + 8 * $0 }))
        #expect(Approximate.equal(other.trainingEffects[0], effects.map { 8 * $0 }, 1e-5))
    }

    @Test("Weights of one are no weights; outcomes of weight 0 are not learnt from")
    func weights() throws {
        let data = try SyntheticDataset.linear(rows: 200, seed: 6).dataset
        let plain = try fit(data)
        let ones = try fit(replacing(data, weights: [Double](repeating: 1, count: 200)))
        #expect(Approximate.equal(ones.trainingEffects[0], plain.trainingEffects[0], 1e-9))
        let weights = (0..<200).map { $0 % 5 == 0 ? 0.0 : 1 + Double($0 % 3) }
        let changed = data.outcome.values.enumerated().map { $0 % 5 == 0 ? 1000 - 50 * $1 : $1 }
        let left = try fit(replacing(data, weights: weights))
        let right = try fit(replacing(data, outcome: changed, weights: weights))
        #expect(Approximate.equal(left.trainingEffects[0], right.trainingEffects[0], 1e-9))
        #expect(Approximate.largestDifference(left.trainingEffects[0], plain.trainingEffects[0]) > 1e-3)
    }

    @Test(
        "Half of the level that the candidates leave to be explained is added, alike in every row of a fold")
    func residualShift() throws {
        let data = try SyntheticDataset.nieWager(.c, rows: 200, seed: 8).dataset
        let folds = try FoldAssignment(data, count: 3, seed: 1)
        func effects(_ share: Double?) throws -> [Double] {
            var settings = AutoSettings(rowCount: data.rowCount)
            settings.rounds = 20
            if let share { settings.residualShare = share }
            let fitter = try MetaLearnerFitter(MetaLearnerSpec(["cross_fitting": ["folds": 3]]))
            return try fitter.withAuto(settings).fit(data, folds: folds, ExecutionOptions(threads: 1))
                .trainingEffects[0]
        }
        let none = try effects(0)
        let all = try effects(1)
        let half = try effects(nil)
        for fold in 0..<3 {
            let rows = folds.rows(in: fold).map(Int.init)
            let shift = all[rows[0]] - none[rows[0]]
            #expect(abs(shift) > 1e-4)
            for row in rows {
                #expect(Approximate.equal(all[row], none[row] + shift, 1e-9))
                #expect(Approximate.equal(half[row], none[row] + shift / 2, 1e-9))
            }
        }
    }

    @Test("Whole clusters are held out, and the average effect's error is the clusters'")
    func clusters() throws {
        let data = try SyntheticDataset.clustered(clusters: 40, rowsPerCluster: 6, seed: 7)
        let model = try fit(data.dataset)
        let folds = try #require(model.training?.folds.folds)
        for row in 0..<folds.count { #expect(folds[row] == folds[row / 6 * 6]) }
        #expect(meanSquare(model.trainingEffects[0], data.effects[0]) < 0.5)
    }

    @Test(
        "Where the effect is the same for all, a mean squared error of 0.01 of the outcome's variance is not passed"
    )
    func constantEffects() throws {
        // Setup C has an effect of 1; with the treated rows' outcomes less by 1 it has none. Means over two draws.
        for effect in [1.0, 0] {
            var harm = 0.0
            for seed in [31, 32] as [UInt64] {
                let data = try SyntheticDataset.nieWager(.c, rows: 400, noise: 1, seed: seed)
                let outcome = zip(data.outcome, data.treatment.arms).map { $0 + (effect - 1) * Double($1) }
                let model = try fit(replacing(data.dataset, outcome: outcome))
                let truth = [Double](repeating: effect, count: 400)
                harm += meanSquare(model.trainingEffects[0], truth) / variance(outcome) / 2
            }
            #expect(harm < 0.01)
        }
    }

    @Test("Effects that differ are found", arguments: [500, 20_000, 1_000_000])
    func differingEffects(asOf rowCount: Int) throws {
        let data = try SyntheticDataset.nieWager(.b, rows: 500, noise: 1, seed: 9)
        let model = try fit(data.dataset, folds: 5, asOf: rowCount)
        // The effects' variance is about 1.2.
        #expect(variance(data.effects[0]) > 1)
        #expect(meanSquare(model.trainingEffects[0], data.effects[0]) < 0.25)
        let fresh = try SyntheticDataset.nieWager(.b, rows: 500, noise: 1, seed: 10)
        #expect(try meanSquare(model.predict(fresh.covariates).effects[0], fresh.effects[0]) < 0.25)
    }

    @Test(
        "Where effects have steps the Bayesian causal forest counts, and a model with it is read as it was written"
    )
    func steps() throws {
        var stream = RandomStream(seed: 21)
        let rows = 700
        let columns = (0..<4).map { _ in (0..<rows).map { _ in stream.normal() } }
        let arms = (0..<rows).map { _ in Int32(stream.integer(below: 2)) }
        let truth = columns[0].map { $0 > 0 ? 2.0 : 0 }
        let outcome = (0..<rows).map { row in
            (columns[1][row] > 0.5 ? 2.0 : 0) + Double(arms[row]) * truth[row] + stream.normal()
        }
        let data = try CausalDataset(
            covariates: Table(columns.enumerated().map { Column("x\($0)", $1) }),
            treatment: Treatment(arms: arms, labels: ["0", "1"]), outcome: Outcome(outcome))
        let model = try fit(data)
        let predictor = try #require(model.predictor as? AutoPredictor)
        #expect(try #require(predictor.weights[0].first { $0.name == "bcf" }).weight > 0.1)
        #expect(meanSquare(model.trainingEffects[0], truth) < 0.12 * variance(truth))
        let read = try CATEModel(bytes: model.encoded())
        #expect(try read.predict(data.covariates).effects == model.predict(data.covariates).effects)
        let weighted = try fit(replacing(data, weights: (0..<rows).map { Double($0 % 3) }))
        #expect(meanSquare(weighted.trainingEffects[0], truth) < 0.2 * variance(truth))
    }

    @Test("Several arms: each has its own effects, and its candidates' weights are shares")
    func arms() throws {
        let data = try SyntheticDataset.multiArm(rows: 600, arms: 3, seed: 11)
        let model = try fit(data.dataset)
        for arm in 0...1 {
            #expect(
                meanSquare(model.trainingEffects[arm], data.effects[arm]) < 0.5 * variance(data.effects[arm]))
        }
        let predictor = try #require(model.predictor as? AutoPredictor)
        #expect(predictor.weights.count == 2)
        for weights in predictor.weights {
            #expect(weights.count == 16 && weights[0].name == "constant")
            #expect(weights.allSatisfy { $0.weight >= 0 })
            #expect(Approximate.equal(weights.reduce(0) { $0 + $1.weight }, 1, 1e-12))
        }
        // The propensities of all arms add up to one at every row.
        let rows = try model.predict(PredictionRequest(.propensities), for: .new(data.covariates)).columns
        #expect(rows.count == 3)
        for row in 0..<600 { #expect(Approximate.equal(rows.reduce(0) { $0 + $1[row] }, 1, 1e-12)) }
    }

    @Test("Binary outcomes: effects that differ are found, and arm means are probabilities")
    func binary() throws {
        let data = try SyntheticDataset.binary(rows: 500, slope: 2, seed: 12)
        let model = try fit(data.dataset)
        let truth = data.effects[0]
        // The effects' standard deviation is about 0.3; a constant would have all of their variance as its error.
        #expect(meanSquare(model.trainingEffects[0], truth) < 0.25 * variance(truth))
        let means = try model.predict(PredictionRequest(.armMeans), for: .new(data.covariates)).columns
        #expect(means.count == 2)
        #expect(means.allSatisfy { $0.allSatisfy { (0...1).contains($0) } })
    }

    @Test("Known propensities are used as they are")
    func knownPropensities() throws {
        let data = try SyntheticDataset.linear(rows: 400, share: 0.3, seed: 13)
        let known = [[Double](repeating: 0.7, count: 400), [Double](repeating: 0.3, count: 400)]
        let model = try fit(replacing(data.dataset, knownPropensities: known))
        #expect(model.overlap.isKnown)
        #expect(model.nuisanceModels.allSatisfy { !$0.role.isPropensity })
        #expect(meanSquare(model.trainingEffects[0], data.effects[0]) < 0.3)
    }

    @Test(
        "The effects of training rows are those of their fold's models by the weights of that fold",
        arguments: [false, true])
    func heldOut(hasAlso: Bool) throws {
        let data = try SyntheticDataset.linear(rows: 150, seed: 14).dataset
        let also: SpecValue = hasAlso ? [["learner": "t", "models": ["outcome": "ridge"]]] : []
        let model = try MetaLearnerFitter(
            MetaLearnerSpec(["auto": ["also": also], "cross_fitting": ["folds": 3]])
        ).fit(data, ExecutionOptions(threads: 1))
        let folds = try #require(model.training?.folds)
        for fold in 0..<folds.count {
            let held = folds.rows(in: fold)
            var rows = try AlignedRows(
                data.covariates.selecting(rows: held), model.schema, model.spec.data)
            let predicted = try model.predictEffects(
                &rows, .fold(fold), ExecutionContext(threads: 1))[0]
            #expect(Approximate.equal(predicted, held.map { model.trainingEffects[0][Int($0)] }, 1e-9))
        }
    }

    @Test("Weights of folds add up to one, also where the folds' median predicts new rows")
    func medianWithAlso() throws {
        let data = try SyntheticDataset.linear(rows: 200, seed: 21).dataset
        let arms = data.treatment.arms
        var stream = RandomStream(seed: 3)
        let outcome = arms.map { 5 * Double($0) + 0.2 * stream.normal() }
        let model = try MetaLearnerFitter(
            MetaLearnerSpec([
                "auto": ["also": [["learner": "t", "models": ["outcome": "ols"]]]], "prediction": "median",
                "cross_fitting": ["folds": 3],
            ])
        ).fit(replacing(data, outcome: outcome), ExecutionOptions(threads: 1))
        let effects = try model.predict(data.covariates).effects[0]
        #expect(effects.allSatisfy { abs($0 - 5) < 0.3 })
    }

    @Test("Few rows, equal outcomes, a column of one value, wide categories: effects are numbers")
    func hardData() throws {
        let arms = (0..<24).map { Int32($0 % 2) }
        let treatment = try Treatment(arms: arms, labels: ["0", "1"])
        func effects(_ columns: [Column], _ outcome: [Double]) throws -> [Double] {
            try fit(
                CausalDataset(
                    covariates: Table(columns), treatment: treatment, outcome: Outcome(outcome))
            ).trainingEffects[0]
        }
        let ramp = (0..<24).map { Double($0 / 2) }
        let constant = Column("same", [Double](repeating: 2, count: 24))
        #expect(
            try effects([Column("x", ramp)], [Double](repeating: 3, count: 24)).allSatisfy { abs($0) < 1e-9 })
        #expect(try effects([constant], ramp).allSatisfy(\.isFinite))
        #expect(
            try effects([Column("gaps", ramp.map { $0 > 8 ? .nan : $0 }), constant], ramp).allSatisfy(
                \.isFinite))
        let names = (0..<24).map { "level \($0)" as String? }
        #expect(try effects([Column("id", categories: names)], ramp).allSatisfy(\.isFinite))
        #expect(try effects([Column("x", ramp)], arms.map(Double.init)).allSatisfy { abs($0 - 1) < 0.35 })
    }

    @Test(
        "What auto does not have is refused, with what to do",
        arguments: [
            (["models": ["effect": "ridge"]], "models.effect", "learner: dr"),
            (["models": ["outcome": ["columns": ["x1"]]]], "models.outcome", "learner: dr"),
            (["models": ["arms": ["1": ["effect": "ridge"]]]], "models.arms.1", "learner: dr"),
            (["cross_fitting": ["folds": 1]], "cross_fitting.folds", "2 folds"),
            (["cross_fitting": ["repeats": 2]], "cross_fitting.repeats", "folds: 10"),
            (["cross_fitting": ["in_sample": "nested"]], "cross_fitting.in_sample", "out_of_fold"),
            (["intervals": ["method": "analytic"]], "intervals.method", "half_sampling"),
        ] as [(SpecValue, String, String)])
    func refusals(spec: SpecValue, place: String, remedy: String) throws {
        let data = try SyntheticDataset.linear(rows: 60, seed: 15).dataset
        let error = #expect(throws: MetaLearnersError.self) {
            try MetaLearnerFitter(MetaLearnerSpec(spec)).fit(data)
        }
        #expect(error?.description.hasPrefix(place) == true, "\(error?.description ?? "")")
        #expect(error?.description.contains(remedy) == true, "\(error?.description ?? "")")
    }

    @Test("The propensity's calibration is one's own choice")
    func calibration() throws {
        let data = try SyntheticDataset.linear(rows: 150, seed: 16).dataset
        let model = try fit(data, [("models", ["propensity": ["calibration": "platt"]])])
        #expect(model.calibration != nil)
        #expect(try CATEModel(bytes: model.encoded()).encoded() == model.encoded())
    }
}
