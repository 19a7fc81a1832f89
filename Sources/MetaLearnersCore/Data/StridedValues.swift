/// Numbers in memory, one per row, a fixed number of bytes apart, of any of the usual types.
///
/// A column of a row-major matrix, a column of its own and a constant (stride 0) are all of this form, so that
/// nothing needs to be copied to be used.
public struct StridedValues: Sendable {
    /// The type of the numbers in memory.
    public enum Element: Int32, Sendable, CaseIterable {
        case float64 = 1
        case float32 = 2
        case int64 = 3
        case int32 = 4
        case int16 = 5
        case int8 = 6
        case uint8 = 7
        case uint16 = 8
        case uint32 = 9
        case uint64 = 10

        /// Bytes of one number.
        public var size: Int {
            switch self {
            case .float64, .int64, .uint64: 8
            case .float32, .int32, .uint32: 4
            case .int16, .uint16: 2
            case .int8, .uint8: 1
            }
        }

        /// Whether the numbers are floating-point numbers, of which NaN marks the missing ones.
        public var isFloatingPoint: Bool { self == .float64 || self == .float32 }
    }

    /// The type of the numbers in memory.
    public let element: Element
    /// How many rows there are.
    public let count: Int
    /// The bytes from one row to the next.
    public let stride: Int
    /// Where the first row stands within `memory`, in bytes.
    public let offset: Int
    /// What keeps the bytes alive.
    public let memory: ColumnMemory
    /// The stored numbers, where the others are 0 and not stored at all; nil for numbers in memory. Then there is no
    /// `start`, and `memory` with `offset` only tells the column from others.
    public let sparse: SparseEntries?
    /// What stands for the numbers of a column that is not in memory itself; nil for all others. Then there is no `start`, and
    /// `memory` only tells the column from others.
    package let coded: (any CodedValues)?

    /// Describes `count` numbers in `memory`.
    ///
    /// - Throws: `invalidArgument` where a row would lie outside the memory.
    public init(_ memory: ColumnMemory, element: Element, count: Int, offset: Int = 0, stride: Int)
        throws(MetaLearnersError)
    {
        guard count >= 0, offset >= 0 else {
            throw MetaLearnersError(.invalidArgument, "a column's length and offset must not be negative")
        }
        if count > 0 {
            // Nothing here may overflow, whatever the numbers are: `first` and `last` stay within the memory.
            let (span, overflow) = stride.multipliedReportingOverflow(by: count - 1)
            let room = memory.bytes.count - element.size
            let (last, tooFar) = offset.addingReportingOverflow(span)
            guard !overflow, !tooFar, offset <= room, (0...max(room, 0)).contains(last) else {
                throw MetaLearnersError(
                    .invalidArgument, "a column of \(count) rows, \(stride) bytes apart, leaves its memory")
            }
        }
        self.init(unchecked: memory, element: element, count: count, offset: offset, stride: stride)
    }

    private init(unchecked memory: ColumnMemory, element: Element, count: Int, offset: Int, stride: Int) {
        self.memory = memory
        self.element = element
        self.count = count
        self.offset = offset
        self.stride = stride
        sparse = nil
        coded = nil
    }

    /// Describes a column that exists as codes alone.
    package init(coded: any CodedValues, count: Int) {
        memory = coded.identity
        element = .float64
        self.count = count
        offset = 0
        stride = element.size
        sparse = nil
        self.coded = coded
    }

    /// Describes a sparse column, one of those that there are.
    init(_ columns: SparseColumns, column: Int) {
        memory = columns.identity
        element = .float64
        count = columns.rowCount
        offset = column
        stride = element.size
        sparse = SparseEntries(columns, column: column)
        coded = nil
    }

    /// Copies `values`.
    public init(_ values: [Double]) {
        self.init(
            unchecked: ColumnMemory(copying: values), element: .float64, count: values.count, offset: 0,
            stride: 8)
    }

    /// Copies `values`.
    public init(_ values: [Float]) {
        self.init(
            unchecked: ColumnMemory(copying: values), element: .float32, count: values.count, offset: 0,
            stride: 4)
    }

    /// Copies `values`.
    public init(_ values: [Int32]) {
        self.init(
            unchecked: ColumnMemory(copying: values), element: .int32, count: values.count, offset: 0,
            stride: 4)
    }

    /// Copies `values`.
    public init(_ values: [Int]) {
        self.init(
            unchecked: ColumnMemory(copying: values.map(Int64.init)), element: .int64, count: values.count,
            offset: 0, stride: 8)
    }

    /// The same value in each of `count` rows, stored once.
    public init(repeating value: Int32, count: Int) {
        self.init(
            unchecked: ColumnMemory(copying: [value]), element: .int32, count: count, offset: 0, stride: 0)
    }

    /// The address of the first row; nil for a column whose numbers are not in memory as such: a sparse or a coded one.
    public var start: UnsafeRawPointer? {
        isInMemory ? memory.bytes.baseAddress.map { $0 + offset } : nil
    }

    /// Whether the numbers themselves are in memory.
    package var isInMemory: Bool { sparse == nil && coded == nil }

    /// Whether the rows stand side by side.
    public var isContiguous: Bool { stride == element.size && isInMemory }

    /// The number in `row`, which must be within 0..<`count`.
    public subscript(row: Int) -> Double {
        var value = 0.0
        withUnsafeMutablePointer(to: &value) { target in
            copy(row..<row + 1, to: UnsafeMutableBufferPointer(start: target, count: 1))
        }
        return value
    }

    /// Copies the numbers of `rows`, one after another, as Double; `target` holds at least as many.
    public func copy(_ rows: Range<Int>, to target: UnsafeMutableBufferPointer<Double>) {
        if let sparse {
            for index in 0..<rows.count { target[index] = 0 }
            sparse.forEach(in: rows) { row, value in target[row - rows.lowerBound] = value }
            return
        }
        if let coded { return coded.copy(rows, to: target) }
        guard let start, let target = target.baseAddress, !rows.isEmpty else { return }
        let first = start + rows.lowerBound * stride
        switch element {
        case .float64: Self.widen(first, as: Double.self, stride, rows.count, target) { $0 }
        case .float32: Self.widen(first, as: Float.self, stride, rows.count, target) { Double($0) }
        case .int64: Self.widen(first, as: Int64.self, stride, rows.count, target) { Double($0) }
        case .int32: Self.widen(first, as: Int32.self, stride, rows.count, target) { Double($0) }
        case .int16: Self.widen(first, as: Int16.self, stride, rows.count, target) { Double($0) }
        case .int8: Self.widen(first, as: Int8.self, stride, rows.count, target) { Double($0) }
        case .uint8: Self.widen(first, as: UInt8.self, stride, rows.count, target) { Double($0) }
        case .uint16: Self.widen(first, as: UInt16.self, stride, rows.count, target) { Double($0) }
        case .uint32: Self.widen(first, as: UInt32.self, stride, rows.count, target) { Double($0) }
        case .uint64: Self.widen(first, as: UInt64.self, stride, rows.count, target) { Double($0) }
        }
    }

    /// Copies the numbers of the named rows as Double; `target` holds at least as many.
    public func gather(_ rows: UnsafeBufferPointer<Int32>, to target: UnsafeMutableBufferPointer<Double>) {
        if let sparse {
            for index in 0..<rows.count { target[index] = 0 }
            sparse.forEach(of: rows) { position, value in target[position] = value }
            return
        }
        if let coded { return coded.gather(rows, to: target) }
        guard let start, let target = target.baseAddress, !rows.isEmpty else { return }
        switch element {
        case .float64: Self.widen(start, as: Double.self, stride, rows, target) { $0 }
        case .float32: Self.widen(start, as: Float.self, stride, rows, target) { Double($0) }
        case .int64: Self.widen(start, as: Int64.self, stride, rows, target) { Double($0) }
        case .int32: Self.widen(start, as: Int32.self, stride, rows, target) { Double($0) }
        case .int16: Self.widen(start, as: Int16.self, stride, rows, target) { Double($0) }
        case .int8: Self.widen(start, as: Int8.self, stride, rows, target) { Double($0) }
        case .uint8: Self.widen(start, as: UInt8.self, stride, rows, target) { Double($0) }
        case .uint16: Self.widen(start, as: UInt16.self, stride, rows, target) { Double($0) }
        case .uint32: Self.widen(start, as: UInt32.self, stride, rows, target) { Double($0) }
        case .uint64: Self.widen(start, as: UInt64.self, stride, rows, target) { Double($0) }
        }
    }

    /// All numbers as Double.
    public func doubles() -> [Double] {
        [Double](unsafeUninitializedCapacity: count) { buffer, initialized in
            copy(0..<count, to: buffer)
            initialized = count
        }
    }

    /// All numbers as they are, where they are integers of 64 bits: a Double would not tell all of them apart.
    /// Nil for other types.
    func integers() -> [Int128]? {
        guard element == .int64 || element == .uint64, isInMemory else { return nil }
        guard let start else { return [] }
        return (0..<count).map { row in
            let place = start + row * stride
            return element == .int64
                ? Int128(place.loadUnaligned(as: Int64.self)) : Int128(place.loadUnaligned(as: UInt64.self))
        }
    }

    /// The first row whose number is `limit` or more; nil where there is none.
    func firstRow(notBelow limit: Double) -> Int? {
        withUnsafeTemporaryAllocation(of: Double.self, capacity: min(count, 4096)) { block in
            guard !block.isEmpty else { return nil }
            for start in Swift.stride(from: 0, to: count, by: block.count) {
                let rows = start..<min(start + block.count, count)
                copy(rows, to: block)
                for index in 0..<rows.count where block[index] >= limit { return start + index }
            }
            return nil
        }
    }

    /// The numbers of the named rows, which must be within 0..<`count`, as Double.
    public func doubles(_ rows: [Int32]) -> [Double] {
        [Double](unsafeUninitializedCapacity: rows.count) { buffer, initialized in
            rows.withUnsafeBufferPointer { gather($0, to: buffer) }
            initialized = rows.count
        }
    }

    /// A copy that holds the named rows only, of the same element type.
    public func selecting(_ rows: [Int32]) -> StridedValues {
        if let sparse { return StridedValues(sparse.selecting(rows), column: 0) }
        if coded != nil { return StridedValues(doubles(rows)) }
        let size = element.size
        let target = UnsafeMutableRawBufferPointer.allocate(
            byteCount: max(rows.count * size, 1), alignment: 16)
        if let start, let first = target.baseAddress {
            for (position, row) in rows.enumerated() {
                (first + position * size).copyMemory(from: start + Int(row) * stride, byteCount: size)
            }
        }
        let address = UInt(bitPattern: target.baseAddress)
        let bytes = UnsafeRawBufferPointer(start: target.baseAddress, count: rows.count * size)
        let copied = ColumnMemory(borrowing: bytes) {
            UnsafeMutableRawPointer(bitPattern: address)?.deallocate()
        }
        return StridedValues(unchecked: copied, element: element, count: rows.count, offset: 0, stride: size)
    }

    @inline(__always)
    private static func widen<Value: BitwiseCopyable>(
        _ first: UnsafeRawPointer, as _: Value.Type, _ stride: Int, _ count: Int,
        _ target: UnsafeMutablePointer<Double>, _ convert: (Value) -> Double
    ) {
        var source = first
        for index in 0..<count {
            target[index] = convert(source.loadUnaligned(as: Value.self))
            source += stride
        }
    }

    @inline(__always)
    private static func widen<Value: BitwiseCopyable>(
        _ start: UnsafeRawPointer, as _: Value.Type, _ stride: Int, _ rows: UnsafeBufferPointer<Int32>,
        _ target: UnsafeMutablePointer<Double>, _ convert: (Value) -> Double
    ) {
        for index in 0..<rows.count {
            target[index] = convert((start + Int(rows[index]) * stride).loadUnaligned(as: Value.self))
        }
    }
}
