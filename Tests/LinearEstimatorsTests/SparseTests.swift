import MetaLearnersCore
import Testing

@testable import LinearEstimators

/// Sparse columns give what the same columns give when they are dense.
@Suite(.holdingBLAS) struct SparseTests {
    /// The same features twice: sparse numbers between a dense column with missing values and a category.
    struct Pair {
        var sparse: Table
        var dense: Table
        let stored: [[Double]]

        init(rows: Int, columns: Int, density: Double, seed: UInt64) throws {
            var stream = RandomStream(seed: seed)
            var starts = [0]
            var indices: [Int] = []
            var values: [Double] = []
            var dense = [[Double]](repeating: [Double](repeating: 0, count: rows), count: columns)
            for row in 0..<rows {
                for column in (0..<columns).reversed() where stream.uniform() < density {
                    let value = (3 * stream.uniform() - 1) * (column == 0 ? 1000 : 1)
                    indices.append(column)
                    values.append(value)
                    dense[column][row] = value
                }
                starts.append(indices.count)
            }
            let names = (0..<columns).map { "s\($0)" }
            let other = (0..<rows).map { _ in stream.uniform() < 0.2 ? Double.nan : stream.uniform() }
            let levels = (0..<rows).map { _ in "level \(stream.integer(below: 3))" }
            let columnsOfOthers = [Column("other", other), Column("level", categories: levels)]
            let matrix = try SparseColumns(
                rowStarts: starts, columns: indices, values: values, columnCount: columns)
            sparse = try Table(
                [columnsOfOthers[0]] + matrix.columns(names: names) + [columnsOfOthers[1]])
            self.dense = try Table(
                [columnsOfOthers[0]] + zip(names, dense).map { Column($0, $1) } + [columnsOfOthers[1]])
            stored = dense
        }
    }

    private static func estimators() throws -> [(any BaseEstimator, classes: Int?)] {
        var chosen = RidgeSpec(selection: .cv)
        chosen.pathLength = 20
        var logistic = LogisticSpec(l2: 0.3)
        logistic.l1 = 0.7
        var path = LogisticSpec(selection: .min)
        (path.pathLength, path.folds) = (6, 3)
        return [
            (try OLSEstimator(), nil), (try RidgeEstimator(), nil), (try RidgeEstimator(chosen), nil),
            (try RidgeEstimator(RidgeSpec(selection: .gcv)), nil),
            (try RidgeEstimator(RidgeSpec(selection: .loo)), nil),
            (try LassoEstimator(LassoSpec(lambda: 0.05)), nil), (try ElasticNetEstimator(), nil),
            (try LogisticEstimator(), 2), (try LogisticEstimator(logistic), 2),
            (try LogisticEstimator(logistic), 3), (try LogisticEstimator(path), 2),
        ]
    }

    private func task(_ features: Table, _ pair: Pair, classes: Int?, residual: Bool = false) throws
        -> TrainingTask
    {
        let count = features.rowCount
        var stream = RandomStream(seed: 99)
        let noise = (0..<count).map { _ in stream.uniform() - 0.5 }
        let signal = (0..<count).map { pair.stored[0][$0] / 1000 + pair.stored[1][$0] + noise[$0] }
        let target = classes.map { classes in
            signal.map { min(max(($0 + 1).rounded(.down), 0), Double(classes - 1)) }
        }
        return try TrainingTask(
            features: features, rows: (0..<count).filter { $0 % 7 != 3 }.map { Int32($0) },
            target: target ?? signal, weights: (0..<count).map { 0.5 + Double($0 % 3) },
            objective: classes.map { .classification(classes: $0) }
                ?? (residual ? .residual(regressor: noise.map { 2 * $0 }) : .regression), seed: 5)
    }

    @Test("models and predictions are those of dense columns")
    func equalsDense() throws {
        let pair = try Pair(rows: 160, columns: 12, density: 0.2, seed: 1)
        let context = ExecutionContext()
        for (estimator, classes) in try Self.estimators() {
            let dense = try estimator.fit(task(pair.dense, pair, classes: classes), context)
            let sparse = try estimator.fit(task(pair.sparse, pair, classes: classes), context)
            let expected = try dense.predict(pair.dense, rows: nil, context)
            // Coordinate descent within the tolerance that logistic regression asks for, else to rounding.
            let tolerance = type(of: estimator).backend.name == "logistic" ? 1e-7 : 1e-10
            let scale = 1 + expected.reduce(0) { max($0, abs($1)) }
            for (model, table) in [(sparse, pair.sparse), (sparse, pair.dense), (dense, pair.sparse)] {
                let values = try model.predict(table, rows: nil, context)
                #expect(
                    largestDifference(values, expected) < tolerance * scale,
                    "\(type(of: estimator).backend.name) \(estimator.spec.specValue.json())")
            }
        }
        let ridge = try RidgeEstimator()
        let dense = try ridge.fit(task(pair.dense, pair, classes: nil, residual: true), context)
        let sparse = try ridge.fit(task(pair.sparse, pair, classes: nil, residual: true), context)
        #expect(
            largestDifference(
                try sparse.predict(pair.sparse, rows: nil, context),
                try dense.predict(pair.dense, rows: nil, context)) < 1e-10)
    }

    /// The same problem three times: dense, by sparse sums, and without a matrix of all products.
    private func problems(_ pair: Pair, l2: Double) throws -> [LeastSquares] {
        let context = ExecutionContext()
        let loss = try SquaredLoss(task(pair.sparse, pair, classes: nil), backend: "ridge")
        let encoder = try DesignEncoder(
            pair.sparse, rows: loss.rows, weights: loss.importance, againstReference: true, context)
        var sparse = try DesignBlocks(encoder, pair.sparse, rows: loss.rows, .none, context)
        let blocks = [DesignBlocks(encoder: encoder, features: pair.dense, rows: loss.rows), sparse]
        sparse.gramLimit = 0
        return (blocks + [sparse]).map {
            LeastSquares(design: $0, factors: loss.factors, responses: loss.responses, l2: l2)
        }
    }

    @Test("without a matrix of all products the solutions are the same")
    func wide() throws {
        let pair = try Pair(rows: 120, columns: 15, density: 0.2, seed: 2)
        let context = ExecutionContext()
        for l2 in [0, 3.0] {
            let solutions = try problems(pair, l2: l2).map { try $0.solve(context).coefficients }
            #expect(largestDifference(solutions[0], solutions[1]) < 1e-10)
            #expect(largestDifference(solutions[0], solutions[2]) < 1e-9)
        }
        let folds = [0..<30, 30..<70, 70..<103]
        for spec in [
            ElasticNetSpec(l1Ratio: 0.7, lambda: 0.05), ElasticNetSpec(l1Ratio: 0.5, lambda: nil, folds: 3),
        ] {
            let paths = try problems(pair, l2: 0).map { try PenaltyPath($0, folds, spec, context) }
            #expect(abs(paths[0].lambda - paths[2].lambda) < 1e-10)
            #expect(largestDifference(paths[0].coefficients, paths[1].coefficients) < 1e-9)
            #expect(largestDifference(paths[0].coefficients, paths[2].coefficients) < 1e-9)
        }
        var spec = LogisticSpec(l2: 0)
        spec.l1 = 6
        for limit in [1000, 17] {
            var logistic = try LogisticEstimator(spec)
            logistic.denseLimit = limit
            let dense = try logistic.fit(task(pair.dense, pair, classes: 2), context)
            let sparse = try logistic.fit(task(pair.sparse, pair, classes: 2), context)
            #expect(dense.warnings.isEmpty && sparse.warnings.isEmpty)
            #expect(
                largestDifference(
                    try sparse.predict(pair.sparse, rows: nil, context),
                    try dense.predict(pair.dense, rows: nil, context)) < 1e-7)
        }
        var ridge = try LogisticEstimator()
        ridge.denseLimit = 0
        let truncated = try ridge.fit(task(pair.sparse, pair, classes: 3), context)
        let whole = try LogisticEstimator().fit(task(pair.dense, pair, classes: 3), context)
        #expect(
            largestDifference(
                try truncated.predict(pair.sparse, rows: nil, context),
                try whole.predict(pair.dense, rows: nil, context)) < 1e-8)
    }

    @Test("more columns than rows have the solution of least norm, or the penalised one")
    func moreColumnsThanRows() throws {
        let pair = try Pair(rows: 24, columns: 60, density: 0.3, seed: 6)
        let context = ExecutionContext()
        for l2 in [0, 0.5] {
            let solutions = try problems(pair, l2: l2).map { try $0.solve(context).coefficients }
            #expect(largestDifference(solutions[0], solutions[1]) < 1e-8)
            #expect(largestDifference(solutions[0], solutions[2]) < 1e-8)
        }
    }

    @Test("a row's prediction depends on no other row, in any order, to the bit")
    func rowByRow() throws {
        let pair = try Pair(rows: 50, columns: 6, density: 0.3, seed: 3)
        let context = ExecutionContext()
        let model = try RidgeEstimator().fit(task(pair.sparse, pair, classes: nil), context)
        let all = try model.predict(pair.sparse, rows: nil, context)
        let rows: [Int32] = [4, 4, 49, 0, 17, 16, 3]
        let some = try model.predict(pair.sparse, rows: rows, context)
        #expect(some == rows.map { all[Int($0)] })
        let copied = try model.predict(pair.sparse.selecting(rows: rows), rows: nil, context)
        #expect(copied == some)
    }

    @Test("threads change nothing")
    func threads() throws {
        let pair = try Pair(rows: 120, columns: 9, density: 0.25, seed: 4)
        for (estimator, classes) in try Self.estimators() {
            let one = try estimator.fit(task(pair.sparse, pair, classes: classes), ExecutionContext())
            let three = try estimator.fit(
                task(pair.sparse, pair, classes: classes), ExecutionContext(threads: 3))
            var (first, second) = (BinaryWriter(), BinaryWriter())
            one.encode(to: &first)
            three.encode(to: &second)
            #expect(first.bytes == second.bytes)
        }
    }

    @Test("columns with nothing stored, or the same number everywhere, are left out")
    func constantColumns() throws {
        let matrix = try SparseColumns(
            rowStarts: [0, 1, 2, 4, 5], columns: [1, 1, 1, 2, 1], values: [2, 2, 2, 5, 2], columnCount: 3)
        let features = try Table(matrix.columns())
        let task = try TrainingTask(features: features, rows: [0, 1, 2, 3], target: [0, 1, 5, 2])
        let model = try OLSEstimator().fit(task, ExecutionContext())
        let values = try model.predict(features, rows: nil, ExecutionContext())
        #expect(largestDifference(values, [1, 1, 5, 1]) < 1e-12)
    }
}
