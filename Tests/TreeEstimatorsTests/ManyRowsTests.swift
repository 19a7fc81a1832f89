import Foundation
import MetaLearnersCore
import Testing

@testable import TreeEstimators

/// What only happens with many rows: gradients of few bits added up in blocks, tiles shared among threads, rows fetched
/// twice.
@Suite struct ManyRowsTests {
    /// Enough rows for gradients of few bits; half as many are too few.
    private static let count = 50_000

    /// Columns of at most 200 numbers, whose bins are the same in any sample, and some of three numbers, which share codes;
    /// the shares of class 1 follow two of the former.
    private func data(columns: Int, distinct: Int, joined: Int = 0, count: Int) throws -> (
        table: Table, labels: [Double]
    ) {
        var numbers = TestNumbers(31)
        var values = (0..<columns).map { _ in numbers.integers(count, below: distinct) }
        values += (0..<joined).map { _ in numbers.integers(count, below: 3) }
        let draws = numbers.uniform(count)
        let labels = (0..<count).map { row in
            let share = 0.1 + 0.6 * values[0][row] / Double(distinct) + (values[1][row] < 20 ? 0.25 : 0)
            return draws[row] < share ? 1.0 : 0
        }
        return (try numericTable(values), labels)
    }

    @Test(
        "classes: gradients of few bits give what those of more do, on any number of threads",
        arguments: [2, 3])
    func narrowRows(classes: Int) throws {
        let half = Self.count / 2
        var (table, labels) = try data(columns: 3, distinct: 200, joined: 4, count: half)
        if classes == 3 { labels = labels.indices.map { $0 % 5 == 0 ? 2 : labels[$0] } }
        let spec = plainSpec(trees: 3, leaves: 8, learningRate: 0.3)
        // Half as many rows of twice the weight have gradients of many bits.
        let weighted = try fitTrees(
            spec, table, labels, weights: [Double](repeating: 2, count: half),
            objective: .classification(classes: classes))
        let order = (0..<Int32(half)).map { $0 } + (0..<Int32(half)).map { $0 }
        let repeated = table.selecting(rows: order)
        let models = try (1...3).map { threads in
            try fitTrees(
                spec, repeated, order.map { labels[Int($0)] }, objective: .classification(classes: classes),
                threads: threads)
        }
        #expect(encoded(models[0]) == encoded(models[1]) && encoded(models[0]) == encoded(models[2]))
        let rows = (0..<2000).map { Int32($0 * 12) }
        let difference = distance(
            try predictions(models[0], table, rows: rows), try predictions(weighted, table, rows: rows))
        #expect(difference > 0 && difference < 1e-4)
    }

    @Test(
        "Hessians of rows of four bytes have room in a sum, however many rows there are", arguments: 16...27)
    func narrowHessians(countBits: Int) throws {
        let shift = 63 - countBits
        let rows = Double(1 << countBits - 1)
        #expect(NarrowCell.serves(rows: Int(rows), total: rows, largest: 1, countShift: shift))
        let largest = 0.25
        let scales = NarrowCell.scales(
            GradientMagnitudes(
                gradient: rows, hessian: rows * largest, largestGradient: 1, largestHessian: largest),
            countShift: shift)
        // (Rounding adds one at most.)
        let most = largest * scales.hessian + 1
        #expect(most >= 255 && most * rows < Double(1 << (shift - 1)) && most < 4096)
    }

    @Test("sums of blocks whose rows are all in one bin, and as large as they can be", arguments: [0.5, 0.1])
    func fullBins(share: Double) throws {
        let ones = Int(share * Double(Self.count))
        let labels = (0..<Self.count).map { $0 < ones ? 1.0 : 0 }
        let table = try numericTable([labels])
        let model = try fitTrees(
            plainSpec(), table, labels, objective: .classification(classes: 2), threads: 1)
        let shares = try predictions(model, table, rows: [0, Int32(Self.count) - 1])
        // A Newton step from the log odds: by (1 − p)/(p(1 − p)) and by −p/(p(1 − p)).
        let odds = log(share / (1 - share))
        #expect(abs(shares[1] - 1 / (1 + exp(-(odds + 1 / share)))) < 1e-6)
        #expect(abs(shares[3] - 1 / (1 + exp(-(odds - 1 / (1 - share))))) < 1e-6)
    }

    @Test("weights of any magnitude serve", arguments: [1e-100, 1e-40, 1e-20, 1e20, 1e40, 1e100])
    func weightMagnitude(scale: Double) throws {
        let (table, labels) = try data(columns: 3, distinct: 200, count: Self.count)
        let spec = plainSpec(trees: 2, leaves: 4, learningRate: 0.3)
        let models = try [1, scale].map { weight in
            try fitTrees(
                spec, table, labels, weights: [Double](repeating: weight, count: Self.count),
                objective: .classification(classes: 2))
        }
        let rows = (0..<100).map { Int32($0) }
        let shares = try models.map { try predictions($0, table, rows: rows) }
        #expect(distance(shares[0], shares[1]) < 1e-4)
        #expect(abs(shares[1][1] - shares[1][9]) > 0.01 || abs(shares[1][1] - shares[1][3]) > 0.01)
    }

    @Test("leaves of few rows, which need no blocks, have the same sums as those that are counted in blocks")
    func smallLeaves() throws {
        let (table, labels) = try data(columns: 3, distinct: 200, count: Self.count)
        // Several threads have fewer rows of a leaf each.
        let models = try [1, 2, 5].map { threads in
            try fitTrees(
                plainSpec(trees: 2, leaves: 250, learningRate: 0.3), table, labels,
                objective: .classification(classes: 2), threads: threads)
        }
        #expect(encoded(models[0]) == encoded(models[1]) && encoded(models[0]) == encoded(models[2]))
    }

    @Test("classes that few rows have: their share is not lost on the coarse grid")
    func rareClass() throws {
        var numbers = TestNumbers(5)
        let values = numbers.integers(Self.count, below: 50)
        // One row in a thousand, all of the same few gradients, which rounding to the nearest would shift alike.
        let labels = (0..<Self.count).map { $0 % 1000 == 0 ? 1.0 : 0 }
        let model = try fitTrees(
            plainSpec(trees: 30, leaves: 4, learningRate: 0.3), numericTable([values]), labels,
            objective: .classification(classes: 2))
        let rows = (0..<Int32(Self.count)).map { $0 }
        let shares = try predictions(model, numericTable([values]), rows: rows)
        let mean = stride(from: 1, to: shares.count, by: 2).reduce(0) { $0 + shares[$1] } / Double(Self.count)
        #expect(abs(mean - 0.001) < 3e-6)
    }

    @Test("a row that outweighs all others does not take their gradients' bits")
    func unevenWeights() throws {
        var numbers = TestNumbers(5)
        var values = numbers.integers(Self.count, below: 50)
        let draws = numbers.uniform(Self.count)
        var labels = (0..<Self.count).map { draws[$0] < 0.3 + 0.008 * values[$0] ? 1.0 : 0 }
        var weights = [Double](repeating: 1, count: Self.count)
        (values[0], labels[0], weights[0]) = (100, 1, 1e5)
        let table = try numericTable([values])
        let model = try fitTrees(
            plainSpec(trees: 40, leaves: 8, learningRate: 0.3), table, labels, weights: weights,
            objective: .classification(classes: 2))
        let rows = (1..<Int32(Self.count)).map { $0 }
        let shares = try predictions(model, table, rows: rows)
        var sums = [(share: Double, label: Double)](repeating: (0, 0), count: 5)
        for (index, row) in rows.enumerated() {
            sums[Int(values[Int(row)]) / 10].share += shares[2 * index + 1]
            sums[Int(values[Int(row)]) / 10].label += labels[Int(row)]
        }
        for sum in sums { #expect(abs(sum.share / sum.label - 1) < 0.005) }
    }

    @Test(
        "tiles of columns are counted by one thread or by several to the same bytes",
        arguments: [false, true])
    func sharedTiles(isClassification: Bool) throws {
        // Fifty-five columns take three tiles, which become four.
        let (table, labels) = try data(columns: 55, distinct: 40, count: isClassification ? 33_000 : 6000)
        let spec = plainSpec(trees: 3, leaves: 20, learningRate: 0.5)
        let bytes = try (1...4).map { threads in
            encoded(
                try fitTrees(
                    spec, table, labels,
                    objective: isClassification ? .classification(classes: 2) : .regression,
                    threads: threads))
        }
        for other in bytes.dropFirst() { #expect(other == bytes[0]) }
    }
}
