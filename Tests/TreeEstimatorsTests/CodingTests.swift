import MetaLearnersCore
import Testing
import TreeEstimators

@Suite struct CodingTests {
    private let table: Table
    private let target: [Double]

    init() throws {
        var numbers = TestNumbers(4)
        let codes = numbers.integers(600, below: 12).map { Int32($0) }
        var gappy = numbers.uniform(600)
        gappy[5] = .nan
        table = try Table([
            Column("a", numbers.uniform(600)), Column("b", gappy),
            Column("c", codes: StridedValues(codes), levels: (0..<12).map { "\($0)" }),
        ])
        let noise = numbers.uniform(600)
        target = (0..<600).map { row in Double(codes[row] % 3) + noise[row] }
    }

    private func models() throws -> [any FittedEstimator] {
        var spec = TreesSpec()
        spec.trees = 5
        let labels = target.map { $0.rounded(.down) }
        return [
            try fitTrees(spec, table, target),
            try fitTrees(spec, table, labels.map { min($0, 1) }, objective: .classification(classes: 2)),
            try fitTrees(spec, table, labels, objective: .classification(classes: 4)),
        ]
    }

    private func decode(_ bytes: [UInt8]) throws -> any FittedEstimator {
        var reader = BinaryReader(bytes[...])
        return try TreesEstimator.decode(from: &reader)
    }

    @Test("a model read back predicts the same bits and writes the same bytes")
    func roundTrip() throws {
        for model in try models() {
            let bytes = encoded(model)
            let copy = try decode(bytes)
            #expect(try predictions(copy, table) == predictions(model, table))
            #expect(encoded(copy) == bytes)
            #expect(copy.outputCount == model.outputCount)
            #expect(copy.warnings == model.warnings)
        }
    }

    @Test("bytes cut short anywhere give an error")
    func truncation() throws {
        let bytes = encoded(try models()[0])
        for length in bytes.indices {
            #expect(throws: MetaLearnersError.self) { try decode(Array(bytes.prefix(length))) }
        }
    }

    @Test("whatever a byte is changed to, reading gives an error or a model that predicts without a trap")
    func flippedBytes() throws {
        var survivors = 0
        for model in try models() {
            let bytes = encoded(model)
            let probe = table.selecting(rows: [0, 5, 77])
            for position in bytes.indices {
                for change in [0x01, 0x80, 0xFF] as [UInt8] {
                    var damaged = bytes
                    damaged[position] ^= change
                    guard let copy = try? decode(damaged) else { continue }
                    survivors += 1
                    _ = try? predictions(copy, probe)
                }
            }
        }
        #expect(survivors > 0)
    }

    @Test("a model is small: about 10 bytes per split")
    func size() throws {
        var numbers = TestNumbers(9)
        let features = try numericTable((0..<6).map { _ in numbers.uniform(3000) })
        let goal = numbers.uniform(3000)
        var spec = TreesSpec()
        spec.trees = 40
        spec.maxLeaves = 31
        let bytes = encoded(try fitTrees(spec, features, goal)).count
        #expect(bytes < 40 * 31 * 10 + 6 * 255 * 8)
    }
}
