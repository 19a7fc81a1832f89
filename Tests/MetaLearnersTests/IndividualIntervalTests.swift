import MetaLearnersCore
import MetaLearnersKit
import Testing
import _TestSupport

@testable import MetaLearners

@Suite("Individual intervals")
struct IndividualIntervalTests {
    private static let request = PredictionRequest(.individualIntervals, level: 0.8)

    /// The share of rows whose own effect is held, noise of variance 1 in each outcome.
    private func coverage(
        _ prediction: Prediction, _ effects: [Double], correlation: Double, contrast: Int = 0
    ) -> Double {
        var stream = RandomStream(seed: 31, path: 5)
        var held = 0.0
        for (row, effect) in effects.enumerated() {
            let common = stream.normal()
            let own = correlation * common + (1 - correlation * correlation).squareRoot() * stream.normal()
            let individual = effect + own - common
            let columns = prediction.columns[(3 * contrast)...]
            if columns[3 * contrast + 1][row] <= individual, individual <= columns[3 * contrast + 2][row] {
                held += 1
            }
        }
        return held / Double(effects.count)
    }

    @Test(
        "They hold single rows' own effects, whatever joins the two outcomes", arguments: LearnerKind.allCases
    )
    func coverage(learner: LearnerKind) throws {
        let law = try SyntheticDataset.linear(rows: 600, seed: 21)
        let fresh = try SyntheticDataset.linear(rows: 2000, seed: 22)
        let model = try Linear.fit(law.dataset, learner)
        let prediction = try model.predict(Self.request, for: .new(fresh.covariates))
        #expect(prediction.names == ["cate", "ite_lower", "ite_upper"])
        // The worst that can be: what is good luck with the treatment is bad luck without.
        let worst = coverage(prediction, fresh.effects[0], correlation: -1)
        #expect(worst > 0.76 && worst < 0.95, "\(worst)")
        #expect(coverage(prediction, fresh.effects[0], correlation: 0) > worst)
        #expect(
            try model.predict(PredictionRequest(), for: .new(fresh.covariates)).columns[0]
                == prediction.columns[0])
        // A model that was read says the same; of training rows no covariates are needed.
        let read = try CATEModel(bytes: model.encoded())
        #expect(try read.predict(Self.request, for: .new(fresh.covariates)) == prediction)
        let ofTraining = try read.predict(Self.request, for: .training)
        #expect(ofTraining.columns[0] == model.trainingEffects[0])
        let training = coverage(ofTraining, law.effects[0], correlation: -1)
        #expect(training > 0.74, "\(training)")
    }

    @Test("Their ends are those of the definition, row by row, with weights and three arms")
    func definition() throws {
        let law = try SyntheticDataset.multiArm(rows: 300, seed: 23)
        var stream = RandomStream(seed: 3, path: 1)
        let weights = (0..<300).map { $0 % 10 == 3 ? 0 : 0.5 + stream.uniform() }
        let data = try CausalDataset(
            covariates: law.covariates, treatment: law.treatment, outcome: Outcome(law.outcome),
            weights: weights)
        let model = try Linear.fit(data, .x)
        let record = try #require(model.training)
        let shares = try #require(record.nuisances.propensities)
        let prediction = try model.predict(
            PredictionRequest(.individualIntervals, arm: "2", baseline: "1", level: 0.9), for: .training)
        #expect(prediction.names == ["cate_2_vs_1", "ite_2_vs_1_lower", "ite_2_vs_1_upper"])
        let effect = zip(record.effects[1], record.effects[0]).map { $0 - $1 }
        let means = [
            try record.nuisances.armOutcome(0), try record.nuisances.armOutcome(1),
            try record.nuisances.armOutcome(2),
        ]
        let meanWeight = Approximate.mean(weights.filter { $0 > 0 })
        for row in [0, 7, 150, 299] {
            var width = 0.0
            for (arm, sign) in [(2, 1.0), (1, -1.0)] {
                let members = (0..<300).filter { record.arms[$0] == Int32(arm) }
                let distances = members.map { member in
                    let ofPair = shares[2][member] / (shares[1][member] + shares[2][member])
                    let rest = effect[member] - (means[2][member] - means[1][member])
                    let predicted = means[arm][member] + sign * rest * (arm == 2 ? 1 - ofPair : ofPair)
                    return abs(record.outcome[member] - predicted)
                }
                let mass = members.map { weights[$0] / meanWeight / shares[arm][$0] }
                let total = mass.reduce(0, +) + 1 / shares[arm][row]
                // The least distance within which 95 % of all weight lies.
                width +=
                    distances.filter { distance in
                        zip(distances, mass).reduce(0) { $1.0 <= distance ? $0 + $1.1 : $0 } >= 0.95 * total
                    }.min() ?? .infinity
            }
            #expect(abs(prediction.columns[1][row] - (effect[row] - width)) < 1e-9)
            #expect(abs(prediction.columns[2][row] - (effect[row] + width)) < 1e-9)
        }
    }

    @Test("Where an arm has too few rows for the level, an interval has no ends, and the prediction says so")
    func unbounded() throws {
        let law = try SyntheticDataset.linear(rows: 60, seed: 24)
        let model = try Linear.fit(law.dataset, .dr)
        let prediction = try model.predict(
            PredictionRequest(.individualIntervals, level: 0.99), for: .new(law.covariates))
        #expect(prediction.columns[1].contains(-.infinity) && prediction.columns[2].contains(.infinity))
        #expect(prediction.warnings.contains { $0.contains("without ends") })
        let sure = try SyntheticDataset.binary(rows: 300, seed: 25)
        let models: SpecValue = ["outcome": ["backend": "logistic"], "propensity": ["backend": "logistic"]]
        let ends = try Linear.fit(sure.dataset, .t, models: models).predict(
            PredictionRequest(.individualIntervals, level: 0.999), for: .new(sure.covariates))
        #expect(ends.columns[1].allSatisfy { $0 >= -1 } && ends.columns[2].allSatisfy { $0 <= 1 })
        // An effect model that knows no bounds: its intervals end at them, and do not turn round.
        let far = try Linear.fit(sure.dataset, .dr, models: models.merging(["effect": ["backend": "ols"]]))
            .predict(
                Self.request, for: .new(sure.covariates.scaled(by: 40)))
        #expect(far.columns[0].contains { $0 > 2 } && far.columns[0].contains { $0 < -2 })
        #expect(zip(far.columns[1], far.columns[2]).allSatisfy { -1 <= $0 && $0 <= $1 && $1 <= 1 })
        #expect(ends.warnings.isEmpty)
    }

    @Test("What has none says what to do")
    func refusals() throws {
        let law = try SyntheticDataset.linear(rows: 80, seed: 26)
        func message(_ keys: [(String, SpecValue)], scale: EffectScale? = nil, level: Double? = nil) throws
            -> String
        {
            var object = SpecObject([("learner", "r"), ("models", Linear.models)])
            for (key, value) in keys { object[key] = value }
            let model = try CATEModel(
                bytes: MetaLearnerFitter(MetaLearnerSpec(.object(object))).fit(law.dataset).encoded())
            let error = #expect(throws: MetaLearnersError.self) {
                try model.predict(
                    PredictionRequest(.individualIntervals, scale: scale, level: level),
                    for: .new(law.covariates))
            }
            return error?.description ?? ""
        }
        #expect(try message([("keep_training", false)]).contains("keep_training: true"))
        #expect(try message([("average_effects", false)]).contains("average_effects: true"))
        // What models say of rows that they were fitted to tells nothing of other rows.
        #expect(try message([("cross_fitting", ["folds": 1])]).contains("folds: 2"))
        #expect(try message([("cross_fitting", ["in_sample": "full"])]).contains("in_sample"))
        #expect(try message([("learner", "t")], scale: .ratio).contains("difference"))
        #expect(try message([], level: 1).contains("level"))
    }
}

extension SpecValue {
    /// The same with other keys as well.
    fileprivate func merging(_ other: SpecValue) -> SpecValue {
        var object = objectValue ?? SpecObject()
        let added = other.objectValue ?? SpecObject()
        for key in added.keys { object[key] = added[key] }
        return .object(object)
    }
}

extension Table {
    /// The same with every number times `factor`.
    fileprivate func scaled(by factor: Double) throws -> Table {
        try Table(columns.map { Column($0.name, $0.values.doubles().map { $0 * factor }) })
    }
}
