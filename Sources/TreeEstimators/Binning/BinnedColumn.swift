import MetaLearnersCore

/// The bins of a column of a dataset, made once and shared by every fit that uses the column.
final class BinnedColumn: Sendable {
    /// What identifies a column's values: the same memory read in the same way.
    struct Key: Hashable, Sendable {
        let memory: ObjectIdentifier
        let element: StridedValues.Element
        let offset: Int
        let stride: Int
        let count: Int
        /// How many levels a category has, nil for numbers.
        let levels: Int?
        /// Bins at most.
        let maxBins: Int

        init(_ column: Column, _ limits: BinLimits) {
            let values = column.values
            memory = ObjectIdentifier(values.memory)
            element = values.element
            offset = values.offset
            stride = values.stride
            count = values.count
            levels = column.levels?.count
            maxBins = column.levels.map { min($0.count, limits.categories) } ?? limits.numbers
        }
    }

    /// What the bins are of.
    let key: Key
    /// How values became bins.
    let binning: ColumnBinning
    /// The bin of each row; nothing where `wideBins` has them.
    let bins: AlignedBuffer<UInt8>
    /// The bin of each row where bins need 16 bits.
    let wideBins: AlignedBuffer<UInt16>?
    /// How many bins some row is in.
    let occupiedBins: Int
    /// Whether some row is in bin 0.
    let hasMissing: Bool
    /// Keeps the values' memory, so that its identity is not given to another.
    private let memory: ColumnMemory

    init(
        _ key: Key, _ binning: ColumnBinning, _ bins: AlignedBuffer<UInt8>,
        wideBins: AlignedBuffer<UInt16>?, occupied: [Bool], memory: ColumnMemory
    ) {
        self.key = key
        self.binning = binning
        self.bins = bins
        self.wideBins = wideBins
        occupiedBins = occupied.count(where: \.self)
        hasMissing = occupied.first ?? false
        self.memory = memory
    }

    /// Whether every row is in the same bin, so that there is nothing to split.
    var isConstant: Bool { occupiedBins < 2 }
}
