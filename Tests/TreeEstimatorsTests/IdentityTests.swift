import MetaLearnersCore
import Testing
import TreeEstimators

@Suite struct IdentityTests {
    private static let count = 400
    private let columns: [[Double]]
    private let target: [Double]
    private let weights: [Double]
    private let table: Table
    private let spec: TreesSpec

    init() throws {
        var numbers = TestNumbers(11)
        // At most 200 distinct numbers per column: bins are exact.
        var columns = [200, 9, 200].map { numbers.integers(Self.count, below: $0).map { $0 / 200 } }
        for row in stride(from: 3, to: Self.count, by: 11) { columns[2][row] = .nan }
        let noise = numbers.uniform(Self.count)
        target = (0..<Self.count).map { row -> Double in
            let missing: Double = columns[2][row].isNaN ? 1 : 0
            return 4 * columns[0][row] * columns[0][row] + 50 * columns[1][row] + missing + noise[row]
        }
        weights = numbers.integers(Self.count, below: 4)
        self.columns = columns
        table = try numericTable(columns)
        var spec = plainSpec(trees: 12, leaves: 8, learningRate: 0.3)
        spec.minLeafSize = 5
        self.spec = spec
    }

    private func reordered(_ values: [Double], _ order: [Int]) -> [Double] { order.map { values[$0] } }

    @Test("permuting the rows permutes the predictions, to the bit")
    func permutation() throws {
        var numbers = TestNumbers(5)
        let order = numbers.shuffled(Self.count)
        let plain = try predictions(try fitTrees(spec, table, target, weights: weights), table)
        let permuted = try numericTable(columns.map { reordered($0, order) })
        let model = try fitTrees(spec, permuted, reordered(target, order), weights: reordered(weights, order))
        // The base score is a sum of numbers in another order: equal but for its rounding.
        #expect(distance(try predictions(model, permuted), reordered(plain, order)) < 1e-6)
    }

    @Test("a weight of 2 equals a row twice, a weight of 0 no row")
    func duplication() throws {
        var free = spec
        free.minLeafSize = 1
        let rows = (0..<Self.count).flatMap { [Int](repeating: $0, count: Int(weights[$0])) }
        let repeated = try numericTable(columns.map { reordered($0, rows) })
        let weighted = try fitTrees(free, table, target, weights: weights)
        let duplicated = try fitTrees(free, repeated, reordered(target, rows))
        // Equal but for the grid of the sums, which depends on the largest weight and the number of rows.
        #expect(distance(try predictions(weighted, repeated), try predictions(duplicated, repeated)) < 1e-5)
    }

    @Test("weights multiplied by a constant change nothing where nothing is regularised")
    func weightScale() throws {
        let plain = try predictions(try fitTrees(spec, table, target), table)
        let scaled = try predictions(
            try fitTrees(spec, table, target, weights: target.map { _ in 3.7 }), table)
        #expect(distance(plain, scaled) < 1e-6)
    }

    @Test("the residual loss with regressor 1 is regression")
    func residualOfOne() throws {
        let regression = try predictions(try fitTrees(spec, table, target), table)
        let ones = target.map { _ in 1.0 }
        let residual = try fitTrees(spec, table, target, objective: .residual(regressor: ones))
        #expect(distance(try predictions(residual, table), regression) < 1e-5)
    }

    @Test("the residual loss is weighted regression on the ratio")
    func residualAsRatio() throws {
        var numbers = TestNumbers(8)
        let regressor = numbers.uniform(Self.count).map { $0 + 0.2 }
        let residual = try fitTrees(spec, table, target, objective: .residual(regressor: regressor))
        let ratio = try fitTrees(
            spec, table, zip(target, regressor).map { $0 / $1 }, weights: regressor.map { $0 * $0 })
        #expect(distance(try predictions(residual, table), try predictions(ratio, table)) < 1e-4)
    }

    @Test("adding a constant to the target adds it to the predictions; scaling scales them")
    func affineTarget() throws {
        let plain = try predictions(try fitTrees(spec, table, target), table)
        let model = try fitTrees(spec, table, target.map { 1000 + 8 * $0 })
        #expect(distance(try predictions(model, table), plain.map { 1000 + 8 * $0 }) < 1e-4)
    }

    @Test("a monotone transform of a feature changes no prediction")
    func monotoneTransform() throws {
        var small = spec
        small.maxBins = 255
        let stretched = try numericTable(columns.map { column in column.map { $0 * $0 * $0 * 1e6 + 5 } })
        let plain = try predictions(try fitTrees(small, table, target), table)
        let model = try fitTrees(small, stretched, target)
        #expect(distance(try predictions(model, stretched), plain) < 1e-6)
    }

    @Test("constant columns and columns in another order change no prediction")
    func uselessColumns() throws {
        let plain = try predictions(try fitTrees(spec, table, target), table)
        let constant = [Double](repeating: 7, count: Self.count)
        let missing = [Double](repeating: .nan, count: Self.count)
        let wider = try numericTable([constant] + columns + [missing])
        #expect(distance(try predictions(try fitTrees(spec, wider, target), wider), plain) == 0)
    }

    @Test("float32, float64, integers and rows side by side give the same bits")
    func storage() throws {
        let short = columns.map { $0.map { Double(Float($0)) } }
        let wide = try numericTable(short)
        let narrow = try Table(
            short.enumerated().map { Column("x\($0)", StridedValues($1.map { Float($0) })) })
        var interleaved: [Float] = []
        for row in 0..<Self.count { interleaved += short.map { Float($0[row]) } }
        let memory = ColumnMemory(copying: interleaved)
        let rowMajor = try Table(
            try short.indices.map {
                Column(
                    "x\($0)",
                    try StridedValues(
                        memory, element: .float32, count: Self.count, offset: 4 * $0, stride: 12))
            })
        let model = try fitTrees(spec, wide, target)
        #expect(encoded(try fitTrees(spec, narrow, target)) == encoded(model))
        #expect(encoded(try fitTrees(spec, rowMajor, target)) == encoded(model))
        let expected = try predictions(model, wide)
        #expect(try predictions(model, narrow) == expected)
        #expect(try predictions(model, rowMajor) == expected)
        let codes = try Table([Column("x0", StridedValues(columns[1].map { Int32($0 * 200) }))])
        let numbers = try numericTable([columns[1].map { ($0 * 200).rounded() }])
        #expect(encoded(try fitTrees(spec, codes, target)) == encoded(try fitTrees(spec, numbers, target)))
    }

    @Test("a fit on some rows is the fit on a copy of them, where bins are the same")
    func rowSubset() throws {
        let rows = (0..<Int32(Self.count)).filter { $0 % 3 != 0 }
        let part = try Table([table.columns[1]])
        let copy = part.selecting(rows: rows)
        let here = try fitTrees(spec, part, target, rows: rows)
        let there = try fitTrees(spec, copy, rows.map { target[Int($0)] })
        #expect(try predictions(here, part, rows: rows) == predictions(there, copy))
    }
}
