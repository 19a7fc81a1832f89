import MetaLearnersCore
import Testing
import TreeEstimators

/// Columns of more than 256 bins, and columns of few bins that share a code, against brute force.
@Suite struct WideBinTests {
    /// Least squares of a target in two parts.
    private func loss(_ target: [Double], _ isRight: (Int) -> Bool) -> Double {
        var sums = SIMD2<Double>(0, 0)
        var squares = 0.0
        var counts = SIMD2<Double>(0, 0)
        for (row, value) in target.enumerated() {
            let side = isRight(row) ? 1 : 0
            sums[side] += value
            counts[side] += 1
            squares += value * value
        }
        return squares - (0..<2).reduce(0) { $0 + (counts[$1] > 0 ? sums[$1] * sums[$1] / counts[$1] : 0) }
    }

    private func stumpSpec() -> TreesSpec {
        var spec = plainSpec()
        spec.categorySmoothing = 0
        spec.categoryL2 = 0
        return spec
    }

    private func levelColumn(_ codes: [Int32], levels: Int) -> Column {
        Column("level", codes: StridedValues(codes), levels: (0..<levels).map { "\($0)" })
    }

    @Test("of a thousand levels each is on the side that fits it")
    func everyLevelCounts() throws {
        let codes = (0..<11_000).map { Int32($0 % 1000) }
        let target = codes.map { ($0 / 3) % 2 == 0 ? 2.0 : -1 }
        let table = try Table([levelColumn(codes, levels: 1000)])
        let model = try fitTrees(stumpSpec(), table, target)
        #expect(distance(try predictions(model, table), target) < 1e-4)
    }

    @Test("of many levels the best set is that of the lowest means, as brute force finds it")
    func bestSetOfLevels() throws {
        var numbers = TestNumbers(8)
        let count = 4800
        let codes = (0..<count).map { Int32(($0 * 7) % 400) }
        let effects = numbers.uniform(400)
        let target = zip(codes, numbers.uniform(count)).map { effects[Int($0)] + $1 }
        let table = try Table([levelColumn(codes, levels: 400)])
        let fitted = try predictions(try fitTrees(stumpSpec(), table, target), table)
        var sums = [Double](repeating: 0, count: 400)
        for (code, value) in zip(codes, target) { sums[Int(code)] += value }
        // Every level has as many rows: sums order as means do.
        let order = (0..<400).sorted { sums[$0] < sums[$1] }
        var best = Double.infinity
        for length in 1..<400 {
            let set = Set(order.prefix(length))
            best = min(best, loss(target) { set.contains(Int(codes[$0])) })
        }
        #expect(abs(meanSquare(fitted, target) * Double(count) - best) < 1e-3)
    }

    @Test(
        "numbers are split at the best of all thresholds where there are bins for all",
        arguments: [false, true])
    func bestThreshold(hasMissing: Bool) throws {
        var numbers = TestNumbers(12)
        let count = 1500
        var values = numbers.shuffled(count).map { Double($0) }
        let noise = numbers.uniform(count)
        let target = (0..<count).map { (values[$0] > 777 ? 1.0 : 0) + 0.2 * noise[$0] }
        if hasMissing { for row in stride(from: 0, to: count, by: 9) { values[row] = .nan } }
        var spec = stumpSpec()
        spec.maxBins = 2000
        let table = try numericTable([values])
        let model = try fitTrees(spec, table, target)
        let fitted = try predictions(model, table)
        var best = Double.infinity
        for threshold in 0..<count {
            for missingRight in [false, true] {
                best = min(
                    best,
                    loss(target) { values[$0].isNaN ? missingRight : values[$0] > Double(threshold) })
            }
        }
        #expect(abs(meanSquare(fitted, target) * Double(count) - best) < 1e-3)
    }

    @Test("columns that share a code are each split as well as brute force does", arguments: 0..<4)
    func jointColumns(relevant: Int) throws {
        var numbers = TestNumbers(UInt64(40 + relevant))
        let count = 4000
        var columns = [
            numbers.integers(count, below: 2), numbers.integers(count, below: 3),
            numbers.integers(count, below: 2), numbers.integers(count, below: 5),
        ]
        for row in stride(from: 0, to: count, by: 7) { columns[3][row] = .nan }
        let noise = numbers.uniform(count)
        let target = (0..<count).map { row in
            let value = columns[relevant][row]
            return (value.isNaN ? 1.5 : value) + noise[row]
        }
        let table = try numericTable(columns)
        let fitted = try predictions(try fitTrees(stumpSpec(), table, target), table)
        var best = Double.infinity
        for column in columns {
            for threshold in -1..<5 {
                for missingRight in [false, true] {
                    best = min(
                        best,
                        loss(target) { column[$0].isNaN ? missingRight : column[$0] > Double(threshold) })
                }
            }
        }
        #expect(abs(meanSquare(fitted, target) * Double(count) - best) < 1e-3)
    }

    /// Levels, numbers of many values, and columns of few.
    private func mixed() throws -> (table: Table, target: [Double]) {
        var numbers = TestNumbers(77)
        let count = 6000
        // Each level has rows enough for a bin of its own.
        let codes = numbers.shuffled(count).map { Int32($0 % 300) }
        var values = numbers.uniform(count)
        for row in stride(from: 0, to: count, by: 11) { values[row] = .nan }
        let few = numbers.integers(count, below: 3)
        let flags = numbers.integers(count, below: 2)
        let noise = numbers.uniform(count)
        let target = (0..<count).map { row in
            let level = Double(codes[row] * 37 % 300) / 75
            let number = values[row].isNaN ? 1 : values[row] * 3
            return level + number * flags[row] + few[row] + noise[row]
        }
        let table = try Table([
            levelColumn(codes, levels: 300), Column("value", values), Column("few", few),
            Column("flag", flags),
        ])
        return (table, target)
    }

    private func mixedSpec() -> TreesSpec {
        var spec = TreesSpec()
        spec.trees = 12
        spec.maxLeaves = 16
        spec.learningRate = 0.3
        spec.maxBins = 700
        return spec
    }

    @Test("the bytes are the same on one, two and three threads")
    func threads() throws {
        let (table, target) = try mixed()
        let bytes = try (1...3).map { encoded(try fitTrees(mixedSpec(), table, target, threads: $0)) }
        #expect(bytes[0] == bytes[1] && bytes[0] == bytes[2])
    }

    @Test("rows predicted one by one, in blocks, and by a model read again are the same")
    func predictionPaths() throws {
        let (table, target) = try mixed()
        let model = try fitTrees(mixedSpec(), table, target)
        let all = try predictions(model, table)
        #expect(
            meanSquare(all, target) < 0.5 * meanSquare(target, target.map { _ in target.reduce(0, +) / 6000 })
        )
        let single = try (0..<40).flatMap { try predictions(model, table, rows: [Int32($0 * 149)]) }
        #expect(single == (0..<40).map { all[$0 * 149] })
        let bytes = encoded(model)
        var reader = BinaryReader(bytes[...])
        let again = try TreesEstimator.decode(from: &reader)
        #expect(try predictions(again, table) == all)
        #expect(encoded(again) == bytes)
    }

    @Test("contributions add up to predictions")
    func contributions() throws {
        let (table, target) = try mixed()
        let model = try fitTrees(mixedSpec(), table, target)
        let explained = try #require(model as? any ExplainableEstimator)
        let rows = (0..<50).map { Int32($0 * 100) }
        let parts = try explained.contributions(table, rows: rows, background: nil, ExecutionContext())
        let sums = rows.indices.map { row in parts.values[row * 5..<row * 5 + 5].reduce(0, +) }
        #expect(distance(sums, try predictions(model, table, rows: rows)) < 1e-6)
    }

    @Test("a weight of two is two rows, in wide and joint columns too")
    func weights() throws {
        let (table, target) = try mixed()
        let rows = (0..<Int32(table.rowCount)).map { $0 }
        var weights = [Double](repeating: 1, count: table.rowCount)
        for row in rows where row % 2 == 0 { weights[Int(row)] = 2 }
        var spec = mixedSpec()
        spec.minLeafSize = 1
        spec.minChildWeight = 20
        // A bin for each value: then those of the repeated rows part them alike.
        spec.maxBins = 6001
        let weighted = try fitTrees(spec, table, target, weights: weights, rows: rows)
        let order = rows.flatMap { $0 % 2 == 0 ? [$0, $0] : [$0] }
        let repeated = table.selecting(rows: order)
        let copied = try fitTrees(spec, repeated, order.map { target[Int($0)] })
        let expected = try predictions(copied, table, rows: rows)
        #expect(distance(try predictions(weighted, table, rows: rows), expected) < 1e-4)
    }
}
