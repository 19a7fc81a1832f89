import MetaLearnersKit
import Testing
import _TestSupport

@testable import AutoLearner
@testable import MetaLearners
@testable import MetaLearnersCore

@Suite("Weights of combinations")
struct CombinationTests {
    private func normals(_ rows: Int, _ columns: Int, seed: UInt64) -> [[Double]] {
        var stream = RandomStream(seed: seed, path: 1)
        return (0..<columns).map { _ in (0..<rows).map { _ in stream.normal() } }
    }

    @Test(
        "Exponential weights: shares; the prior where losses are equal; the best takes all where it is clear")
    func exponential() {
        let rule = ExponentialWeights()
        let equal = rule.weights(losses: [10, 10, 10], rowCount: 100)
        #expect(Approximate.equal(equal, [0.5, 0.25, 0.25], 1e-12))
        let clear = rule.weights(losses: [10_000, 10_000, 100], rowCount: 100)
        #expect(clear[2] > 0.999_999)
        for losses in [[5.0, 4, 3, 2], [1, 1000], [0, 0, 1], [7]] {
            let weights = rule.weights(losses: losses, rowCount: 50)
            #expect(weights.allSatisfy { $0 >= 0 && $0 <= 1 })
            #expect(Approximate.equal(weights.reduce(0, +), 1, 1e-12))
        }
    }

    @Test("Exponential weights do not know the unit of the outcome")
    func exponentialUnits() {
        let rule = ExponentialWeights()
        let losses = [120.0, 100, 104, 130]
        #expect(
            Approximate.equal(
                rule.weights(losses: losses, rowCount: 90),
                rule.weights(losses: losses.map { 9 * $0 }, rowCount: 90), 1e-12))
    }

    /// What `auto` makes of two candidates: x, which is the effect of the first eighth of the rows, and −x, which is that of
    /// all others.
    ///
    /// - Parameter factor: what the outcomes of fold 0 are multiplied by.
    private func combined(hasOverlap: [Bool]?, ofFoldZero factor: Double = 1) throws -> (
        effect: AutoEffect, x: [Double], folds: FoldAssignment
    ) {
        let rows = 3200
        var stream = RandomStream(seed: 3)
        let x = (0..<rows).map { _ in stream.normal() }
        let arms = (0..<rows).map { Int32($0 % 2) }
        let folds = try FoldAssignment((0..<rows).map { Int32($0 / 2 % 2) }, count: 2)
        let outcome = (0..<rows).map { row in
            let value =
                (Double(arms[row]) - 0.5) * (row < rows / 8 ? x[row] : -x[row]) + 0.1 * stream.normal()
            return folds.folds[row] == 0 ? factor * value : value
        }
        let data = try CausalDataset(
            covariates: Table([Column("x", x)]), treatment: Treatment(arms: arms, labels: ["0", "1"]),
            outcome: Outcome(outcome))
        let pair = AutoPair(data, arm: 1, AutoSettings(rowCount: rows), seed: 1)
        let zeros = [Double](repeating: 0, count: rows)
        let half = [Double](repeating: 0.5, count: rows)
        let none = LinearFunction(intercept: 0, width: 1)
        let path = LinearFoldPath(
            functions: [none, none], slopes: [], outOfFold: zeros, outOfFoldSlopes: [])
        let linear = MemberRun.Result(linear: path, models: [], outOfFold: [zeros])
        let trees = MemberRun.Result(linear: nil, models: [], outOfFold: [zeros])
        let formulas = [MemberFormula](repeating: MemberFormula(MemberSum(width: 1)), count: 2)
        let nuisances = AutoNuisances(
            share: half, shareBlends: [], means: [zeros, zeros], meanFormulas: [formulas, formulas],
            marginal: zeros,
            results: [.controlLasso: linear, .armLasso: linear, .controlTrees: trees, .armTrees: trees])
        let effect = try pair.combine(
            nuisances, [:], pair.residuals(nuisances, hasOverlap: hasOverlap),
            also: [("x", x), ("the opposite", x.map { -$0 })], width: 1,
            folds: folds)
        return (effect, x, folds)
    }

    @Test("The weights of auto at a training row are those of the other folds")
    func autoWeightsOfFolds() throws {
        let (plain, _, folds) = try combined(hasOverlap: nil)
        let (changed, _, _) = try combined(hasOverlap: nil, ofFoldZero: -2)
        for row in folds.folds.indices {
            #expect((plain.values[row] == changed.values[row]) == (folds.folds[row] == 0))
        }
        #expect(plain.formulas[0] == changed.formulas[0] && plain.formulas[1] != changed.formulas[1])
        #expect(plain.alsoWeights[0] == changed.alsoWeights[0])
        #expect(plain.alsoWeights[1] != changed.alsoWeights[1])
    }

    @Test("A mixture counts where it gains more than its parts cost, and is shared among them")
    func mixtures() {
        let rule = ExponentialWeights()
        func weights(mixtureLoss: Double) -> [Double] {
            rule.weights(
                losses: [5000, 1000, 1000], mixture: [0, 0.25, 0.75], mixtureLoss: mixtureLoss, penalty: 4,
                rowCount: 1000)
        }
        // The noise's variance is 1 and a second part costs 4: a gain of 4 makes it one candidate among equals.
        let equal = weights(mixtureLoss: 996)
        let least = 996 + 4 * 0.996
        let left = Double.exp(-(1000 - least) / (8 * least / 1000))
        #expect(Approximate.equal(equal[1], (left + 0.25) / (2 * left + 1), 1e-9))
        #expect(Approximate.equal(equal[2], (left + 0.75) / (2 * left + 1), 1e-9))
        let gained = weights(mixtureLoss: 900)
        #expect(Approximate.equal(gained[1], 0.25, 1e-3) && Approximate.equal(gained[2], 0.75, 1e-3))
        for all in [equal, gained] { #expect(Approximate.equal(all.reduce(0, +), 1, 1e-12)) }
    }

    @Test("auto weighs its candidates by their loss, on the rows with overlap alone")
    func autoCombination() throws {
        let (trimmed, x, _) = try combined(hasOverlap: (0..<3200).map { $0 < 400 })
        #expect(trimmed.alsoWeights.allSatisfy { $0[0] > 0.98 && $0[1] < 0.01 })
        #expect(Approximate.largestDifference(trimmed.values, x) < 0.05)
        let (all, _, _) = try combined(hasOverlap: nil)
        // Of all rows the opposite is true of seven in eight: the best mixture of the two has a slope of −(7 − 1)/8.
        #expect(all.alsoWeights.allSatisfy { abs($0[1] - $0[0] - 0.75) < 0.06 })
    }

    @Test("auto leaves rows without overlap out of its effects, and keeps them in its nuisances")
    func autoTrims() throws {
        let data = try SyntheticDataset.nieWager(.c, rows: 200, seed: 1).dataset
        func fit(_ policy: String) throws -> CATEModel {
            let spec = try MetaLearnerSpec([
                "cross_fitting": ["folds": 3],
                "overlap": ["policy": .string(policy), "bounds": [0.3, 0.7]],
            ])
            var settings = AutoSettings(rowCount: data.rowCount)
            settings.rounds = 30
            return try MetaLearnerFitter(spec).withAuto(settings).fit(data)
        }
        let clipped = try fit("clip")
        let trimmed = try fit("trim")
        #expect(trimmed.overlap.touched > 10 && trimmed.overlap.touched == clipped.overlap.touched)
        #expect(trimmed.training?.nuisances.armOutcomes == clipped.training?.nuisances.armOutcomes)
        #expect(Approximate.largestDifference(trimmed.trainingEffects[0], clipped.trainingEffects[0]) > 1e-3)
    }

    @Test("Stacks meet the conditions of Karush, Kuhn and Tucker", arguments: [1, 2, 3, 4] as [UInt64])
    func optimality(seed: UInt64) throws {
        let columns = normals(60, 5, seed: seed)
        let target = columns[0].indices.map { row in
            0.4 * columns[0][row] + 0.9 * columns[1][row] - 0.7 * columns[2][row] + columns[4][row] / 3
        }
        let weights = (0..<60).map { 1 + Double($0 % 4) }
        for constraint in [ConvexStack.Constraint.none, .freeIntercept, .sumToOne] {
            let stack = try ConvexStack(columns, target: target, rowWeights: weights, constraint)
            let fitted = stack.combine(columns)
            let gradient = columns.map { column in
                column.indices.reduce(0) { $0 - weights[$1] * column[$1] * (target[$1] - fitted[$1]) }
            }
            // With a sum of one, all gradients may be off by the same number.
            let free = stack.weights.indices.first { stack.weights[$0] > 1e-9 }
            let level = constraint == .sumToOne ? free.map { gradient[$0] } ?? 0 : 0
            for (weight, slope) in zip(stack.weights, gradient) {
                #expect(weight >= 0)
                #expect(weight > 1e-9 ? abs(slope - level) < 1e-6 : slope - level > -1e-6)
            }
            if constraint == .sumToOne {
                #expect(Approximate.equal(stack.weights.reduce(0, +), 1, 1e-9))
                #expect(stack.intercept == 0)
            }
            if constraint == .freeIntercept {
                let rest = zip(zip(target, fitted).map { $0 - $1 }, weights).reduce(0) { $0 + $1.0 * $1.1 }
                #expect(abs(rest) < 1e-9)
            }
        }
    }

    @Test("A stack finds the mixture that a target is, also where two members say the same")
    func mixture() throws {
        let columns = normals(40, 3, seed: 9)
        let target = columns[0].indices.map { 2 + 0.25 * columns[0][$0] + 0.75 * columns[2][$0] }
        let stack = try ConvexStack(columns, target: target, rowWeights: nil, .freeIntercept)
        #expect(Approximate.equal(stack.weights, [0.25, 0, 0.75], 1e-8))
        #expect(Approximate.equal(stack.intercept, 2, 1e-8))
        let twice = try ConvexStack(columns + [columns[2]], target: target, rowWeights: nil, .freeIntercept)
        #expect(Approximate.equal(twice.combine(columns + [columns[2]]), target, 1e-6))
    }

    @Test("A member that says nearly the same of all rows has no large weight")
    func constantMembers() throws {
        let rows = 200
        let signal = normals(rows, 1, seed: 9)[0]
        let noise = normals(rows, 1, seed: 10)[0]
        // A hundredth of the signal about 0.5: without a penalty its weight is near 100.
        let member = signal.map { 0.5 + 0.01 * $0 }
        let sums = try #require(
            StackSums(
                [member], target: zip(signal, noise).map { $0 + $1 }, rowWeights: nil, groups: nil, count: 1,
                .freeIntercept, nil
            ).first)
        let free = ConvexStack(sums, .freeIntercept, count: 1)
        #expect(free.weights[0] > 60)
        // One weight and an intercept are fitted to 200 rows.
        let rest = sums.noise(of: free.weights) + 2.0 / 200 * sums.noise(of: [1])
        let held = ConvexStack(sums.drawing(first: 1, towards: 1, by: rest), .freeIntercept, count: 1)
        #expect(held.weights[0] > 0.5 && held.weights[0] < 5)
        // The same by itself, whatever the unit of weights, and in other units of the target.
        for (weight, unit) in [(nil, 1), (8, 1), (0.01, 1), (nil, 1e6)] as [(Double?, Double)] {
            let drawn = try ConvexStack(
                [member.map { unit * $0 }], target: zip(signal, noise).map { unit * ($0 + $1) },
                rowWeights: weight.map { [Double](repeating: $0, count: rows) }, .drawnToShares)
            #expect(Approximate.equal(drawn.weights, held.weights, 1e-8))
            #expect(abs(drawn.intercept / unit - held.intercept) < 1e-8)
        }
    }

    @Test(
        "Rows that are fewer than members, and fitted without any rest, give no large weight",
        arguments: 3...5)
    func fewRows(rows: Int) throws {
        var largest = 0.0
        for seed in 1...60 as ClosedRange<UInt64> {
            let signal = normals(rows, 1, seed: seed)[0]
            let members = normals(rows, 5, seed: 100 + seed) + [signal.map { 0.5 + 1e-4 * $0 }]
            let free = try ConvexStack(members, target: signal, rowWeights: nil, .freeIntercept)
            largest = max(largest, free.weights.max() ?? 0)
            let drawn = try ConvexStack(members, target: signal, rowWeights: nil, .drawnToShares)
            #expect(drawn.weights.allSatisfy { $0 < 3 }, "\(drawn.weights)")
            // By itself, as an arm of a fold of few rows has it, the same.
            let twin = try ConvexStack([members[5]], target: signal, rowWeights: nil, .drawnToShares)
            #expect(twin.weights[0] < 3)
        }
        #expect(largest > 100)
    }

    @Test("An ensemble of one learner that is right is that learner, up to its weight near one")
    func ensembleOfOne() throws {
        let data = try SyntheticDataset.linear(rows: 600, noise: 0.1, seed: 21)
        let spec = try MetaLearnerSpec([
            "learner": "ensemble", "ensemble": ["members": ["t"]], "models": Linear.models,
        ])
        let model = try MetaLearnerFitter(spec).fit(data.dataset)
        let member = try Linear.fit(data.dataset, .t, folds: 5)
        #expect(Approximate.largestDifference(model.trainingEffects[0], member.trainingEffects[0]) < 0.1)
    }

    @Test("An ensemble's loss is at most that of each of its members", arguments: EffectLoss.allCases)
    func ensembleLoss(loss: EffectLoss) throws {
        let data = try SyntheticDataset.nieWager(.b, rows: 300, noise: 0.5, seed: 22).dataset
        let names: [LearnerKind] = [.s, .t, .x, .dr]
        let spec = try MetaLearnerSpec([
            "learner": "ensemble", "models": Linear.models,
            "ensemble": [
                "members": .array(names.map { .string($0.rawValue) }), "loss": .string(loss.rawValue),
            ],
        ])
        let model = try MetaLearnerFitter(spec).fit(data)
        let known = try #require(model.nuisances)
        let target = try loss.target(of: 1, data, known.estimates)
        func total(_ effects: [Double]) -> Double {
            target.rows.map(Int.init).reduce(0) { sum, row in
                let slope = target.residuals.first?[row] ?? 1
                let error = target.values[row] - slope * effects[row]
                return sum + error * error
            }
        }
        let members = try names.map { try Linear.fit(data, $0, folds: 5).trainingEffects[0] }
        let stack = try #require(model.predictor as? EnsemblePredictor).stacks[0]
        let combined = stack.combine(members)
        // The constant is free: another one would not lower the loss. (The R-stack has an offset beside it, which is not
        // part of the effect and takes a trace of it.)
        var slope = 0.0
        var curvature = 0.0
        for row in target.rows.map(Int.init) {
            let factor = target.residuals.first?[row] ?? 1
            slope += factor * (target.values[row] - factor * combined[row])
            curvature += factor * factor
        }
        #expect(abs(slope / curvature) < 1e-3)
        for member in members { #expect(total(combined) <= total(member) * (1 + 1e-9)) }
    }

    @Test("The weights at a training row are those of the other folds", arguments: EffectLoss.allCases)
    func ensembleWeightsOfFolds(loss: EffectLoss) throws {
        let data = try SyntheticDataset.nieWager(.b, rows: 300, noise: 0.5, seed: 22).dataset
        let names: [LearnerKind] = [.s, .t, .x]
        let spec = try MetaLearnerSpec([
            "learner": "ensemble", "models": Linear.models,
            "ensemble": [
                "members": .array(names.map { .string($0.rawValue) }), "loss": .string(loss.rawValue),
            ],
        ])
        let model = try MetaLearnerFitter(spec).fit(data)
        let target = try loss.target(of: 1, data, #require(model.nuisances).estimates)
        let members = try names.map { try Linear.fit(data, $0, folds: 5).trainingEffects[0] }
        let folds = try FoldAssignment(data, count: 5, seed: UInt64(spec.seed))
        for fold in 0..<5 {
            let others = target.rows.map(Int.init).filter { folds.folds[$0] != fold }
            var lists = members.map { member in others.map { member[$0] } }
            if let slopes = target.residuals.first {
                let slopes = others.map { slopes[$0] }
                lists = lists.map { zip($0, slopes).map { $0 * $1 } } + [slopes, slopes.map { -$0 }]
            }
            let sums = try #require(
                StackSums(
                    lists, target: others.map { target.values[$0] }, rowWeights: nil, groups: nil, count: 1,
                    .freeIntercept, nil
                ).first)
            let equal = lists.indices.map { $0 < 3 ? 1.0 / 3 : 0 }
            let noise =
                sums.noise(of: ConvexStack(sums, .freeIntercept, count: lists.count).weights)
                + Double(lists.count + 1) / Double(others.count) * sums.noise(of: equal)
            let stack = ConvexStack(
                sums.drawing(first: 3, towards: 1.0 / 3, by: noise), .freeIntercept, count: lists.count)
            let constant = lists.count > 3 ? stack.weights[3] - stack.weights[4] : stack.intercept
            let combined = ConvexStack(weights: Array(stack.weights[..<3]), intercept: constant).combine(
                members)
            let rows = (0..<300).filter { folds.folds[$0] == fold }
            #expect(
                Approximate.equal(rows.map { model.trainingEffects[0][$0] }, rows.map { combined[$0] }, 1e-9))
        }
    }

    @Test(
        "Doubling a weight equals doubling a row in an ensemble's weights, but for what their penalty counts",
        arguments: EffectLoss.allCases)
    func ensembleWeights(loss: EffectLoss) throws {
        let data = try SyntheticDataset.nieWager(.b, rows: 2400, seed: 24).dataset
        let folds = try FoldAssignment(data, count: 3, seed: 1)
        // Weights have mean 1, so that against doubled rows a penalty counts as much more as there are more rows.
        func fitter(_ penalty: Double) throws -> MetaLearnerFitter {
            try MetaLearnerFitter(
                MetaLearnerSpec([
                    "learner": "ensemble", "cross_fitting": ["folds": 3],
                    "models": [
                        "outcome": "ols", "effect": "ols",
                        "propensity": ["backend": "logistic", "l2": .number(penalty)],
                    ],
                    "ensemble": ["members": ["s", "t", "dr"], "loss": .string(loss.rawValue)],
                ]))
        }
        let all = Array(0..<Int32(2400))
        let twice = all.filter { $0 % 3 == 0 }
        let weighted = try fitter(1).fit(
            data.taking(all, weights: all.map { $0 % 3 == 0 ? 2 : 1 }), folds: folds)
        let doubled = try fitter(Double(3200) / 2400).fit(
            data.taking(all + twice),
            folds: FoldAssignment((all + twice).map { folds.folds[Int($0)] }, count: 3))
        let right = Array(doubled.trainingEffects[0].prefix(2400))
        // (Weights have mean 1, so that the price of the ensemble's weights counts for 2,400 rows as it does for 3,200: that is all of the
        // difference.)
        #expect(Approximate.largestDifference(weighted.trainingEffects[0], right) < 0.02)
    }

    @Test("auto and learners with models of their own may be members of an ensemble")
    func ensembleOfAuto() throws {
        let data = try SyntheticDataset.linear(rows: 300, seed: 23)
        let spec = try MetaLearnerSpec([
            "learner": "ensemble", "models": Linear.models,
            "ensemble": ["members": ["auto", ["learner": "r", "models": ["effect": "ridge"]]]],
            "cross_fitting": ["folds": 3],
        ])
        let model = try MetaLearnerFitter(spec).fit(data.dataset)
        #expect(Approximate.rootMeanSquare(model.trainingEffects[0], data.effects[0]) < 0.6)
        #expect(try CATEModel(bytes: model.encoded()).encoded() == model.encoded())
    }
}
