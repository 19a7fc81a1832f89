import MetaLearnersCore
import Testing
import TreeEstimators

/// Boosting of the pinball loss.
@Suite struct QuantileTests {
    private static let count = 3000
    private let columns: [[Double]]
    private let table: Table
    private let target: [Double]

    init() throws {
        var numbers = TestNumbers(43)
        var columns = (0..<3).map { _ in numbers.uniform(Self.count) }
        let noise = numbers.uniform(Self.count)
        // Given the columns uniform on x0 ± (0.5 + x1), so that quantiles are known.
        target = (0..<Self.count).map { (row: Int) -> Double in
            let spread: Double = 0.5 + columns[1][row]
            return columns[0][row] * 4 + (noise[row] * 2 - 1) * spread
        }
        for row in stride(from: 0, to: Self.count, by: 8) { columns[2][row] = .nan }
        self.columns = columns
        table = try numericTable(columns)
    }

    private func loss(_ fitted: [Double], _ goal: [Double], _ level: Double) -> Double {
        var sum = 0.0
        for (fit, value) in zip(fitted, goal) {
            sum += max(level * (value - fit), (level - 1) * (value - fit))
        }
        return sum / Double(goal.count)
    }

    @Test("without splits the model is the weighted quantile")
    func constant() throws {
        let table = try Table([], rowCount: 5)
        func quantile(_ level: Double, _ weights: [Double]? = nil) throws -> Double {
            let model = try fitTrees(
                plainSpec(), table, [5, 1, 4, 2, 3], weights: weights, objective: .quantile(level: level))
            return try predictions(model, table)[0]
        }
        #expect(try [0.1, 0.3, 0.5, 0.7, 0.99].map { try quantile($0) } == [1, 2, 3, 4, 5])
        // The weight up to 2 is exactly a half: halfway to the next value.
        #expect(try quantile(0.5, [1, 1, 1, 2, 1]) == 2.5)
        #expect(try quantile(0.5, [1, 1, 1, 9, 1]) == 2)
        #expect(try quantile(0.5, [0, 0, 4, 1, 0]) == 4)
    }

    @Test("one full step gives each leaf its quantile, whatever the penalties are")
    func leafQuantiles() throws {
        let table = try numericTable([(0..<40).map { $0 < 20 ? 0 : 1 }])
        let target = (0..<40).map { Double($0 % 20) + ($0 < 20 ? 0 : 100) }
        var spec = plainSpec()
        spec.l2 = 3
        let model = try fitTrees(spec, table, target, objective: .quantile(level: 0.33))
        let fitted = try predictions(model, table)
        #expect(distance([fitted[0], fitted[39]], [6, 106]) < 1e-5)
    }

    @Test(
        "predictions are near the true quantiles, and the share of targets below them is the level",
        arguments: [0.1, 0.5, 0.9])
    func levels(level: Double) throws {
        var spec = TreesSpec()
        spec.trees = 80
        let model = try fitTrees(spec, table, target, objective: .quantile(level: level))
        let fitted = try predictions(model, table)
        let truth = (0..<Self.count).map { (row: Int) -> Double in
            let spread: Double = 0.5 + columns[1][row]
            return columns[0][row] * 4 + (level * 2 - 1) * spread
        }
        #expect(meanSquare(fitted, truth) < 0.05)
        let share = Double(zip(target, fitted).count { $0 <= $1 }) / Double(Self.count)
        #expect(abs(share - level) < 0.03)
        #expect(loss(fitted, target, level) < 1.05 * loss(truth, target, level))
    }

    @Test("a weight of 2 acts as two rows")
    func weights() throws {
        let spec = plainSpec(trees: 6, leaves: 6, learningRate: 0.4)
        let half = 240
        let weights = (0..<half).map { Double($0 % 3) }
        var copies: [Int] = []
        for row in 0..<half { copies += [Int](repeating: row, count: row % 3) }
        let few = try numericTable(columns.map { Array($0[..<half]) })
        let many = try numericTable(columns.map { column in copies.map { column[$0] } })
        let objective = TrainingTask.Objective.quantile(level: 0.7)
        let left = try fitTrees(spec, few, Array(target[..<half]), weights: weights, objective: objective)
        let right = try fitTrees(spec, many, copies.map { target[$0] }, objective: objective)
        let known = (0..<Int32(half)).filter { $0 % 3 > 0 }
        #expect(
            distance(try predictions(left, few, rows: known), try predictions(right, few, rows: known)) < 1e-5
        )
    }

    @Test("turning the target around turns the level around")
    func mirror() throws {
        let spec = plainSpec(trees: 5, leaves: 8, learningRate: 0.5)
        let left = try fitTrees(spec, table, target, objective: .quantile(level: 0.25))
        let right = try fitTrees(spec, table, target.map { -$0 }, objective: .quantile(level: 0.75))
        #expect(distance(try predictions(left, table), try predictions(right, table).map { -$0 }) < 1e-5)
    }

    @Test("targets of any magnitude are fitted", arguments: [1e-100, 1e-30, 1e30, 1e100])
    func magnitude(scale: Double) throws {
        let spec = plainSpec(trees: 4, leaves: 8, learningRate: 0.5)
        let objective = TrainingTask.Objective.quantile(level: 0.4)
        let plain = try predictions(try fitTrees(spec, table, target, objective: objective), table)
        let scaled = try predictions(
            try fitTrees(spec, table, target.map { $0 * scale }, objective: objective), table)
        #expect(distance(plain, scaled.map { $0 / scale }) < 1e-4)
    }

    @Test(
        "the same bytes with any number of threads, rows and columns sampled or not", arguments: [1.0, 0.6])
    func threads(share: Double) throws {
        var spec = TreesSpec()
        spec.trees = 8
        spec.rowSample = share
        spec.columnSampleNode = share
        spec.earlyStopping = 4
        let objective = TrainingTask.Objective.quantile(level: 0.8)
        let weights = columns[1].map { $0 + 0.1 }
        let one = try fitTrees(spec, table, target, weights: weights, objective: objective)
        for threads in [2, 5] {
            let several = try fitTrees(
                spec, table, target, weights: weights, objective: objective, threads: threads)
            #expect(encoded(several) == encoded(one))
        }
    }

    @Test("early stopping by the pinball loss ends with fewer trees and no worse loss on new rows")
    func earlyStopping() throws {
        var spec = plainSpec(trees: 100, leaves: 31, learningRate: 0.5)
        spec.minLeafSize = 5
        let objective = TrainingTask.Objective.quantile(level: 0.8)
        let rows = (0..<Int32(Self.count)).filter { $0 % 3 != 0 }
        let others = (0..<Int32(Self.count)).filter { $0 % 3 == 0 }
        let goal = others.map { target[Int($0)] }
        let full = try fitTrees(spec, table, target, rows: rows, objective: objective)
        spec.earlyStopping = 5
        let stopped = try fitTrees(spec, table, target, rows: rows, objective: objective)
        #expect(encoded(stopped).count < encoded(full).count / 2)
        let losses = try [stopped, full].map { loss(try predictions($0, table, rows: others), goal, 0.8) }
        #expect(losses[0] < losses[1])
    }

    @Test("directions are refused")
    func monotone() {
        var spec = TreesSpec()
        spec.monotone = ["x0": .increasing]
        #expect(throws: MetaLearnersError.self) {
            try fitTrees(spec, table, target, objective: .quantile(level: 0.5))
        }
    }
}
