import MetaLearnersCore
import Testing

@testable import LinearEstimators

/// Categories of more levels than a design matrix has columns for.
@Suite struct LevelScoreTests {
    private let context = ExecutionContext()
    private static let rows = 600
    private static let levels = 100
    /// Level 99 is never seen.
    private let codes: [Int32]
    private let number: [Double]
    private let folds: [Int32]

    init() {
        let rows = 0..<Self.rows
        codes = rows.map { (row: Int) -> Int32 in Int32((row * 37 + row / 11) % 99) }
        number = rows.map { (row: Int) -> Double in Double(row % 7) - 3 }
        folds = rows.map { (row: Int) -> Int32 in Int32(row % 3) }
    }

    private func table(_ codes: [Int32]? = nil) throws -> Table {
        try Table([
            Column("number", number),
            Column(
                "area", codes: StridedValues(codes ?? self.codes), levels: (0..<Self.levels).map { "L\($0)" }),
        ])
    }

    /// What a level does.
    private func effect(_ code: Int32) -> Double { Double(code % 10) - 4.5 }

    /// Whether the row's level is not among the 64 heaviest, which have indicators; levels of equal weight stay together.
    private func isRare(_ row: Int) -> Bool {
        var counts: [Int32: Int] = [:]
        for code in codes { counts[code, default: 0] += 1 }
        return (counts[codes[row]] ?? 0) <= counts.values.sorted(by: >)[64]
    }

    @Test(
        "a row's score is the shrunk mean of its level in the other folds, standardised; a level with an indicator has none"
    )
    func crossFitted() throws {
        let target = codes.map(effect)
        let fitted = try LevelScores.fit(
            try table(), rows: (0..<Int32(Self.rows)).map { $0 },
            weights: [Double](repeating: 2.5, count: Self.rows),
            LevelScoring(targets: [target, [Double](repeating: 1, count: Self.rows)], folds: folds), limit: 64
        )
        // The constant target says nothing, though its mean is rounded.
        #expect(fitted.scores.count == 1)
        let mean = target.reduce(0, +) / Double(Self.rows)
        // Without variance within levels, the mean of all counts as one row.
        let raw = (0..<Self.rows).map { row in
            let others = (0..<Self.rows).count { codes[$0] == codes[row] && folds[$0] != folds[row] }
            return Double(others) * (target[row] - mean) / Double(others + 1)
        }
        let rare = (0..<Self.rows).filter(isRare)
        #expect(rare.count > 100 && rare.count < Self.rows - 100)
        let center = rare.reduce(0) { $0 + raw[$1] } / Double(rare.count)
        let squares: [Double] = rare.map { (raw[$0] - center) * (raw[$0] - center) }
        let spread = (squares.reduce(0, +) / Double(rare.count)).squareRoot()
        let expected = raw.indices.map { isRare($0) ? (raw[$0] - center) / spread : 0 }
        #expect(largestDifference(fitted.ofRows[0], expected) < 1e-9)
        let indicated = Set(codes.indices.filter { !isRare($0) }.map { Int(codes[$0]) })
        #expect(indicated.allSatisfy { fitted.scores[0].values[$0] == 0 })
        #expect(fitted.scores[0].values[99] == 0)
    }

    @Test(
        "what a model says of the fold that it leaves out knows nothing of that fold, whatever the number of levels",
        arguments: [60, 65, 66, 80, 120])
    func knowsNothing(levels: Int) throws {
        // A category that says nothing, and a target of noise.
        let rows = 1500
        var stream = RandomStream(seed: UInt64(levels))
        let codes = (0..<rows).map { _ in Int32(stream.uniform() * Double(levels)) }
        let noise = (0..<rows).map { _ in (0..<12).reduce(-6.0) { sum, _ in sum + stream.uniform() } }
        let folds = (0..<rows).map { Int32($0 % 5) }
        let table = try Table([
            Column("area", codes: StridedValues(codes), levels: (0..<levels).map { "L\($0)" })
        ])
        let design = try DesignMatrix(
            table, expansion: .none, scoring: LevelScoring(targets: [noise], folds: folds), context)
        let problem = try PathProblem(
            design, rows: (0..<Int32(rows)).map { $0 }, folds: folds, target: noise, context)
        let square = noise.reduce(0) { $0 + $1 * $1 }
        for fit in [try problem.lassoPath(context), try problem.ridgePath(context)] {
            for stage in fit.penalties.indices {
                let predicted = try fit.outOfFold(stage, context)
                let size = predicted.reduce(0) { $0 + $1 * $1 }.squareRoot() * square.squareRoot()
                let product = zip(predicted, noise).reduce(0) { $0 + $1.0 * $1.1 }
                #expect(size == 0 || product / size < 0.08, "\(levels) levels, stage \(stage)")
            }
        }
    }

    @Test("few levels have no scores, and the order of levels and the unit of targets do not matter")
    func invariance() throws {
        let target = codes.enumerated().map { effect($1) + Double($0 % 5) }
        func fit(_ codes: [Int32], _ target: [Double], limit: Int = 64) throws -> LevelScores.Fitted {
            try LevelScores.fit(
                try table(codes), rows: (0..<Int32(Self.rows)).map { $0 },
                weights: [Double](repeating: 1, count: Self.rows),
                LevelScoring(targets: [target], folds: folds), limit: limit)
        }
        let plain = try fit(codes, target)
        #expect(try fit(codes, target, limit: 99).scores.isEmpty)
        #expect(
            largestDifference(try fit(codes.map { 98 - $0 }, target).ofRows[0], plain.ofRows[0]) < 1e-9)
        #expect(try fit(codes, target.map { $0 * 0x1p30 }).ofRows == plain.ofRows)
    }

    @Test("functions on scores predict from the levels, and survive the archive")
    func functions() throws {
        let target = codes.enumerated().map { effect($1) + number[$0] + Double($0 % 5) }
        let design = try DesignMatrix(
            table(), expansion: FeatureExpansion.splinesInteractions,
            scoring: LevelScoring(targets: [target], folds: folds),
            context)
        // A number, 64 levels at most with one for the others, a score, and the products of the number.
        #expect(design.columns(FeatureExpansion.none).count <= 1 + 65 + 1)
        guard case .categorical(let encoding) = design.encoder.sources[1] else {
            Issue.record("the area is no category")
            return
        }
        // The rows of levels without a column of their own.
        let owners = Dictionary(grouping: encoding.indicatorOfLevel.filter { $0 >= 0 }) { $0 }
        let rare = (0..<Self.rows).filter { row in
            (owners[encoding.indicatorOfLevel[Int(codes[row])]]?.count ?? 0) > 1
        }
        #expect(rare.count > 100)
        func path(_ design: DesignMatrix) throws -> (fit: PathFit, error: Double) {
            let problem = try PathProblem(
                design, rows: (0..<Int32(Self.rows)).map { $0 }, folds: folds, target: target, context)
            let fit = try problem.ridgePath(context)
            let predicted = try fit.outOfFold(fit.best, context)
            let squares = rare.reduce(0) {
                $0 + (predicted[$1] - target[$1]) * (predicted[$1] - target[$1])
            }
            return (fit, squares / Double(rare.count))
        }
        let (fit, error) = try path(design)
        // Noise has the variance 2. Without scores that of the levels is added, about 8; with the mean of four other rows,
        // whose variance is 6, about 1.5.
        let without = try DesignMatrix(table(), expansion: FeatureExpansion.splinesInteractions, context)
        let errorWithout = try path(without).error
        #expect(error < 0.6 * errorWithout, "\(error), \(errorWithout)")
        let model = design.model(of: [fit.function(fit.best)])
        var writer = BinaryWriter()
        model.encode(to: &writer)
        var reader = BinaryReader(writer.bytes[...])
        let back = try LinearFunctions(from: &reader)
        var new = codes
        (new[0], new[1]) = (99, -1)
        let values = try model.predict(table(new), rows: nil, context)
        #expect(try back.predict(table(new), rows: nil, context) == values)
        for length in stride(from: 0, to: writer.bytes.count, by: 97) {
            var reader = BinaryReader(writer.bytes[..<length])
            #expect(throws: MetaLearnersError.self) { try LinearFunctions(from: &reader) }
        }
        // What the scorer folds together is what the columns give.
        let encoder = design.encoder
        let function = fit.function(fit.best)
        let block = try DoubleBuffer(encoder.width * DesignBlocks.rowsPerBlock)
        try DesignBlocks(encoder: encoder, features: table(new), rows: (0..<Int32(Self.rows)).map { $0 })
            .forEach(into: block, context) { range throws(MetaLearnersError) in
                for (offset, row) in range.enumerated() {
                    var value = function.intercept
                    for column in 0..<encoder.width {
                        value +=
                            function.coefficients[column]
                            * block.start[column * DesignBlocks.rowsPerBlock + offset]
                    }
                    #expect(abs(value - values[row]) < 1e-9)
                }
            }
    }
}
