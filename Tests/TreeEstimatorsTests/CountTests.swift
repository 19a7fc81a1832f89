import MetaLearnersCore
import Testing
import TreeEstimators

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Boosting of the Poisson deviance.
@Suite struct CountTests {
    private static let count = 2000
    private let columns: [[Double]]
    private let table: Table
    private let target: [Double]

    init() throws {
        var numbers = TestNumbers(41)
        var columns = (0..<3).map { _ in numbers.uniform(Self.count) }
        let draws = numbers.uniform(Self.count)
        target = (0..<Self.count).map { row in
            // A Poisson number by inversion.
            let mean = exp(2 * columns[0][row] - columns[1][row])
            var left = draws[row]
            var probability = exp(-mean)
            var value = 0.0
            while left > probability, value < 100 {
                left -= probability
                value += 1
                probability *= mean / value
            }
            return value
        }
        for row in stride(from: 0, to: Self.count, by: 8) { columns[2][row] = .nan }
        self.columns = columns
        table = try numericTable(columns)
    }

    private func deviance(_ fitted: [Double], _ rows: [Int32]) -> Double {
        var sum = 0.0
        for (mean, row) in zip(fitted, rows) {
            let value = target[Int(row)]
            sum += 2 * ((value > 0 ? value * log(value / mean) : 0) - value + mean)
        }
        return sum / Double(rows.count)
    }

    @Test("one full step gives each leaf its mean")
    func leafMeans() throws {
        let table = try numericTable([[0, 0, 0, 1, 1, 1]])
        let model = try fitTrees(plainSpec(), table, [1, 2, 6, 10, 10, 40], objective: .count)
        #expect(distance(try predictions(model, table), [3, 3, 3, 20, 20, 20]) < 1e-4)
    }

    @Test("l2 acts as so much mean weight of counts as predicted")
    func penalty() throws {
        var spec = plainSpec()
        spec.l2 = 5
        let table = try numericTable([[0, 0, 1, 1]])
        let fitted = try predictions(
            try fitTrees(spec, table, [1, 1, 9, 9], objective: .count), table)
        // The mean is 5; a leaf of two rows has the Hessian 10 and multiplies by 1 + (sum − 10) / 15.
        #expect(distance(fitted, [7.0 / 3, 7.0 / 3, 23.0 / 3, 23.0 / 3]) < 1e-4)
    }

    @Test("predictions are means: they add up to the counts, and lower the deviance")
    func means() throws {
        var spec = TreesSpec()
        spec.trees = 80
        spec.l2 = 0
        let model = try fitTrees(spec, table, target, objective: .count)
        let fitted = try predictions(model, table)
        let rows = (0..<Int32(Self.count)).map { $0 }
        let mean = target.reduce(0, +) / Double(Self.count)
        #expect(abs(fitted.reduce(0, +) / Double(Self.count) / mean - 1) < 0.02)
        #expect(fitted.allSatisfy { $0 > 0 })
        let truth = (0..<Self.count).map { exp(2 * columns[0][$0] - columns[1][$0]) }
        let constant = deviance([Double](repeating: mean, count: Self.count), rows)
        #expect(deviance(fitted, rows) < 0.8 * constant)
        #expect(
            meanSquare(fitted, truth) < 0.1 * meanSquare([Double](repeating: mean, count: Self.count), truth))
    }

    @Test("a weight of 2 acts as two rows")
    func weights() throws {
        var spec = plainSpec(trees: 8, leaves: 6, learningRate: 0.4)
        spec.l2 = 1
        let half = 240
        let weights = (0..<half).map { Double($0 % 3) }
        var copies: [Int] = []
        for row in 0..<half { copies += [Int](repeating: row, count: row % 3) }
        let few = try numericTable(columns.map { Array($0[..<half]) })
        let many = try numericTable(columns.map { column in copies.map { column[$0] } })
        let left = try fitTrees(spec, few, Array(target[..<half]), weights: weights, objective: .count)
        let right = try fitTrees(spec, many, copies.map { target[$0] }, objective: .count)
        let known = (0..<Int32(half)).filter { $0 % 3 > 0 }
        #expect(
            distance(try predictions(left, few, rows: known), try predictions(right, few, rows: known)) < 1e-5
        )
    }

    @Test("scaling all counts scales the means", arguments: [1e-6, 1e9])
    func scale(factor: Double) throws {
        let spec = plainSpec(trees: 6, leaves: 8, learningRate: 0.3)
        let plain = try predictions(try fitTrees(spec, table, target, objective: .count), table)
        let scaled = try predictions(
            try fitTrees(spec, table, target.map { $0 * factor }, objective: .count), table)
        #expect(distance(plain, scaled.map { $0 / factor }) < 1e-4)
    }

    @Test(
        "the same bytes with any number of threads, rows and columns sampled or not", arguments: [1.0, 0.6])
    func threads(share: Double) throws {
        var spec = TreesSpec()
        spec.trees = 8
        spec.rowSample = share
        spec.columnSampleNode = share
        spec.earlyStopping = 4
        let one = try fitTrees(spec, table, target, objective: .count)
        for threads in [2, 5] {
            #expect(
                encoded(try fitTrees(spec, table, target, objective: .count, threads: threads))
                    == encoded(one))
        }
    }

    @Test("early stopping by the deviance ends with fewer trees and no worse deviance on new rows")
    func earlyStopping() throws {
        var spec = plainSpec(trees: 150, leaves: 31, learningRate: 0.5)
        let rows = (0..<Int32(Self.count)).filter { $0 % 3 != 0 }
        let others = (0..<Int32(Self.count)).filter { $0 % 3 == 0 }
        let full = try fitTrees(spec, table, target, rows: rows, objective: .count)
        spec.earlyStopping = 5
        let stopped = try fitTrees(spec, table, target, rows: rows, objective: .count)
        #expect(encoded(stopped).count < encoded(full).count / 2)
        let errors = try [stopped, full].map { deviance(try predictions($0, table, rows: others), others) }
        #expect(errors[0] < errors[1])
    }

    @Test("counts of nothing are predicted as nothing; a constant count as itself")
    func constants() throws {
        let zeros = [Double](repeating: 0, count: Self.count)
        #expect(try predictions(try fitTrees(TreesSpec(), table, zeros, objective: .count), table) == zeros)
        let threes = zeros.map { _ in 3.0 }
        let model = try fitTrees(TreesSpec(), table, threes, objective: .count)
        #expect(distance(try predictions(model, table), threes) < 1e-12)
    }

    @Test("full steps where a leaf has no counts, and on tiny samples, stay finite")
    func extremes() throws {
        var spec = plainSpec(trees: 40, leaves: 100)
        let sparse = target.map { $0 > 6 ? 1e6 : 0 }
        for share in [1, 0.03] {
            spec.rowSample = share
            let fitted = try predictions(try fitTrees(spec, table, sparse, objective: .count), table)
            #expect(fitted.allSatisfy { $0.isFinite && $0 >= 0 })
        }
    }

    @Test("a negative count is refused")
    func negative() {
        #expect(throws: MetaLearnersError.self) {
            try fitTrees(TreesSpec(), table, target.map { $0 - 1 }, objective: .count)
        }
    }

    @Test("rows by themselves, stages and decoded models predict the same means")
    func model() throws {
        var spec = plainSpec(trees: 6, leaves: 8, learningRate: 0.3)
        let model = try fitTrees(spec, table, target, objective: .count)
        let fitted = try predictions(model, table)
        var reader = BinaryReader(encoded(model)[...])
        #expect(try predictions(try TreesEstimator.decode(from: &reader), table) == fitted)
        spec.trees = 3
        let staged = try #require(model as? any StagedModel)
        let early = try fitTrees(spec, table, target, objective: .count)
        #expect(try predictions(staged.truncated(to: 3), table) == predictions(early, table))
    }
}
