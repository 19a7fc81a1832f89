import MetaLearners
import MetaLearnersCore
import MetaLearnersKit
import Testing
import _TestSupport

@testable import CausalAnalysis

@Suite("Orders of rows by effects that are out of fold")
struct OrderingTests {
    /// A trial with the same effect for everybody, and a model of it.
    private func trial(
        _ seed: UInt64, rows: Int = 200, learner: LearnerKind = .dr,
        _ change: (inout MetaLearnerSpec) -> Void = { _ in }
    ) throws -> (dataset: CausalDataset, model: CATEModel) {
        var stream = RandomStream(seed: seed, path: 0x4F52_4445)
        let columns = (0..<4).map { _ in (0..<rows).map { _ in stream.normal() } }
        let arms = (0..<rows).map { _ in Int32(stream.bernoulli(0.5) ? 1 : 0) }
        let outcome = (0..<rows).map { columns[0][$0] + 0.3 * Double(arms[$0]) + stream.normal() }
        let dataset = try CausalDataset(
            covariates: Table(columns.enumerated().map { Column("x\($0)", $1) }),
            treatment: Treatment(arms: arms, labels: ["0", "1"]), outcome: Outcome(outcome))
        var spec = MetaLearnerSpec()
        spec.learner = learner
        spec.seed = Int(seed)
        spec.models = try ModelsSpec(["outcome": "ridge", "propensity": "logistic", "effect": "ridge"])
        change(&spec)
        return (dataset, try MetaLearnerFitter(spec, registry: .default).fit(dataset))
    }

    @Test(
        "What folds say on average is taken away, of one repeat exactly, of several where it adds up",
        arguments: [1, 3])
    func levels(repeats: Int) throws {
        var stream = RandomStream(seed: 5, path: 1)
        let dataset = try SyntheticDataset.linear(rows: 300, seed: 2).dataset
        let folds = try FoldAssignment.repeats(repeats, dataset, count: 4, seed: 3)
        let own = (0..<300).map { _ in stream.normal() }
        let levels = folds.map { _ in (0..<4).map { _ in 5 * stream.normal() } }
        let weights = (0..<300).map { $0 % 7 == 0 ? 0.0 : Double(1 + $0 % 3) }
        let constants = (0..<300).map { row in
            zip(folds, levels).reduce(2) { $0 + $1.1[Int($1.0.folds[row])] }
        }
        let none = FoldLevels(folds, weights: weights).removed(from: constants)
        #expect(Set(none).count == 1)
        let removed = FoldLevels(folds, weights: weights).removed(from: zip(own, constants).map { $0 + $1 })
        let alone = FoldLevels(folds, weights: weights).removed(from: own)
        let shift = removed[1] - alone[1]
        for row in 0..<300 { #expect(abs(removed[row] - alone[row] - shift) < 1e-9) }
        for folds in folds {
            for fold in 0..<4 {
                let rows = (0..<300).filter { folds.folds[$0] == fold }
                let total = rows.reduce(0) { $0 + weights[$1] }
                let mean = rows.reduce(0) { $0 + weights[$1] * removed[$1] } / total
                let all = zip(removed, weights).reduce(0) { $0 + $1.0 * $1.1 } / weights.reduce(0, +)
                #expect(abs(mean - all) < 1e-9)
            }
        }
    }

    @Test(
        "Where effects do not differ, orders are not upside down, nor right, more often than by chance",
        arguments: [LearnerKind.dr, .x])
    func sameForEverybody(learner: LearnerKind) throws {
        var (above, below, groups, equal) = (0, 0, 0, 0)
        for seed in 1...60 {
            let (dataset, model) = try trial(UInt64(seed), learner: learner)
            let study = try CausalStudy(model, on: dataset)
            var rate = RATEAnalysis()
            rate.replicates = 200
            let autoc = try #require(try rate.run(study).table(named: "rates"))
            if autoc.numbers("p_value")[0] < 0.05 {
                if autoc.numbers("estimate")[0] > 0 { above += 1 } else { below += 1 }
            }
            let gates = try #require(try GATESAnalysis().run(study).table(named: "differences"))
            if gates.numbers("p_value")[0] < 0.05 { groups += 1 }
            let tests = try #require(try HomogeneityTestAnalysis().run(study).table(named: "tests"))
            if tests.numbers("p_value")[1] < 0.05 { equal += 1 }
        }
        // At 5 % three of 60 are due; before folds were set apart it was 10 or more of each but the first.
        #expect(above <= 4 && below <= 4 && groups <= 6 && equal <= 6, "\(above) \(below) \(groups) \(equal)")
    }

    @Test("Effects of other rows are ordered as they are, with the errors that they have")
    func otherRows() throws {
        let (_, model) = try trial(1)
        let (fresh, _) = try trial(2)
        let study = try CausalStudy(model, on: fresh)
        #expect(try study.orderingEffect(1) == study.effect(1) && study.orderingErrorFactor == 1)
        let (own, fitted) = try trial(3)
        #expect(try CausalStudy(fitted, on: own).orderingErrorFactor == 2.0.squareRoot())
    }

    @Test(
        "Means of groups that effects sort have the error of the mean of all and twice that of the contrast")
    func groupErrors() throws {
        let (dataset, model) = try trial(5)
        let study = try CausalStudy(model, on: dataset)
        let given = try CausalStudy(
            dataset,
            given: GivenColumns(
                effects: [study.orderingEffect(1)], propensities: try #require(study.propensities),
                armMeans: try #require(study.armMeans)))
        func errors(_ study: CausalStudy) throws -> [Double] {
            let gates = try #require(try GATESAnalysis().run(study).table(named: "groups")).numbers(
                "std_error")
            var policy = PolicyValueAnalysis()
            policy.share = 0.3
            let gains = try #require(try policy.run(study).table(named: "gains")).numbers("std_error")
            return [gates[0], gates[4], gains[0]]
        }
        for (own, plain) in zip(try errors(study), try errors(given)) {
            #expect(own > 1.1 * plain && own < 2.0.squareRoot() * plain, "\(own) \(plain)")
        }
        let shares = UpliftSlicesAnalysis()
        let last = try #require(try shares.run(study).table(named: "slices")).numbers("std_error").last
        let plain = try #require(try shares.run(given).table(named: "slices")).numbers("std_error").last
        // Everybody is no contrast.
        #expect(abs((last ?? 0) / (plain ?? 1) - 1) < 1e-9)
    }

    @Test(
        "So has the gain that other rows can expect, where training rows of the same rule or with such effects stand for them",
        arguments: [2, 3])
    func expectedGains(arms: Int) throws {
        var (dataset, model) = try trial(11)
        if arms == 3 {
            let three = (0..<200).map { Int32(($0 * 7) % 3) }
            dataset = try CausalDataset(
                covariates: dataset.covariates, treatment: Treatment(arms: three, labels: ["0", "1", "2"]),
                outcome: dataset.outcome)
            model = try MetaLearnerFitter(model.spec, registry: .default).fit(dataset)
        }
        let study = try CausalStudy(model, on: dataset)
        let ordering = try (1..<arms).map { try study.orderingEffect($0) }
        let given = try CausalStudy(
            dataset,
            given: GivenColumns(
                effects: ordering, propensities: study.propensities,
                armMeans: study.armMeans))
        let others = try model.predict(trial(12).dataset.covariates).effects
        func gain(_ study: CausalStudy, _ share: Double, costs: [Double]?) throws -> TargetingGain {
            let limit = TreatmentAllocation.Limit.share(share)
            let allocation = try TreatmentAllocation(effects: others, limit: limit)
            return try #require(
                try TargetingGain.ofTraining(
                    study, allocation, allocation.decisions, of: others,
                    costs == nil ? .budget(share * 200) : limit, costs: costs, byCluster: false, level: 0.95))
        }
        // The same rule, and rows with such effects.
        for costs in [[], nil] as [[Double]?] {
            let (own, plain) = (try gain(study, 0.3, costs: costs), try gain(given, 0.3, costs: costs))
            #expect(own.basis == (costs == nil ? .similarRows : .trainingRows) && own.basis == plain.basis)
            #expect(abs(own.estimate - plain.estimate) < 1e-9)
            let ratio = own.stdError / plain.stdError
            #expect(ratio > 1.1 && ratio < 2.0.squareRoot() + 1e-9, "\(ratio)")
            #expect(own.upper - own.lower > plain.upper - plain.lower)
        }
        // Everybody is no contrast, of two arms.
        if arms == 2 {
            let (own, plain) = (try gain(study, 1, costs: nil), try gain(given, 1, costs: nil))
            #expect(own.stdError / plain.stdError < 1.2, "\(own.stdError / plain.stdError)")
        }
    }

    @Test("Its intervals hold the gain of other rows where effects do not differ")
    func coverage() throws {
        var held = [0, 0]
        for seed in 1...120 {
            let (dataset, model) = try trial(UInt64(seed))
            let others = try model.predict(trial(UInt64(seed) + 1000, rows: 500).dataset.covariates).effects
            let limit = TreatmentAllocation.Limit.share(0.2)
            let allocation = try TreatmentAllocation(effects: others, limit: limit)
            let truth = 0.3 * Double(allocation.decisions.count { $0 > 0 })
            let study = try CausalStudy(model, on: dataset)
            for (basis, costs) in ([[], nil] as [[Double]?]).enumerated() {
                let gain = try #require(
                    try TargetingGain.ofTraining(
                        study, allocation, allocation.decisions, of: others,
                        costs == nil ? .budget(100) : limit, costs: costs, byCluster: false, level: 0.95))
                if gain.lower <= truth && truth <= gain.upper { held[basis] += 1 }
            }
        }
        // Of 120 there should be 114; plain errors held 87 % of the time.
        #expect(held.allSatisfy { $0 >= 110 }, "\(held)")
    }

    @Test("A threshold decides by each row's own effect, a share by the order")
    func deciding() throws {
        let (dataset, model) = try trial(4)
        let study = try CausalStudy(model, on: dataset)
        #expect(try study.decidingEffects(.threshold(0))[0] == study.effect(1))
        #expect(try study.decidingEffects(.share(0.3))[0] == study.orderingEffect(1))
    }

    // MARK: Rows that models saw

    @Test(
        "Effects in sample are judged with a warning, and are never said to be out of fold",
        arguments: [LearnerKind.s, .t, .x, .r, .dr, .ra, .m, .u, .f])
    func inSample(learner: LearnerKind) throws {
        let changes: [(text: String, (inout MetaLearnerSpec) -> Void)] = [
            ("in_sample: full", { $0.crossFitting.inSample = .full }),
            ("folds: 1", { $0.crossFitting.folds = 1 }),
        ]
        for (text, change) in changes {
            let (dataset, model) = try trial(6, learner: learner, change)
            let study = try CausalStudy(model, on: dataset)
            #expect(study.origin == .inSample && study.orderingErrorFactor == 1)
            for analysis in [
                CalibrationTestAnalysis(), RATEAnalysis(), LossesAnalysis(), PolicyValueAnalysis(),
                GATESAnalysis(),
            ] as [any Analysis] {
                let warnings = try analysis.run(study).warnings
                #expect(
                    warnings.contains { $0.contains("fitted to these very rows (cross_fitting.\(text))") },
                    "\(warnings)")
            }
            // Without a dataset, too: from the rows that the model remembers.
            let remembered = try CausalStudy(model)
            #expect(
                try RATEAnalysis().run(remembered).warnings.contains {
                    $0.contains("fitted to these very rows")
                })
            let averages = try AIPWAnalysis().run(study).warnings
            #expect(
                averages.contains { $0.contains("standard errors are too small") } == (text == "folds: 1"))
            #expect(try CausalStudy(model, on: trial(7).dataset).origin == .predicted)
        }
    }

    @Test(
        "The rows of the fit are known with their columns in any order; in another order, or fewer, they are warned of"
    )
    func metAgain() throws {
        let (dataset, model) = try trial(8)
        func study(_ rows: [Int32], columns: [Int] = [0, 1, 2, 3]) throws -> CausalStudy {
            let own = dataset.covariates.columns
            return try CausalStudy(
                model,
                on: CausalDataset(
                    covariates: Table(columns.map { own[$0] }).selecting(rows: rows),
                    treatment: Treatment(
                        arms: rows.map { dataset.treatment.arms[Int($0)] }, labels: ["0", "1"]),
                    outcome: Outcome(rows.map { dataset.outcome.values[Int($0)] })))
        }
        let all = (0..<Int32(200)).map { $0 }
        #expect(try study(all).origin == .outOfFold)
        #expect(try study(all, columns: [2, 0, 3, 1]).origin == .outOfFold)
        for rows in [all.reversed(), Array(all.dropLast()), Array(all.prefix(50))] {
            let met = try study(Array(rows))
            #expect(met.origin == .predicted)
            #expect(
                met.warnings.contains {
                    $0.hasPrefix("100 % of the rows have the very outcome and arm")
                })
        }
        let fresh = try CausalStudy(model, on: trial(9).dataset)
        #expect(!fresh.warnings.contains { $0.contains("very outcome") })
    }

    @Test("A study of new rows tells what the fit warned of, what the rows do, and each thing once")
    func warningsOfNewRows() throws {
        func rows(_ seed: UInt64, control: String? = nil, cities: [String] = ["Ulm", "Bonn"]) throws
            -> CausalDataset
        {
            var stream = RandomStream(seed: seed, path: 0x5741_524E)
            let arms = (0..<120).map { _ in stream.bernoulli(0.5) ? "b" : "a" }
            var data = DataSpec()
            (data.treatment, data.outcome, data.control) = ("w", "y", control)
            return try CausalDataset(
                Table([
                    Column("w", categories: arms), Column("y", arms.map { _ in stream.normal() }),
                    Column("city", categories: arms.indices.map { cities[$0 % cities.count] }),
                ]), data)
        }
        var spec = MetaLearnerSpec()
        spec.learner = .t
        spec.models = try ModelsSpec(["outcome": "ridge", "propensity": "logistic"])
        let training = try rows(1)
        let model = try MetaLearnerFitter(spec, registry: .default).fit(training)
        let assumed = "treatment 'w': the control is taken to be 'a', the first label in order; "
        #expect(model.warnings.count { $0.hasPrefix(assumed) } == 1)
        #expect(try CausalStudy(model, on: training).warnings == model.warnings)
        let named = try CausalStudy(model, on: rows(2, control: "a", cities: ["Ulm", "Rome"])).warnings
        #expect(named.count { $0.hasPrefix("of the fit: " + assumed) } == 1, "\(named)")
        #expect(named.count { $0.contains("'Rome'") } == 1, "\(named)")
        let alike = try CausalStudy(model, on: rows(3)).warnings
        #expect(alike.count { $0.hasPrefix(assumed) } == 1, "\(alike)")
        #expect(!alike.contains { $0.hasPrefix("of the fit: " + assumed) })
        let read = try CATEModel(bytes: model.encoded(), registry: .default)
        #expect(try CausalStudy(read, on: rows(3)).warnings == alike)
    }
}
