import MetaLearnersCore
import Testing
import _TestSupport

@testable import TreeEstimators

/// Rows of which all processes together have more than one has memory for: sums have room, and trees are those of fewer rows.
@Suite struct VastRowsTests {
    /// What is fitted to the rows.
    enum Kind: CaseIterable {
        case regression, weighted, residual, binary, multiclass
    }

    private struct Rows {
        let table: Table
        let target: [Double]
        let weights: [Double]?
        let objective: TrainingTask.Objective
    }

    /// Columns of few numbers, or of categories: their bins are the same in samples of few rows.
    private func rows(_ kind: Kind, count: Int, ofCategories: Bool = false) throws -> Rows {
        var numbers = TestNumbers(5)
        let columns = (0..<3).map { _ in numbers.integers(count, below: 3) }
        let noise = numbers.uniform(count)
        let signal = (0..<count).map { columns[0][$0] + (columns[1][$0] < 1 ? 3 : 0) }
        let weights = noise.map { 0.5 + $0 }
        let levels = (0..<3).map { "\($0)" }
        let table =
            ofCategories
            ? try Table(
                columns.enumerated().map { index, values in
                    Column("x\(index)", categories: values.map { levels[Int($0)] })
                }) : try numericTable(columns)
        func with(
            _ target: [Double], _ objective: TrainingTask.Objective = .regression, weights: [Double]? = nil
        ) -> Rows { Rows(table: table, target: target, weights: weights, objective: objective) }
        let outcome = zip(signal, noise).map { $0 + 4 * $1 }
        switch kind {
        case .regression: return with(outcome)
        case .weighted: return with(outcome, weights: weights)
        case .residual:
            let regressor = noise.indices.map { ($0 % 2 == 0 ? 1 : 0) - 0.2 - 0.6 * noise[$0] }
            return with(
                zip(regressor, signal).map { $0 * $1 + 0.1 }, .residual(regressor: regressor))
        case .binary:
            return with(zip(signal, noise).map { $1 < 0.1 + $0 / 8 ? 1 : 0 }, .classification(classes: 2))
        case .multiclass:
            return with(
                zip(signal, noise).map { ($1 < 0.1 + $0 / 8 ? 1 : 0) + ($1 < 0.2 ? 1 : 0) },
                .classification(classes: 3), weights: weights)
        }
    }

    private func fit(_ rows: Rows, copies: Int?) throws -> any FittedEstimator {
        var spec = plainSpec(trees: 3, leaves: 8, learningRate: 0.3)
        // (These count rows, of which there are more.)
        spec.categorySmoothing = 0
        spec.categoryL2 = 0
        let distribution = try copies.map {
            try DistributedRows(MirrorCollective(copies: $0), rows: rows.table.rowCount)
        }
        return try fitTrees(
            spec, rows.table.distributed(distribution), rows.target, weights: rows.weights,
            objective: rows.objective, threads: 1)
    }

    /// How many copies of how many rows: 2²⁴ (regressions may count apart), 2²⁷ − 2¹⁴ and 2²⁷ (all do), 2²⁸, 2³⁴ and 2⁴⁰ − 2¹².
    ///
    /// (Of the last two hardly a row is in the sample that gives the bins of numbers: they have categories.)
    private static let sizes: [(copies: Int, rows: Int)] = [
        (1 << 10, 1 << 14), (1 << 13 - 1, 1 << 14), (1 << 13, 1 << 14), (1 << 14, 1 << 14),
        (1 << 22, 1 << 12),
        (1 << 28 - 1, 1 << 12),
    ]

    @Test(
        "So many rows have the trees that fewer of them have", arguments: Kind.allCases, sizes.indices)
    func vast(kind: Kind, size: Int) throws {
        let (copies, count) = Self.sizes[size]
        let rows = try rows(kind, count: count, ofCategories: copies > 1 << 14)
        let vast = try predictions(fit(rows, copies: copies), rows.table)
        let few = try predictions(fit(rows, copies: nil), rows.table)
        let spread = meanSquare(
            few, [Double](repeating: few.reduce(0, +) / Double(few.count), count: few.count))
        #expect(spread > 1e-3)
        #expect(meanSquare(vast, few) < 1e-5 * spread)
    }

    @Test("More rows than sums have room for are refused in words")
    func refused() throws {
        for kind in [Kind.regression, .binary] {
            let rows = try rows(kind, count: 64)
            #expect {
                _ = try fit(rows, copies: 1 << 34)
            } throws: { error in
                "\(error)".contains("fewer than 2^40 rows")
            }
        }
    }
}
