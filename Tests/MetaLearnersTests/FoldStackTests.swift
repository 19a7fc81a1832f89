import MetaLearnersKit
import Testing
import _TestSupport

@testable import AutoLearner
@testable import MetaLearners
@testable import MetaLearnersCore

@Suite("Weights of stacks, found without each fold")
struct FoldStackTests {
    private static let rows = 120
    private static let folds = 3

    private func normals(_ columns: Int, seed: UInt64) -> [[Double]] {
        var stream = RandomStream(seed: seed)
        return (0..<columns).map { _ in (0..<Self.rows).map { _ in 2 * stream.uniform() - 1 } }
    }

    private var groups: [Int32] { (0..<Self.rows).map { Int32($0 * 7 % Self.folds) } }

    private func treatment(_ score: [Double], seed: UInt64) -> [Double] {
        var stream = RandomStream(seed: seed)
        var treated: [Double] = []
        for value in score {
            let share = Logistic.share(2 * value)
            treated.append(stream.uniform() < share ? 1 : 0)
        }
        return treated
    }

    @Test(
        "A stack without a fold is the stack of the other rows",
        arguments: [ConvexStack.Constraint.none, .freeIntercept, .drawnToShares, .sumToOne])
    func convex(constraint: ConvexStack.Constraint) throws {
        let columns = normals(4, seed: 3)
        let target = (0..<Self.rows).map { row -> Double in
            let sum = columns[0][row] + 0.3 * columns[2][row]
            return 5 + sum + columns[3][row] / 4
        }
        let weights = (0..<Self.rows).map { 0.5 + Double($0 % 5) }
        let stacks = try ConvexStack.leavingOut(
            columns, target: target, rowWeights: weights, groups: groups, count: Self.folds, constraint)
        for fold in 0..<Self.folds {
            func others(_ list: [Double]) -> [Double] {
                list.indices.filter { Int(groups[$0]) != fold }.map { list[$0] }
            }
            let alone = try ConvexStack(
                columns.map(others), target: others(target), rowWeights: others(weights), constraint)
            #expect(Approximate.equal(stacks[fold].weights, alone.weights, 1e-8))
            #expect(Approximate.equal(stacks[fold].intercept, alone.intercept, 1e-8))
        }
    }

    @Test("The weights of a fold do not change with what happened in it")
    func ownOutcomes() throws {
        let columns = normals(3, seed: 5)
        let treated = treatment(columns[0], seed: 6)
        let turned = treated.indices.map { groups[$0] == 1 ? 1 - treated[$0] : treated[$0] }
        let before = try LogOddsStack.leavingOut(
            columns, target: treated, rowWeights: nil, groups: groups, count: Self.folds)
        let after = try LogOddsStack.leavingOut(
            columns, target: turned, rowWeights: nil, groups: groups, count: Self.folds)
        // (They start at the minimum of all rows, and come to the same place but for rounding.)
        #expect(Approximate.equal(before[1].weights, after[1].weights, 1e-6))
        #expect(!Approximate.equal(before[0].weights, after[0].weights, 1e-3))
    }

    @Test("Log-odds are weighed at the minimum of the penalised likelihood, whatever the unit of weights")
    func minimum() throws {
        let columns = normals(3, seed: 8)
        let score = zip(columns[0], columns[1]).map { $0 - $1 / 2 }
        let treated = treatment(score, seed: 9)
        let weights = (0..<Self.rows).map { 1 + Double($0 % 3) }
        let squares = weights.map { $0 * $0 }
        let unit = weights.reduce(0, +) / squares.reduce(0, +)
        let stacks = try LogOddsStack.leavingOut(
            columns, target: treated, rowWeights: weights, groups: groups, count: Self.folds)
        for (fold, stack) in stacks.enumerated() {
            var gradient = [LogOddsStack.penalty * stack.intercept]
            gradient += stack.weights.map { LogOddsStack.penalty * ($0 - 1.0 / 3) }
            for row in 0..<Self.rows where Int(groups[row]) != fold {
                let score = zip(stack.weights, columns).reduce(stack.intercept) { $0 + $1.0 * $1.1[row] }
                let slope = unit * weights[row] * (Logistic.share(score) - treated[row])
                gradient[0] += slope
                for member in columns.indices { gradient[member + 1] += slope * columns[member][row] }
            }
            #expect(gradient.allSatisfy { abs($0) < 1e-5 }, "\(gradient)")
        }
        let scaled = try LogOddsStack.leavingOut(
            columns, target: treated, rowWeights: weights.map { 1000 * $0 }, groups: groups, count: Self.folds
        )
        for (one, other) in zip(stacks, scaled) {
            #expect(Approximate.equal(one.weights, other.weights, 1e-8))
        }
    }

    @Test("Rows of weight 0 change nothing")
    func weightless() throws {
        let columns = normals(2, seed: 11)
        let treated = treatment(columns[0], seed: 12)
        let weights = (0..<Self.rows).map { $0 < 90 ? 1.0 : 0 }
        func stacks(_ rows: Range<Int>, _ weights: [Double]?) throws -> [LogOddsStack] {
            try LogOddsStack.leavingOut(
                columns.map { Array($0[rows]) }, target: Array(treated[rows]), rowWeights: weights,
                groups: Array(groups[rows]), count: Self.folds)
        }
        for (one, other) in zip(try stacks(0..<90, nil), try stacks(0..<Self.rows, weights)) {
            #expect(Approximate.equal(one.weights, other.weights, 1e-9))
            #expect(Approximate.equal(one.intercept, other.intercept, 1e-9))
        }
    }

    @Test("Members that say nothing leave their plain mean, drawn towards the share of the arm")
    func certain() throws {
        let zero = [Double](repeating: 0, count: Self.rows)
        let stack = try LogOddsStack.leavingOut(
            [zero, zero], target: [Double](repeating: 1, count: Self.rows), rowWeights: nil, groups: groups,
            count: Self.folds)
        for one in stack {
            #expect(one.weights == [0.5, 0.5] && one.intercept > 1 && one.intercept.isFinite)
        }
    }

    @Test("The propensity of a training row is that of its fold's model", arguments: [2, 3])
    func foldModels(arms: Int) throws {
        let data = try SyntheticDataset.nieWager(.c, rows: 300, seed: 4).dataset
        let dataset: CausalDataset
        if arms == 2 {
            dataset = data
        } else {
            dataset = try CausalDataset(
                covariates: data.covariates,
                treatment: Treatment(
                    arms: data.treatment.arms.enumerated().map { $1 == 1 && $0 % 2 == 0 ? 2 : $1 },
                    labels: ["a", "b", "c"]), outcome: data.outcome)
        }
        let fit = try MetaLearnerFitter(MetaLearnerSpec(["cross_fitting": ["folds": 3]])).fitNuisances(
            dataset)
        let component = try #require(fit.components.first { $0.role.isPropensity })
        #expect(component.models.foldModels.count == 3)
        for (fold, model) in component.models.foldModels.enumerated() {
            let rows = fit.repeats[0].rows(in: fold)
            let found = try model.predict(data.covariates, rows: rows, ExecutionContext(threads: 1))
            let own = rows.flatMap { row in
                (0..<arms).map { component.outOfFold[0][Int(row) * arms + $0] }
            }
            #expect(Approximate.largestDifference(found, own) < 1e-9)
        }
    }
}
