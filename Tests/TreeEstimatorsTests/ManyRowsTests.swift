import MetaLearnersCore
import Testing
import TreeEstimators

/// What only happens with many rows: gradients of few bits with the root's counts known, tiles shared among threads,
/// rows fetched twice.
@Suite struct ManyRowsTests {
    private static let count = 132_000

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

    @Test("classes: gradients of few bits give what those of more do, on any number of threads")
    func shortGradients() throws {
        let half = Self.count / 2
        let (table, labels) = try data(columns: 3, distinct: 200, count: half)
        let spec = plainSpec(trees: 3, leaves: 8, learningRate: 0.3)
        // Half as many rows of twice the weight are too few for gradients of few bits.
        let weighted = try fitTrees(
            spec, table, labels, weights: [Double](repeating: 2, count: half),
            objective: .classification(classes: 2))
        let order = (0..<Int32(half)).map { $0 } + (0..<Int32(half)).map { $0 }
        let repeated = table.selecting(rows: order)
        let models = try (1...2).map { threads in
            try fitTrees(
                spec, repeated, order.map { labels[Int($0)] }, objective: .classification(classes: 2),
                threads: threads)
        }
        #expect(encoded(models[0]) == encoded(models[1]))
        let rows = (0..<2000).map { Int32($0 * 33) }
        let difference = distance(
            try predictions(models[0], table, rows: rows), try predictions(weighted, table, rows: rows))
        #expect(difference > 0 && difference < 1e-4)
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
