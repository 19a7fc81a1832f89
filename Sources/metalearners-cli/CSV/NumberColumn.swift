import MetaLearnersCore

/// The numbers of a column while its file is being read: full blocks, packed, and the rows after them.
struct NumberColumn {
    private var blocks: [NumberBlock] = []
    private var pending: [Double] = []
    private var packedCount = 0
    /// Whether numbers are counted alone.
    private let onlyCounts: Bool

    /// Creates an empty column.
    ///
    /// - Parameter onlyCounts: whether numbers are counted and not kept: the column has no rows then.
    init(onlyCounts: Bool = false) { self.onlyCounts = onlyCounts }

    /// Rows of a block at most.
    static let blockSize = 1 << 16

    /// How many rows there are.
    var count: Int { packedCount + pending.count }

    /// Appends a number; NaN is missing.
    ///
    /// Blocks grow with the column, so that a wide table of few rows stays small.
    mutating func append(_ number: Double) {
        guard !onlyCounts else {
            packedCount += 1
            return
        }
        pending.append(number)
        if pending.count >= Self.blockSize || (pending.count >= 256 && pending.count >= packedCount) {
            pack()
        }
    }

    private mutating func pack() {
        blocks.append(NumberBlock(pending))
        packedCount += pending.count
        pending.removeAll(keepingCapacity: true)
    }

    /// Calls `body` with each number, in order.
    func forEach(_ body: (Double) -> Void) {
        for block in blocks { block.forEach(body) }
        for number in pending { body(number) }
    }

    /// All rows in memory of one type, the narrowest that holds them; the column is empty afterwards.
    ///
    /// - Throws: `outOfMemory`.
    mutating func take() throws(MetaLearnersError) -> StridedValues {
        if !pending.isEmpty { pack() }
        let taken = blocks
        let rows = onlyCounts ? 0 : packedCount
        self = NumberColumn(onlyCounts: onlyCounts)
        let element = taken.dropFirst().reduce(taken.first?.element ?? .float64) {
            NumberBlock.common($0, $1.element)
        }
        let memory =
            switch element {
            case .int8: try Self.memory(taken, rows) { Int8($0) }
            case .int16: try Self.memory(taken, rows) { Int16($0) }
            case .int32: try Self.memory(taken, rows) { Int32($0) }
            case .float32: try Self.memory(taken, rows) { Float($0) }
            default: try Self.memory(taken, rows) { $0 }
            }
        return try StridedValues(memory, element: element, count: rows, stride: element.size)
    }

    private static func memory<Value: BitwiseCopyable>(
        _ blocks: [NumberBlock], _ rows: Int, _ convert: (Double) -> Value
    ) throws(MetaLearnersError) -> ColumnMemory {
        try ColumnMemory(count: rows, of: Value.self) { target in
            var position = 0
            for block in blocks {
                block.forEach {
                    target[position] = convert($0)
                    position += 1
                }
            }
        }
    }
}
