import MetaLearnersCore
import Testing
import TreeEstimators

@Suite struct HonestForestTests {
    @Test("the leaf values of an honest tree are means of rows that its splits were not found from")
    func honesty() throws {
        let (table, target) = try friedman(rows: 300, seed: 11)
        var spec = ForestSpec()
        spec.trees = 1
        spec.ciGroupSize = 1
        spec.honest = true
        let task = try forestTask(table, target)
        let forest = try fitForest(spec, task)
        let drawn = forest.drawnRows(ofTree: 0, in: task)
        #expect(drawn.structure.count == 75 && drawn.estimation.count == 75)
        #expect(Set(drawn.structure).isDisjoint(with: drawn.estimation))
        let values = try predictions(forest, table)
        func mean(_ rows: [Int32], at value: Double) -> Double? {
            let targets = rows.filter { values[Int($0)] == value }.map { target[Int($0)] }
            return targets.isEmpty ? nil : targets.reduce(0, +) / Double(targets.count)
        }
        var leaves = 0
        for value in Set(values) {
            guard let estimate = mean(drawn.estimation, at: value) else { continue }
            #expect(abs(estimate - value) < 1e-5)
            if let other = mean(drawn.structure, at: value) { #expect(abs(other - value) > 1e-5) }
            leaves += 1
        }
        #expect(leaves > 5)
    }

    @Test("the preset for intervals sets what belongs together, and keys beside it go before it")
    func preset() throws {
        let spec = try ForestSpec(["preset": "inference"])
        #expect(spec.honest && spec.trees == 2000 && spec.ciGroupSize == 4 && spec.columnSample == 1)
        let own = try ForestSpec(["trees": 80, "min_leaf_size": 9, "preset": "inference"])
        #expect(own.honest && own.trees == 80 && own.minLeafSize == 9 && own.minChildShare == 0.05)
        #expect(try ForestSpec(own.specValue) == own)
        #expect(throws: MetaLearnersError.self) { try ForestSpec(["preset": "fast"]) }
    }

    @Test("a leaf without rows for its value gets that of the node above it")
    func emptyLeaves() throws {
        // One row in 20 for the values: most leaves of a full tree have none.
        let (table, target) = try friedman(rows: 200, seed: 12)
        var spec = fullForest()
        spec.honest = true
        spec.honestyShare = 0.05
        let task = try forestTask(table, target)
        let forest = try fitForest(spec, task)
        let estimation = forest.drawnRows(ofTree: 0, in: task).estimation.map { target[Int($0)] }
        #expect(estimation.count == 10)
        let values = try predictions(forest, table)
        let range = (estimation.min() ?? 0) - 1e-5...(estimation.max() ?? 0) + 1e-5
        #expect(values.allSatisfy(range.contains))
        #expect(Set(values).count > 3)
    }

    @Test("95 % intervals cover a known function")
    func coverage() throws {
        var covered = 0
        var points = 0
        for run in 0..<6 as Range<UInt64> {
            var numbers = TestNumbers(200 + run)
            let columns = (0..<3).map { _ in numbers.uniform(400) }
            let noise = numbers.uniform(400)
            let target = (0..<400).map { (row: Int) -> Double in
                (columns[0][row] > 0.5 ? 1 : 0) + columns[1][row] / 2 + 2 * (noise[row] - 0.5)
            }
            var spec = ForestSpec()
            spec.trees = 200
            spec.honest = true
            spec.columnSample = 1
            spec.minLeafSize = 3
            spec.minChildShare = 0.05
            let forest = try fitForest(
                spec, try forestTask(numericTable(columns), target, seed: run), threads: 2)
            // Not right beside the step, where no forest is without bias.
            let fresh = (0..<3).map { _ in
                numbers.uniform(30).map { $0 < 0.5 ? $0 * 0.7 : 1 - (1 - $0) * 0.7 }
            }
            let table = try numericTable(fresh)
            let fitted = try predictions(forest, table)
            let variances = try forest.predictVariance(table, rows: nil, ExecutionContext())
            for point in 0..<30 {
                let truth = (fresh[0][point] > 0.5 ? 1 : 0) + fresh[1][point] / 2
                covered += abs(fitted[point] - truth) <= 1.96 * variances[point].squareRoot() ? 1 : 0
                points += 1
            }
        }
        let rate = Double(covered) / Double(points)
        #expect(rate > 0.9)
    }

    @Test("variances fall as trees are added, towards that of the data alone")
    func varianceFalls() throws {
        let (table, target) = try friedman(rows: 300, seed: 13)
        func spread(trees: Int) throws -> (variance: Double, wobble: Double) {
            var spec = ForestSpec()
            spec.trees = trees
            spec.honest = true
            let forests = try (0..<4).map { try fitForest(spec, forestTask(table, target, seed: $0)) }
            let all = try forests.map { try predictions($0, table) }
            var wobble = 0.0
            for row in 0..<300 {
                let values = all.map { $0[row] }
                let mean = values.reduce(0, +) / 4
                wobble += values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 3
            }
            let variances = try forests[0].predictVariance(table, rows: nil, ExecutionContext(threads: 2))
            return (variances.reduce(0, +) / 300, wobble / 300)
        }
        let few = try spread(trees: 20)
        let many = try spread(trees: 400)
        #expect(many.variance < few.variance)
        #expect(many.wobble < few.wobble / 5)
        #expect(many.wobble < many.variance / 4)
    }

    @Test("the variance of a mean is about σ²/n where features say nothing")
    func varianceOfMean() throws {
        var numbers = TestNumbers(14)
        let target = numbers.uniform(200)
        let table = try numericTable([[Double](repeating: 0, count: 200)])
        var spec = ForestSpec()
        spec.trees = 2000
        spec.ciGroupSize = 4
        let forest = try fitForest(spec, try forestTask(table, target))
        let variance = try forest.predictVariance(table, rows: [0], ExecutionContext())[0]
        let expected = 1 / 12.0 / 200
        #expect(abs(variance / expected - 1) < 0.2)
    }

    @Test("variances of shares of two classes are equal, and need little bags")
    func classVariance() throws {
        let (table, target) = try friedman(rows: 200, seed: 15)
        var spec = ForestSpec()
        spec.trees = 40
        let labels = target.map { $0 > 14 ? 1.0 : 0 }
        let task = try forestTask(table, labels, objective: .classification(classes: 2))
        let variances = try fitForest(spec, task).predictVariance(table, rows: nil, ExecutionContext())
        #expect(variances.count == 400)
        for row in 0..<200 { #expect(abs(variances[2 * row] - variances[2 * row + 1]) < 1e-12) }
        #expect(variances.allSatisfy { $0 >= 0 })
        spec.ciGroupSize = 1
        #expect(throws: MetaLearnersError.self) {
            try fitForest(spec, task).predictVariance(table, rows: nil, ExecutionContext())
        }
    }

    @Test("out-of-bag variances are those of rows that no tree of a bag saw")
    func outOfBagVariance() throws {
        let (table, target) = try friedman(rows: 150, seed: 16)
        var spec = ForestSpec()
        spec.trees = 100
        spec.honest = true
        let task = try forestTask(table, target)
        let forest = try fitForest(spec, task)
        let variances = try forest.outOfBagVariance(of: task, ExecutionContext())
        #expect(variances.count == 150)
        #expect(variances.allSatisfy { $0 >= 0 && $0 < 30 })
        #expect(variances.reduce(0, +) > 0)
    }
}
