import MetaLearnersCore
import Testing
import TreeEstimators

@Suite struct ForestCodingTests {
    private let table: Table
    private let target: [Double]

    init() throws {
        var numbers = TestNumbers(4)
        let codes = numbers.integers(300, below: 12).map { Int32($0) }
        var gappy = numbers.uniform(300)
        gappy[5] = .nan
        table = try Table([
            Column("a", numbers.uniform(300)), Column("b", gappy),
            Column("c", codes: StridedValues(codes), levels: (0..<12).map { "\($0)" }),
        ])
        let noise = numbers.uniform(300)
        target = (0..<300).map { row in Double(codes[row] % 3) + noise[row] }
    }

    private func tasks() throws -> [TrainingTask] {
        let labels = target.map { $0.rounded(.down) }
        return [
            try forestTask(table, target),
            try forestTask(table, target, objective: .residual(regressor: target.map { $0 - 1 })),
            try forestTask(table, labels.map { min($0, 1) }, objective: .classification(classes: 2)),
            try forestTask(table, labels, objective: .classification(classes: 4)),
        ]
    }

    private var spec: ForestSpec {
        var spec = ForestSpec()
        spec.trees = 4
        spec.minLeafSize = 20
        return spec
    }

    private func decode(_ bytes: [UInt8]) throws -> any FittedEstimator {
        var reader = BinaryReader(bytes[...])
        return try ForestEstimator.decode(from: &reader)
    }

    @Test("a forest read back predicts the same bits, out of bag too, and writes the same bytes")
    func roundTrip() throws {
        for task in try tasks() {
            let forest = try fitForest(spec, task)
            let bytes = encoded(forest)
            let copy = try #require(try decode(bytes) as? FittedForest)
            #expect(copy == forest)
            #expect(encoded(copy) == bytes)
            #expect(try predictions(copy, table) == predictions(forest, table))
            let outOfBag = try copy.outOfBagPredictions(of: task, ExecutionContext())
            #expect(
                outOfBag.map(\.bitPattern)
                    == (try forest.outOfBagPredictions(of: task, ExecutionContext())).map(\.bitPattern))
        }
    }

    @Test("the bytes are the same on one and on two threads")
    func threads() throws {
        for task in try tasks() {
            #expect(encoded(try fitForest(spec, task)) == encoded(try fitForest(spec, task, threads: 2)))
        }
    }

    @Test("bytes cut short anywhere give an error")
    func truncation() throws {
        let bytes = encoded(try fitForest(spec, tasks()[3]))
        for length in bytes.indices {
            #expect(throws: MetaLearnersError.self) { try decode(Array(bytes.prefix(length))) }
        }
    }

    @Test("whatever a byte is changed to, reading gives an error or a forest that predicts without a trap")
    func flippedBytes() throws {
        var survivors = 0
        for task in try tasks() {
            let bytes = encoded(try fitForest(spec, task))
            let probe = table.selecting(rows: [0, 5, 77])
            for position in bytes.indices {
                for change in [0x01, 0x80, 0xFF] as [UInt8] {
                    var damaged = bytes
                    damaged[position] ^= change
                    guard let copy = try? decode(damaged) as? FittedForest else { continue }
                    survivors += 1
                    _ = try? predictions(copy, probe)
                    _ = try? copy.predictVariance(probe, rows: nil, ExecutionContext())
                    if position < 60 { _ = try? copy.outOfBagPredictions(of: task, ExecutionContext()) }
                }
            }
        }
        #expect(survivors > 0)
    }
}
