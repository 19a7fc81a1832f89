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
        let maxBins: Int

        init(_ column: Column, maxBins: Int) {
            let values = column.values
            memory = ObjectIdentifier(values.memory)
            element = values.element
            offset = values.offset
            stride = values.stride
            count = values.count
            levels = column.levels?.count
            self.maxBins = maxBins
        }
    }

    /// What the bins are of.
    let key: Key
    /// How values became bins.
    let binning: ColumnBinning
    /// The bin of each row.
    let bins: AlignedBuffer<UInt8>
    /// How many bins some row is in.
    let occupiedBins: Int
    /// Keeps the values' memory, so that its identity is not given to another.
    private let memory: ColumnMemory

    init(
        _ key: Key, _ binning: ColumnBinning, _ bins: AlignedBuffer<UInt8>, occupiedBins: Int,
        memory: ColumnMemory
    ) {
        self.key = key
        self.binning = binning
        self.bins = bins
        self.occupiedBins = occupiedBins
        self.memory = memory
    }

    /// Whether every row is in the same bin, so that there is nothing to split.
    var isConstant: Bool { occupiedBins < 2 }
}
