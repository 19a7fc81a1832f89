import MetaLearnersCore
import Testing
import XGBoostEstimators
import _TestSupport

@Suite("XGBoost keeps what must not matter out of the result", .enabled(if: XGBoostEstimator.isAvailable))
struct InvarianceTests {
    @Test(
        "many rows, uneven weights, any number of threads: the same bytes",
        arguments: ["regression", "binary", "several", "residual"])
    func threadsDoNotMatter(kind: String) throws {
        let data = try TestFit(rows: 40_000)
        var stream = RandomStream(seed: 8)
        let weights = data.target.map { _ in stream.uniform() * stream.uniform() + 1e-3 }
        let regressor = data.target.map { _ in stream.uniform() - 0.5 }
        var spec = TestFit.spec(trees: 5)
        spec.rowSample = 0.8
        spec.columnSample = 0.8
        let several = data.target.map { $0 > 0.7 ? 2.0 : ($0 > -0.7 ? 1 : 0) }
        let models = try [1, 2, 3].map { threads in
            switch kind {
            case "binary":
                try data.fit(
                    spec, target: data.labels, weights: weights, objective: .classification(classes: 2),
                    threads: threads)
            case "several":
                try data.fit(
                    spec, target: several, weights: weights, objective: .classification(classes: 3),
                    threads: threads)
            case "residual":
                try data.fit(
                    spec, weights: weights, objective: .residual(regressor: regressor), threads: threads)
            default: try data.fit(spec, weights: weights, threads: threads)
            }
        }
        #expect(TestFit.bytes(models[0]) == TestFit.bytes(models[1]))
        #expect(TestFit.bytes(models[0]) == TestFit.bytes(models[2]))
    }

    @Test("the layout of the columns in memory does not matter", arguments: ["rows", "columns", "float"])
    func layoutDoesNotMatter(layout: String) throws {
        let data = try TestFit(rows: 300)
        let values = data.features.columns.map { $0.values.doubles() }
        // Single precision, so that each layout holds the same numbers.
        let rounded = values.map { $0.map { Float($0) } }
        let count = 300
        let separate = try Table(rounded.enumerated().map { Column("x\($0)", StridedValues($1)) })
        let columns: [Column]
        switch layout {
        case "rows":
            let memory = ColumnMemory(copying: (0..<count * 5).map { Double(rounded[$0 % 5][$0 / 5]) })
            columns = try (0..<5).map {
                try Column(
                    "x\($0)",
                    StridedValues(memory, element: .float64, count: count, offset: 8 * $0, stride: 40))
            }
        case "columns":
            let memory = ColumnMemory(copying: rounded.flatMap { $0 })
            columns = try (0..<5).map {
                try Column(
                    "x\($0)",
                    StridedValues(memory, element: .float32, count: count, offset: 4 * count * $0, stride: 4))
            }
        default:
            columns = rounded.enumerated().map { Column("x\($0)", $1.map { Double($0) }) }
        }
        let table = try Table(columns)
        let left = try data.fit(TestFit.spec(), features: separate)
        let right = try data.fit(TestFit.spec(), features: table)
        #expect(TestFit.bytes(left) == TestFit.bytes(right))
        #expect(
            try data.predictions(left, features: table) == data.predictions(right, features: separate))
    }

    @Test("a target in other units gives the same model in other units", arguments: [0x1p-60, 0x1p40])
    func unitsDoNotMatter(factor: Double) throws {
        let data = try TestFit(rows: 300)
        var spec = TestFit.spec()
        spec.l1 = 2
        spec.minSplitGain = 0.5
        let plain = try data.predictions(data.fit(spec))
        spec.l1 *= factor
        spec.minSplitGain *= factor * factor
        let scaled = try data.predictions(data.fit(spec, target: data.target.map { $0 * factor }))
        #expect(scaled == plain.map { $0 * factor })
    }

    @Test("a matrix made for another target on the same rows gives the same model")
    func matrixIsShared() throws {
        let data = try TestFit(rows: 300)
        let rows = Array(0..<Int32(300)).filter { $0 % 5 != 0 }
        let cache = FeatureCache()
        _ = try data.fit(
            TestFit.spec(), target: data.labels, objective: .classification(classes: 2), rows: rows,
            cache: cache)
        let shared = try data.fit(TestFit.spec(), rows: rows, cache: cache)
        let alone = try data.fit(TestFit.spec(), rows: rows)
        #expect(TestFit.bytes(shared) == TestFit.bytes(alone))
    }

    @Test("more rows than a batch holds give what the rows alone would")
    func batchesDoNotMatter() throws {
        let data = try TestFit(rows: 9_000)
        let wide = try Table(
            (0..<150).map { index in
                Column(
                    "c\(index)", data.features.columns[index % 5].values.doubles().map { $0 + Double(index) })
            })
        let rows = Array(0..<Int32(9_000)).filter { $0 % 9 != 0 }
        let spec = TestFit.spec(trees: 3)
        let listed = try data.fit(spec, rows: rows, features: wide)
        let alone = try data.fit(
            spec, target: rows.map { data.target[Int($0)] }, features: wide.selecting(rows: rows))
        #expect(try data.predictions(listed, features: wide) == data.predictions(alone, features: wide))
    }

    @Test("the residual loss with the regressor 1 is squared error")
    func residualOfOneIsRegression() throws {
        let data = try TestFit(rows: 300)
        let ones = [Double](repeating: 1, count: 300)
        let left = try data.predictions(data.fit(TestFit.spec()))
        let right = try data.predictions(data.fit(TestFit.spec(), objective: .residual(regressor: ones)))
        #expect(Approximate.largestDifference(left, right) < 1e-5)
    }

    @Test("the sign of the regressor flips the effect")
    func signFlips() throws {
        let data = try TestFit(rows: 300)
        var stream = RandomStream(seed: 4)
        let regressor = data.target.map { _ in stream.uniform() - 0.5 }
        let left = try data.predictions(
            data.fit(TestFit.spec(), objective: .residual(regressor: regressor)))
        let right = try data.predictions(
            data.fit(TestFit.spec(), objective: .residual(regressor: regressor.map { -$0 })))
        #expect(Approximate.largestDifference(left, right.map { -$0 }) < 1e-5)
    }
}
