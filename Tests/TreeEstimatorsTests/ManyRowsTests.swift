import MetaLearnersCore
import Testing
import TreeEstimators

/// What only happens with many rows: gradients of few bits added up in blocks, tiles shared among threads, rows fetched
/// twice.
@Suite struct ManyRowsTests {
    /// Enough rows for gradients of few bits; half as many are too few.
    private static let count = 50_000

    /// Columns of at most 200 numbers, whose bins are the same in any sample; the shares of class 1 follow two of them.
    private func data(columns: Int, distinct: Int, count: Int) throws -> (table: Table, labels: [Double]) {
        var numbers = TestNumbers(31)
        let values = (0..<columns).map { _ in numbers.integers(count, below: distinct) }
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
        var (table, labels) = try data(columns: 3, distinct: 200, count: half)
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
        let (table, labels) = try data(columns: 55, distinct: 40, count: 6000)
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
