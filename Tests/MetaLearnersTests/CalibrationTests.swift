import MetaLearnersCore
import MetaLearnersKit
import Testing
import _TestSupport

@testable import MetaLearners

@Suite("Calibration of propensities")
struct CalibrationTests {
    @Test("Isotonic and Platt curves are those of scikit-learn and statsmodels")
    func reference() throws {
        let fixture = try Fixture("calibration")
        let predicted = try fixture.numbers("predicted")
        let label = try fixture.numbers("label")
        let weight = try fixture.numbers("weight")
        let curve = CalibrationCurve.isotonic(predicted, label, weights: weight)
        let values = try fixture.numbers("grid").map { curve($0) }
        #expect(try Approximate.largestDifference(values, fixture.numbers("isotonic")) < 1e-12)
        guard
            case .platt(let slope, let intercept) = CalibrationCurve.platt(predicted, label, weights: weight)
        else {
            Issue.record("not a Platt curve")
            return
        }
        #expect(try abs(slope - fixture.number("slope")) < 1e-8)
        #expect(try abs(intercept - fixture.number("intercept")) < 1e-8)
    }

    @Test("The scores are those of scikit-learn")
    func scores() throws {
        let fixture = try Fixture("calibration")
        let predicted = try fixture.numbers("predicted")
        let arms = try fixture.numbers("label").map { Int32($0) }
        let dataset = try CausalDataset(
            covariates: Table([Column("x", predicted)]),
            treatment: Treatment(arms: arms, labels: ["0", "1"]),
            outcome: Outcome(predicted), weights: fixture.numbers("weight"))
        let scores = CalibrationReport.Scores(
            [predicted.map { 1 - $0 }, predicted], dataset.treatment.arms, dataset.weights)
        #expect(try abs(scores.brier - fixture.number("brier")) < 1e-12)
        #expect(try abs(scores.logLoss - fixture.number("log_loss")) < 1e-12)
        #expect(abs(scores.reliability[0].reduce(0) { $0 + $1.weight } - weightSum(dataset)) < 1e-9)
    }

    private func weightSum(_ dataset: CausalDataset) -> Double { (dataset.weights ?? []).reduce(0, +) }

    private func spec(_ learner: String, _ calibration: String) throws(MetaLearnersError) -> MetaLearnerSpec {
        try MetaLearnerSpec([
            "learner": .string(learner),
            "models": [
                "outcome": "ols", "effect": "ols",
                "propensity": [
                    "backend": "trees", "trees": 60, "max_leaves": 8, "min_leaf_size": 2,
                    "calibration": .string(calibration),
                ],
            ],
            "cross_fitting": ["folds": 3], "overlap": ["bounds": [0.001, 0.999]],
        ])
    }

    @Test(
        "Calibration brings overconfident propensities nearer to what happened, for two arms and more",
        arguments: ["isotonic", "platt"], [2, 3])
    func improves(method: String, arms: Int) throws {
        let data = try SyntheticDataset.multiArm(rows: 400, arms: arms, seed: 2).dataset
        let model = try MetaLearnerFitter(spec("x", method)).fit(data)
        let report = try #require(model.calibration).report
        #expect(report.after.brier < report.before.brier)
        // (The steps of an isotonic curve next to 0 and 1 may cost more log loss than they save.)
        #expect(method == "isotonic" || report.after.logLoss < report.before.logLoss)
        let shares = try #require(model.training?.nuisances.propensities)
        for row in 0..<400 { #expect(abs(shares.reduce(0) { $0 + $1[row] } - 1) < 1e-9) }
        let bytes = model.encoded()
        let read = try CATEModel(bytes: bytes)
        #expect(read.encoded() == bytes && read.calibration == model.calibration)
        #expect(try read.predict(data.covariates).effects == model.predict(data.covariates).effects)
        let plain = try MetaLearnerFitter(spec("x", "none")).fit(data)
        #expect(plain.calibration == nil)
        #expect(try plain.predict(data.covariates).effects != model.predict(data.covariates).effects)
    }

    @Test("A row's calibrated propensity does not depend on its own treatment through the calibration")
    func heldOut() throws {
        var stream = RandomStream(seed: 3)
        let predicted = (0..<60).map { _ in stream.uniform() }
        let arms = predicted.map { Int32(stream.bernoulli($0) ? 1 : 0) }
        let folds = try FoldAssignment((0..<60).map { Int32($0 % 3) }, count: 3)
        func calibrated(_ arms: [Int32]) throws -> [Double] {
            let dataset = try CausalDataset(
                covariates: Table([Column("x", predicted)]),
                treatment: Treatment(arms: arms, labels: ["0", "1"]), outcome: Outcome(predicted))
            let both = [predicted.map { 1 - $0 }, predicted]
            return try PropensityCalibration.fitted(.isotonic, both, dataset, folds).training[1]
        }
        var changed = arms
        changed[7] = 1 - changed[7]
        let before = try calibrated(arms)
        let after = try calibrated(changed)
        for row in folds.rows(in: 1) { #expect(before[Int(row)] == after[Int(row)]) }
        #expect(before != after)
    }

    @Test("Calibration is a key of the propensity alone")
    func key() {
        for role in ["outcome", "effect"] {
            let value: SpecValue = ["models": [role: ["backend": "ols", "calibration": "platt"]]]
            let error = #expect(throws: MetaLearnersError.self) {
                try MetaLearnerFitter(MetaLearnerSpec(value))
            }
            #expect(error.says(.invalidSpec, "models.\(role).calibration", "unknown key"))
        }
        let value: SpecValue = ["models": ["propensity": ["calibration": "plat"]]]
        let error = #expect(throws: MetaLearnersError.self) { try MetaLearnerSpec(value) }
        #expect(error?.location == "models.propensity.calibration")
    }
}
