import MetaLearnersCore
import Testing
import TreeEstimators

/// Fits to some rows of a table, whose leaves are known by a byte per row of the table, and whose scores are those of these rows alone.
@Suite("Trees of some of the rows")
struct PartOfRowsTests {
    /// Whole numbers, whose bins are the same whichever rows there are.
    private func data(count: Int) throws -> (table: Table, labels: [Double], target: [Double]) {
        var numbers = TestNumbers(5)
        let columns = (0..<4).map { _ in numbers.integers(count, below: 30) }
        let draws = numbers.uniform(count)
        let labels = (0..<count).map { draws[$0] < 0.2 + 0.02 * columns[0][$0] ? 1.0 : 0 }
        let target = (0..<count).map { columns[0][$0] * (columns[1][$0] > 12 ? 1 : -0.5) + draws[$0] }
        return (try numericTable(columns), labels, target)
    }

    @Test(
        "A fit to some rows is the fit to a table that has no others",
        arguments: [[2, 0], [3, 1], [2, 5000]], [1, 2])
    func alone(pattern: [Int], threads: Int) throws {
        let count = 21_000
        let (table, labels, target) = try data(count: count)
        // Every second or third row, or these among the first and all of the last.
        let rows = (0..<Int32(count)).filter { row in
            Int(row) % pattern[0] == pattern[1] % pattern[0] || pattern[1] > 10 && row > 16_000
        }
        let own = table.selecting(rows: rows)
        func of(_ values: [Double]) -> [Double] { rows.map { values[Int($0)] } }
        for (objective, values) in [
            (TrainingTask.Objective.classification(classes: 2), labels), (.regression, target),
        ] {
            for weights in [nil, (0..<count).map { 1 + Double($0 % 3) }] {
                let spec = plainSpec(trees: 6, leaves: 12, learningRate: 0.4)
                let some = try fitTrees(
                    spec, table, values, weights: weights, rows: rows, objective: objective, threads: threads)
                let whole = try fitTrees(
                    spec, own, of(values), weights: weights.map(of), objective: objective, threads: 1)
                #expect(encoded(some) == encoded(whole))
            }
            // Early stopping holds rows out, whose scores are needed too.
            var stopping = plainSpec(trees: 6, leaves: 12, learningRate: 0.4)
            stopping.earlyStopping = 2
            #expect(
                try encoded(
                    fitTrees(stopping, table, values, rows: rows, objective: objective, threads: threads))
                    == encoded(fitTrees(stopping, own, of(values), objective: objective, threads: 1)))
        }
    }
}
