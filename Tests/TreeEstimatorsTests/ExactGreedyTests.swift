import MetaLearnersCore
import Testing
import TreeEstimators

/// A learner that tries every split of every leaf on the rows themselves: slow, plain, and right.
private struct ExactGreedyTree {
    let columns: [[Double]]
    let gradients: [Double]
    let hessians: [Double]
    let spec: TreesSpec

    private struct Split {
        let gain: Double
        let goesRight: [Bool]
    }

    private func optimum(_ rows: [Int]) -> (value: Double, score: Double) {
        let gradient = rows.reduce(0) { $0 + gradients[$1] }
        let hessian = rows.reduce(spec.l2) { $0 + hessians[$1] }
        return (gradient / hessian, gradient * gradient / hessian)
    }

    private func bestSplit(_ rows: [Int]) -> Split? {
        var best: Split?
        for column in columns {
            let values = Set(rows.map { column[$0] }.filter { !$0.isNaN }).sorted()
            for value in values {
                for missingRight in [true, false] {
                    let goesRight = column.map { $0.isNaN ? missingRight : $0 > value }
                    let left = rows.filter { !goesRight[$0] }
                    let right = rows.filter { goesRight[$0] }
                    guard min(left.count, right.count) >= spec.minLeafSize else { continue }
                    let gain = optimum(left).score + optimum(right).score - optimum(rows).score
                    if gain > (best?.gain ?? 1e-9) * (1 + 1e-9) {
                        best = Split(gain: gain, goesRight: goesRight)
                    }
                }
            }
        }
        return best
    }

    /// The value that the tree adds to each row.
    func fit() -> [Double] {
        var leaves = [Array(gradients.indices)]
        while leaves.count < spec.maxLeaves {
            var best: (leaf: Int, split: Split)?
            for (index, rows) in leaves.enumerated() {
                guard let split = bestSplit(rows) else { continue }
                if split.gain > best?.split.gain ?? 0 { best = (index, split) }
            }
            guard let best else { break }
            let rows = leaves[best.leaf]
            leaves[best.leaf] = rows.filter { !best.split.goesRight[$0] }
            leaves.append(rows.filter { best.split.goesRight[$0] })
        }
        var values = [Double](repeating: 0, count: gradients.count)
        for rows in leaves {
            let value = spec.learningRate * optimum(rows).value
            for row in rows { values[row] = value }
        }
        return values
    }
}

@Suite struct ExactGreedyTests {
    private static let count = 90

    private func columns(_ numbers: inout TestNumbers) -> [[Double]] {
        let continuous = numbers.uniform(Self.count)
        let tied = numbers.integers(Self.count, below: 6)
        var gappy = numbers.uniform(Self.count)
        for row in stride(from: 0, to: Self.count, by: 7) { gappy[row] = .nan }
        return [continuous, tied, gappy]
    }

    @Test(
        "regression trees equal those of an exact greedy learner, split by split",
        arguments: 1...6 as ClosedRange<UInt64>)
    func regression(seed: UInt64) throws {
        var numbers = TestNumbers(seed)
        let columns = columns(&numbers)
        let noise = numbers.uniform(Self.count)
        let target = (0..<Self.count).map { row -> Double in
            let third: Double = columns[2][row].isNaN ? 2 : columns[2][row]
            return columns[0][row] * 3 + columns[1][row] + third + noise[row]
        }
        let weights = seed % 2 == 0 ? numbers.uniform(Self.count).map { $0 + 0.1 } : nil
        var spec = plainSpec(trees: 3, leaves: 6, learningRate: 0.5)
        spec.l2 = 0.7
        spec.minLeafSize = 4
        let table = try numericTable(columns)
        let ones = [Double](repeating: 1, count: Self.count)
        let hessians = weights ?? ones
        let base = meanProduct(target, hessians) / meanProduct(ones, hessians)
        var fitted = [Double](repeating: base, count: Self.count)
        for _ in 0..<3 {
            let gradients = (0..<Self.count).map { (row: Int) -> Double in
                hessians[row] * (target[row] - fitted[row])
            }
            let tree = ExactGreedyTree(columns: columns, gradients: gradients, hessians: hessians, spec: spec)
            for (row, value) in tree.fit().enumerated() { fitted[row] += value }
        }
        let model = try fitTrees(spec, table, target, weights: weights)
        #expect(distance(try predictions(model, table), fitted) < 1e-5)
    }

    @Test(
        "residual-loss trees equal those of an exact greedy learner", arguments: 1...3 as ClosedRange<UInt64>)
    func residual(seed: UInt64) throws {
        var numbers = TestNumbers(seed + 100)
        let columns = columns(&numbers)
        let regressor = numbers.uniform(Self.count).map { $0 - 0.4 }
        let noise = numbers.uniform(Self.count)
        let target = (0..<Self.count).map { (row: Int) -> Double in
            regressor[row] * (1 + columns[0][row]) + 0.1 * noise[row]
        }
        var spec = plainSpec(trees: 2, leaves: 5, learningRate: 0.5)
        spec.l2 = 0.1
        spec.minLeafSize = 5
        let hessians = regressor.map { $0 * $0 }
        let base = meanProduct(regressor, target) / meanProduct(regressor, regressor)
        var fitted = [Double](repeating: base, count: Self.count)
        for _ in 0..<2 {
            let gradients = (0..<Self.count).map { (row: Int) -> Double in
                regressor[row] * (target[row] - regressor[row] * fitted[row])
            }
            let tree = ExactGreedyTree(columns: columns, gradients: gradients, hessians: hessians, spec: spec)
            for (row, value) in tree.fit().enumerated() { fitted[row] += value }
        }
        let table = try numericTable(columns)
        let model = try fitTrees(spec, table, target, objective: .residual(regressor: regressor))
        #expect(distance(try predictions(model, table), fitted) < 1e-5)
    }
}
