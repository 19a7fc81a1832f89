import CausalAnalysis
import MetaLearners
import MetaLearnersCore
import MetaLearnersKit
import Testing
import _TestSupport

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

@Suite("Outcomes of several classes, counts, and the scales of effects")
struct OutcomeKindTests {
    private static let trees: SpecValue = ["backend": "trees", "trees": 60, "max_leaves": 6]

    /// The base learners that have a Poisson loss.
    private static let ofCounts = EstimatorRegistry.default.descriptions
        .filter { $0.capabilities.contains(.counts) }.map(\.name)

    private func fit(
        _ data: CausalDataset, _ learner: LearnerKind, outcome: SpecValue = Self.trees,
        effect: SpecValue = ["backend": "ridge"], scale: EffectScale = .difference, folds: Int = 3
    ) throws -> CATEModel {
        try MetaLearnerFitter(
            MetaLearnerSpec([
                "learner": .string(learner.rawValue), "effect_scale": .string(scale.rawValue),
                "models": ["outcome": outcome, "propensity": "logistic", "effect": effect],
                "cross_fitting": ["folds": .integer(folds)],
            ])
        ).fit(data)
    }

    /// A trial: class 2 becomes more likely by 0.3 where x₁ > 0, at the cost of class 0.
    private func classes(_ rows: Int, seed: UInt64 = 1) throws -> (dataset: CausalDataset, x: [Double]) {
        var stream = RandomStream(seed: seed)
        var x: [Double] = []
        var arms: [Int32] = []
        var outcome: [Double] = []
        for _ in 0..<rows {
            let value = stream.uniform() - 0.5
            let arm = stream.bernoulli(0.5) ? 1 : 0
            let shift = arm == 1 && value > 0 ? 0.3 : 0
            x.append(value)
            arms.append(Int32(arm))
            outcome.append(Double(stream.index(of: [0.4 - shift, 0.4, 0.2 + shift])))
        }
        let dataset = try CausalDataset(
            covariates: Table([Column("x", x)]), treatment: Treatment(arms: arms, labels: ["no", "yes"]),
            outcome: Outcome(outcome, kind: .classes(labels: ["bad", "fair", "good"])))
        return (dataset, x)
    }

    /// A study of three arms: counts of rate exp(x₁/2 + k·(0.4 + x₂/4)).
    private func counts(_ rows: Int, seed: UInt64 = 1) throws -> (dataset: CausalDataset, rates: [[Double]]) {
        var stream = RandomStream(seed: seed)
        let x = (0..<rows).map { _ in [stream.normal(), stream.normal()] }
        let rates = (0..<3).map { arm in x.map { exp($0[0] / 2 + Double(arm) * (0.4 + $0[1] / 4)) } }
        let arms = x.map { row in
            let odds = (0..<3).map { exp(Double($0) * row[0] / 4) }
            return Int32(stream.index(of: odds.map { $0 / odds.reduce(0, +) }))
        }
        let outcome = arms.enumerated().map { row, arm in
            // Knuth's product of uniforms.
            let limit = exp(-rates[Int(arm)][row])
            var product = stream.uniform()
            var count = 0.0
            while product > limit {
                product *= stream.uniform()
                count += 1
            }
            return count
        }
        let dataset = try CausalDataset(
            covariates: Table([Column("x1", x.map { $0[0] }), Column("x2", x.map { $0[1] })]),
            treatment: Treatment(arms: arms, labels: ["0", "1", "2"]), outcome: Outcome(outcome, kind: .count)
        )
        return (dataset, rates)
    }

    @Test(
        "Effects on classes are found, one per class, and add up to nothing", arguments: [LearnerKind.s, .t])
    func classEffects(learner: LearnerKind) throws {
        let (data, x) = try classes(3000)
        let model = try fit(data, learner)
        let prediction = try model.predict(PredictionRequest(), for: .new(data.covariates))
        #expect(prediction.names == ["cate_bad", "cate_fair", "cate_good"])
        for columns in [prediction.columns, model.trainingEffects] {
            #expect(columns.count == 3)
            for row in 0..<3000 { #expect(abs(columns[0][row] + columns[1][row] + columns[2][row]) < 1e-9) }
        }
        let truth = x.map { $0 > 0 ? 0.3 : 0 }
        #expect(Approximate.rootMeanSquare(prediction.columns[2], truth) < 0.11)
        #expect(Approximate.rootMeanSquare(prediction.columns[0], truth.map { -$0 }) < 0.11)
        let means = try model.predict(PredictionRequest(.armMeans), for: .new(data.covariates))
        #expect(means.names.count == 6 && means.names.first == "mean_no_bad")
        for row in 0..<3000 {
            #expect(abs(means.columns[3][row] + means.columns[4][row] + means.columns[5][row] - 1) < 1e-9)
        }
        let averages = try model.averageEffects(.ate)
        #expect(averages.count == 3)
        #expect(averages.map(\.classIndex) == [0, 1, 2])
        #expect(averages.map(\.outcomeClass) == data.outcome.kind.effectClasses)
        let narrower = try model.averageEffects(.ate, level: 0.8)
        for (average, other) in zip(averages, narrower) {
            #expect(other.level == 0.8 && other.estimate == average.estimate)
            #expect(other.lower > average.lower && other.upper < average.upper)
            #expect(other.specValue.objectValue?["class"] == average.specValue.objectValue?["class"])
        }
        for (average, expected) in zip(averages, [-0.15, 0, 0.15]) {
            #expect(abs(average.estimate - expected) < 4 * average.stdError && average.stdError < 0.03)
        }
        #expect(try CATEModel(bytes: model.encoded()).encoded() == model.encoded())
    }

    @Test("Learners without effects on classes say which have them", arguments: LearnerKind.single)
    func classLearners(learner: LearnerKind) throws {
        let (data, _) = try classes(150)
        guard learner != .s, learner != .t else { return }
        let error = #expect(throws: MetaLearnersError.self) { try fit(data, learner) }
        #expect(error.says(.unsupported, "s, t"))
    }

    @Test(
        "Counts: every learner finds differences, those with arm means rate ratios",
        arguments: LearnerKind.single)
    func countEffects(learner: LearnerKind) throws {
        let (data, rates) = try counts(1500)
        let model = try fit(data, learner, outcome: Self.trees)
        let effects = try model.predict(data.covariates).effects
        for arm in 1..<3 {
            let truth = zip(rates[arm], rates[0]).map { $0 - $1 }
            let constant = [Double](repeating: truth.reduce(0, +) / 1500, count: 1500)
            let spread = Approximate.rootMeanSquare(truth, constant)
            #expect(Approximate.rootMeanSquare(effects[arm - 1], truth) < 1.2 * spread)
        }
        let request = PredictionRequest(.effects, arm: "2", scale: .ratio)
        guard [.s, .t, .x, .ra, .dr].contains(learner) else {
            let error = #expect(throws: MetaLearnersError.self) {
                try model.predict(request, for: .new(data.covariates))
            }
            #expect(error?.kind == .unsupported)
            return
        }
        let ratios = try model.predict(request, for: .new(data.covariates))
        #expect(ratios.names == ["ratio_2"] && ratios.columns[0].allSatisfy { $0 > 0 })
        let truth = zip(rates[2], rates[0]).map { log($0 / $1) }
        #expect(Approximate.rootMeanSquare(ratios.columns[0].map { log($0) }, truth) < 0.6)
        let odds = #expect(throws: MetaLearnersError.self) {
            try model.predict(PredictionRequest(scale: .oddsRatio), for: .new(data.covariates))
        }
        #expect(odds?.kind == .unsupported)
    }

    @Test(
        "A backend without a Poisson loss refuses counts, names those that have it; as numbers it takes them")
    func countBackends() throws {
        let (data, _) = try counts(150)
        for backend in ["ridge", "ols", "lasso"] {
            let error = #expect(throws: MetaLearnersError.self) {
                try fit(data, .t, outcome: ["backend": .string(backend)])
            }
            #expect(error?.kind == .unsupported && error?.location == "models.outcome")
            for able in Self.ofCounts { #expect(error?.remedy?.contains(able) == true) }
        }
        let numbers = try CausalDataset(
            covariates: data.covariates, treatment: data.treatment, outcome: Outcome(data.outcome.values))
        #expect(try fit(numbers, .t, outcome: ["backend": "ridge"]).outcomeKind == .continuous)
    }

    @Test(
        "Ratios and odds ratios are those of the arm means, of new rows and of training rows, between any arms",
        arguments: [LearnerKind.s, .t, .x, .ra, .dr], [EffectScale.ratio, .oddsRatio])
    func scales(learner: LearnerKind, scale: EffectScale) throws {
        let plain = try SyntheticDataset.multiArm(rows: 150, seed: 3)
        let data = try CausalDataset(
            covariates: plain.covariates, treatment: plain.treatment,
            outcome: Outcome(plain.outcome.map { $0 > 0.5 ? 1 : 0 }, kind: .binary(labels: ["0", "1"])))
        let model = try fit(data, learner, outcome: ["backend": "logistic"], scale: scale)
        for rows in [PredictionRows.new(data.covariates), .trainingRows(data)] {
            let means = try model.predict(PredictionRequest(.armMeans), for: rows).columns
            for (arm, baseline) in [(1, 0), (2, 0), (1, 2)] {
                let request = PredictionRequest(.effects, arm: "\(arm)", baseline: "\(baseline)")
                let result = try model.predict(request, for: rows)
                for row in 0..<150 {
                    let (a, b) = (means[arm][row], means[baseline][row])
                    let expected = scale == .ratio ? a / b : a / (1 - a) / (b / (1 - b))
                    #expect(abs(result.columns[0][row] / expected - 1) < 1e-12)
                }
            }
        }
        let all = try model.predict(PredictionRequest(), for: .new(data.covariates))
        #expect(all.names == ["\(scale.rawValue)_1", "\(scale.rawValue)_2"])
        #expect(try CATEModel(bytes: model.encoded()).spec.effectScale == scale)
    }

    @Test("Scales that the outcome or the learner does not have are refused before anything is fitted")
    func refusals() throws {
        let numbers = try SyntheticDataset.linear(rows: 60, seed: 1).dataset
        let binary = try SyntheticDataset.binary(rows: 60, seed: 1).dataset
        for (data, learner, scale, outcome) in [
            (numbers, LearnerKind.t, EffectScale.ratio, "ridge"), (numbers, .t, .oddsRatio, "ridge"),
            (binary, .r, .ratio, "logistic"), (binary, .f, .oddsRatio, "logistic"),
        ] {
            let error = #expect(throws: MetaLearnersError.self) {
                try fit(data, learner, outcome: ["backend": .string(outcome)], scale: scale)
            }
            #expect(error?.kind == .unsupported && error?.location == "effect_scale")
        }
    }
}
