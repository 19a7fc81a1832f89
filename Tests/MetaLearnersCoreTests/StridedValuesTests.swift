import MetaLearnersCore
import Synchronization
import Testing

@Suite("Strided values")
struct StridedValuesTests {
    private static func values<Value: BitwiseCopyable>(
        _ numbers: [Value], _ element: StridedValues.Element, count: Int, offset: Int = 0, stride: Int
    ) throws(MetaLearnersError) -> StridedValues {
        try StridedValues(
            ColumnMemory(copying: numbers), element: element, count: count, offset: offset, stride: stride)
    }

    @Test("Every type of number reads as Double")
    func elements() throws {
        let expected = [-3.0, 0, 100]
        let columns = [
            try Self.values([-3, 0, 100] as [Double], .float64, count: 3, stride: 8),
            try Self.values([-3, 0, 100] as [Float], .float32, count: 3, stride: 4),
            try Self.values([-3, 0, 100] as [Int64], .int64, count: 3, stride: 8),
            try Self.values([-3, 0, 100] as [Int32], .int32, count: 3, stride: 4),
            try Self.values([-3, 0, 100] as [Int16], .int16, count: 3, stride: 2),
            try Self.values([-3, 0, 100] as [Int8], .int8, count: 3, stride: 1),
        ]
        for column in columns {
            #expect(column.doubles() == expected)
            #expect(column.doubles([2, 0, 2]) == [100, -3, 100])
            #expect(column[1] == 0)
            #expect(column.isContiguous)
            let selected = column.selecting([2, 1])
            #expect(selected.element == column.element)
            #expect(selected.doubles() == [100, 0])
        }
        #expect(try Self.values([0, 255] as [UInt8], .uint8, count: 2, stride: 1).doubles() == [0, 255])
        #expect(StridedValues([Float(0.1)]).doubles() == [Double(Float(0.1))])
    }

    @Test("A column of a row-major matrix, a reversed and a repeated column need no copy")
    func strides() throws {
        let matrix: [Float] = [1, 2, 3, 4, 5, 6]
        #expect(try Self.values(matrix, .float32, count: 3, offset: 4, stride: 8).doubles() == [2, 4, 6])
        #expect(
            try Self.values(matrix, .float32, count: 6, offset: 20, stride: -4).doubles() == [
                6, 5, 4, 3, 2, 1,
            ])
        #expect(
            try Self.values(matrix, .float32, count: 3, offset: 20, stride: -8).doubles([2, 0]) == [2, 6])
        #expect(try Self.values(matrix, .float32, count: 4, offset: 8, stride: 0).doubles() == [3, 3, 3, 3])
        #expect(StridedValues(repeating: 7, count: 1000).doubles([0, 999]) == [7, 7])
        let shuffled = try Self.values(matrix, .float32, count: 3, offset: 20, stride: -8).selecting([
            1, 1, 0,
        ])
        #expect(shuffled.doubles() == [4, 4, 6])
    }

    @Test("Numbers need not be aligned")
    func unaligned() throws {
        var bytes = [UInt8](repeating: 0, count: 17)
        withUnsafeBytes(of: 1.5) { bytes.replaceSubrange(1..<9, with: $0) }
        withUnsafeBytes(of: -2.5) { bytes.replaceSubrange(9..<17, with: $0) }
        #expect(try Self.values(bytes, .float64, count: 2, offset: 1, stride: 8).doubles() == [1.5, -2.5])
    }

    @Test("Gathering float32 and float64 gives the same numbers for the same rows")
    func gather() {
        let numbers = (0..<500).map { Float($0) / 8 }
        let rows = (0..<500).filter { $0 % 3 == 1 }.map { Int32($0) }
        #expect(StridedValues(numbers).doubles(rows) == StridedValues(numbers.map(Double.init)).doubles(rows))
        #expect(StridedValues(numbers).doubles([]) == [])
    }

    @Test(
        "Descriptions that leave the memory are refused, whatever the numbers",
        arguments: [
            (4, 0, 8), (3, 1, 8), (3, 0, 9), (2, 0, -8), (3, 8, -8), (1, 17, 8), (1, .max, 8), (2, .max, -8),
            (1, 24, 0), (2, 0, .max), (2, 0, .min), (2, 16, .min), (2, .max, .min), (2, .max, .max),
            (.max, 0, 8),
            (.max, 0, .max), (.max, .max, .min), (-1, 0, 8), (1, -1, 8), (.min, 0, 8), (3, 0, .min / 2),
            (3, 16, .min / 2),
        ] as [(Int, Int, Int)])
    func outOfMemory(count: Int, offset: Int, stride: Int) {
        let error = #expect(throws: MetaLearnersError.self) {
            try Self.values([1, 2, 3] as [Double], .float64, count: count, offset: offset, stride: stride)
        }
        #expect(error?.kind == .invalidArgument)
    }

    @Test("Memory too small for one number is refused, no rows need none")
    func smallMemory() throws {
        for offset in [0, 1, Int.max] {
            #expect(throws: MetaLearnersError.self) {
                try Self.values([UInt8](), .float64, count: 1, offset: offset, stride: 8)
            }
        }
        #expect(try Self.values([UInt8](), .float64, count: 0, offset: 5, stride: .min).doubles() == [])
    }

    @Test("Borrowed memory is released once, and not before the last column is gone")
    func release() throws {
        let released = Released()
        let storage = UnsafeMutableBufferPointer<Double>.allocate(capacity: 2)
        defer { storage.deallocate() }
        _ = storage.initialize(from: [4, 5])
        do {
            var column: StridedValues?
            do {
                let memory = ColumnMemory(borrowing: UnsafeRawBufferPointer(storage)) { released.count() }
                column = try StridedValues(memory, element: .float64, count: 2, stride: 8)
            }
            #expect(released.times == 0)
            #expect(column?.doubles() == [4, 5])
            column = nil
        }
        #expect(released.times == 1)
    }

    private final class Released: Sendable {
        private let value = Mutex(0)
        var times: Int { value.withLock { $0 } }
        func count() { value.withLock { $0 += 1 } }
    }
}
