import MetaLearnersCore
import Testing

@Suite("Numbers and codes of rows in few bytes")
struct RowNumbersTests {
    @Test("Codes are what they were, in a byte each where they fit, and equal whatever they were made of")
    func codes() throws {
        for codes in [[], [0, 255, 3], [0, 256, 3], [-1, 2], [Int32.max, .min]] as [[Int32]] {
            let made = RowCodes(codes)
            #expect(Array(made) == codes && made.count == codes.count && made == RowCodes(Array(made)))
            #expect(made[(0..<Int32(codes.count)).reversed()] == codes.reversed())
        }
        let bytes = RowCodes([1, 0, 2] as [UInt8])
        #expect(bytes == [1, 0, 2] && bytes != [1, 0, 3] && bytes != [1, 0])
        for limit in [3, 1000] { #expect(RowCodes(count: 3, below: limit) { [1, 0, 2][$0] } == bytes) }
    }

    @Test("Compacting changes no bit of any number, whatever it takes to keep it")
    func exact() {
        for numbers in [
            [], [0, 1, 255], [0, 256], [-0.0, 1], [0.5, -3], [0.1, 2], [1e300, 1], [5e-324, 1],
            [16_777_217, 0],
        ] as [[Double]] {
            let compact = RowNumbers(compacting: numbers)
            #expect(compact.doubles.map(\.bitPattern) == numbers.map(\.bitPattern))
            #expect(numbers.indices.allSatisfy { compact[$0].bitPattern == numbers[$0].bitPattern })
            #expect(compact.count == numbers.count && compact == RowNumbers(numbers))
            guard numbers.count > 1 else { continue }
            var copied = [Double](repeating: 7, count: numbers.count - 1)
            copied.withUnsafeMutableBufferPointer { buffer in
                if let start = buffer.baseAddress { compact.copy(1..<numbers.count, to: start) }
            }
            #expect(copied.map(\.bitPattern) == numbers.dropFirst().map(\.bitPattern))
        }
        #expect(RowNumbers(compacting: [0, 1]) != RowNumbers([0, 2]))
        #expect(RowNumbers([2, 0, 1] as RowCodes) == RowNumbers([2, 0, 1] as [Double]))
    }

    @Test("A task lists its rows anew for whoever asks, and has a list of its own once it is a part")
    func listedRows() throws {
        let features = try Table([Column("x", (0..<6).map(Double.init))])
        let listings = Lock(0)
        let task = try TrainingTask(features: features, rows: [1, 2, 5], target: [0, 1, 2, 3, 4, 5])
            .listingRows {
                listings.withLock { $0 += 1 }
                return [1, 2, 5]
            }
        #expect(task.rowCount == 3 && listings.withLock { $0 } == 0)
        #expect(task.rows == [1, 2, 5] && task.rows == [1, 2, 5] && listings.withLock { $0 } == 2)
        let part = try task.restricted(to: [2, 5], seed: 7)
        #expect(part.rows == [2, 5] && part.rowCount == 2 && part.seed == 7 && part.target == task.target)
        #expect(listings.withLock { $0 } == 2)
    }
}
