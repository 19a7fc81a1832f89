import MetaLearnersCore
import Testing
import TreeEstimators

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

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

    private func table(_ columns: [[Double]], _ categories: [[Double]]) throws -> Table {
        var list = columns.enumerated().map { Column("x\($0)", $1) }
        for (index, codes) in categories.enumerated() {
            let values = codes.map { $0.isNaN ? Int32(-1) : Int32($0) }
            let levels = (0..<7).map { "\($0)" }
            list.append(Column("c\(index)", codes: StridedValues(values), levels: levels))
        }
        return try Table(list)
    }

    /// Two columns of categories, of three and of six, the latter with some missing.
    private func categories(_ numbers: inout TestNumbers) -> [[Double]] {
        var many = numbers.integers(Self.count, below: 6)
        for row in stride(from: 3, to: Self.count, by: 11) { many[row] = .nan }
        return [numbers.integers(Self.count, below: 3), many]
    }

    private func exactSpec() -> TreesSpec {
        var spec = plainSpec(trees: 3, leaves: 6, learningRate: 0.5)
        spec.l2 = 0.7
        spec.minLeafSize = 4
        spec.categorySmoothing = 0
        spec.categoryL2 = 0
        return spec
    }

    @Test(
        "with categories, penalties and limits too, by either order of growth",
        arguments: 1...4 as ClosedRange<UInt64>, TreesSpec.Growth.allCases)
    func everything(seed: UInt64, growth: TreesSpec.Growth) throws {
        var numbers = TestNumbers(seed + 200)
        let columns = columns(&numbers)
        let categories = categories(&numbers)
        let noise = numbers.uniform(Self.count)
        let target = (0..<Self.count).map { (row: Int) -> Double in
            let code: Double = categories[1][row].isNaN ? 2.5 : categories[1][row]
            return columns[0][row] * 3 + (code * 5).truncatingRemainder(dividingBy: 4) + categories[0][row]
                + noise[row]
        }
        let weights = numbers.uniform(Self.count).map { $0 + 0.1 }
        var spec = exactSpec()
        spec.growth = growth
        spec.maxDepth = 3
        spec.l1 = 0.4
        spec.minChildWeight = 3
        spec.minSplitGain = 0.3
        let base = meanProduct(target, weights) / meanProduct(weights, weights.map { _ in 1 })
        var fitted = [Double](repeating: base, count: Self.count)
        for _ in 0..<(spec.trees.number ?? 0) {
            let gradients = (0..<Self.count).map { weights[$0] * (target[$0] - fitted[$0]) }
            let tree = ExactGreedyTree(
                columns: columns, categories: categories, gradients: gradients, hessians: weights, spec: spec)
            for (row, value) in tree.fit().enumerated() { fitted[row] += value }
        }
        let table = try table(columns, categories)
        let model = try fitTrees(spec, table, target, weights: weights)
        #expect(distance(try predictions(model, table), fitted) < 1e-5)
    }

    @Test(
        "trees of the logistic and of the Poisson deviance equal those of an exact greedy learner",
        arguments: 1...4 as ClosedRange<UInt64>, [false, true])
    func deviances(seed: UInt64, areCounts: Bool) throws {
        var numbers = TestNumbers(seed + 300)
        let columns = columns(&numbers)
        let categories = categories(&numbers)
        let noise = numbers.uniform(Self.count)
        let target = (0..<Self.count).map { (row: Int) -> Double in
            let signal: Double = columns[0][row] + categories[0][row] / 2 + noise[row]
            return areCounts ? (signal * 3).rounded(.down) : signal > 1.4 ? 1 : 0
        }
        // Without weights different splits by labels gain exactly the same.
        let weights = numbers.uniform(Self.count).map { $0 + 0.1 }
        let spec = exactSpec()
        let mean = meanProduct(target, weights) / meanProduct(weights, weights.map { _ in 1 })
        var scores = [Double](repeating: areCounts ? log(mean) : log(mean / (1 - mean)), count: Self.count)
        for _ in 0..<(spec.trees.number ?? 0) {
            let means = scores.map { areCounts ? exp($0) : 1 / (1 + exp(-$0)) }
            let gradients = (0..<Self.count).map { weights[$0] * (target[$0] - means[$0]) }
            let hessians = (0..<Self.count).map {
                weights[$0] * means[$0] * (areCounts ? 1 : 1 - means[$0])
            }
            let tree = ExactGreedyTree(
                columns: columns, categories: categories, gradients: gradients, hessians: hessians, spec: spec
            )
            for (row, step) in tree.steps().enumerated() {
                scores[row] += spec.learningRate * (areCounts ? log(1 + step) : step)
            }
        }
        let table = try table(columns, categories)
        let model = try fitTrees(
            spec, table, target, weights: weights, objective: areCounts ? .count : .classification(classes: 2)
        )
        let fitted = try predictions(model, table)
        let width = model.outputCount
        let found = (0..<Self.count).map { row -> Double in
            let value = fitted[row * width + width - 1]
            return areCounts ? log(value) : log(value / (1 - value))
        }
        #expect(distance(found, scores) < 1e-4)
    }

    @Test("each step of growth is the exact learner's: trees of two leaves, of three, and so on")
    func growth() throws {
        var numbers = TestNumbers(400)
        let columns = columns(&numbers)
        let categories = categories(&numbers)
        let target = numbers.uniform(Self.count)
        let table = try table(columns, categories)
        let mean = target.reduce(0, +) / Double(Self.count)
        var spec = exactSpec()
        spec.trees = 1
        for leaves in 2...9 {
            spec.maxLeaves = .exactly(leaves)
            let tree = ExactGreedyTree(
                columns: columns, categories: categories, gradients: target.map { $0 - mean },
                hessians: target.map { _ in 1 }, spec: spec)
            let model = try fitTrees(spec, table, target)
            #expect(distance(try predictions(model, table), tree.fit().map { mean + $0 }) < 1e-6)
        }
    }
}
