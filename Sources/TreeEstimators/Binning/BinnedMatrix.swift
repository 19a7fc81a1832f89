import CTreeKernels
import MetaLearnersCore

/// The features of a fit as bins: by columns, for partitions and predictions, and by rows in tiles of some columns,
/// for histograms.
final class BinnedMatrix: Sendable {
    /// Some columns side by side: a row is a byte for each of some columns, then words of 16 bits.
    struct Tile: Sendable {
        let bins: TileBins
        /// Columns of a byte.
        let byteWidth: Int
        /// Words: columns of more than 256 bins, and joints of columns of few.
        let wordWidth: Int
        /// The first cell of the tile within a histogram: those of the bytes, then those that words are places of.
        let firstCell: Int
        /// How many cells these are, those of joints' columns not among them.
        let cellCount: Int
        /// The slots of its columns.
        let slots: Range<Int>
        /// Columns of few bins that share a word.
        let joints: [JointColumns]
        /// The cells of a histogram that its rows are counted in, or that are sums of those, stretch by stretch.
        let usedCells: [Range<Int>]

        /// Bytes of a row.
        var rowSize: Int { byteWidth + 2 * wordWidth }
    }

    /// The columns, in the order of the features.
    let columns: [BinnedColumn]
    /// How many rows there are.
    let rowCount: Int
    /// The feature of each slot of a histogram; constant columns have none.
    let slotFeatures: [Int]
    /// The first cell of each slot.
    let slotOffsets: [Int]
    /// Cells of a histogram.
    let histogramSize: Int
    /// The columns of the slots, side by side.
    let tiles: [Tile]

    /// Checks a number of columns: those of over 255 bins take two slots each, all others one.
    ///
    /// - Throws: `unsupported` for more than there may be.
    static func require(slots: Int, columns: Int) throws(MetaLearnersError) {
        guard slots <= Int(UInt16.max) else {
            throw MetaLearnersError(
                .unsupported, at: "features",
                "there are \(columns) columns; trees take at most 65535, or half as many of over 255 bins",
                remedy: "choose columns, or use another backend")
        }
    }

    /// Puts columns side by side.
    ///
    /// - Parameters:
    ///   - totalRows: how many rows there are, those of other processes among them: all lay histograms out alike.
    ///   - sharesBins: whether every column is a tile by itself, so that its bins need not be there twice: half the memory, and
    ///     more time for histograms of few rows.
    /// - Throws: `outOfMemory`, `cancelled`, `unsupported` for more than 65,535 columns.
    init(
        _ columns: [BinnedColumn], rowCount: Int, totalRows: Int, sharesBins: Bool = false,
        _ context: ExecutionContext
    ) throws(MetaLearnersError) {
        try Self.require(
            slots: columns.reduce(0) { $0 + ($1.wideBins == nil ? 1 : 2) }, columns: columns.count)
        self.columns = columns
        self.rowCount = rowCount
        var plan = TilePlan(columns, rowCount: totalRows)
        if sharesBins { plan = plan.columnByColumn(columns) }
        slotFeatures = plan.slots.map(\.feature)
        slotOffsets = plan.slots.map(\.offset)
        histogramSize = plan.histogramSize
        var tiles: [Tile] = []
        for tile in plan.tiles {
            let size = tile.bytes.count + 2 * tile.words.count
            let bins =
                sharesBins
                ? columns[plan.slots[tile.slots.lowerBound].feature].tileBins
                : TileBins(try AlignedBuffer<UInt8>(uninitialized: rowCount * size + 64))
            tiles.append(
                Tile(
                    bins: bins,
                    byteWidth: tile.bytes.count, wordWidth: tile.words.count, firstCell: tile.firstCell,
                    cellCount: tile.cellCount, slots: tile.slots, joints: tile.joints,
                    usedCells: tile.usedCells))
        }
        self.tiles = tiles
        try context.checkCancellation()
        if !sharesBins { fill(plan, context) }
    }

    /// The column of a slot.
    func column(ofSlot slot: Int) -> BinnedColumn { columns[slotFeatures[slot]] }

    private func fill(_ plan: TilePlan, _ context: ExecutionContext) {
        let chunkRows = 16_384
        let rowCount = rowCount
        let columns = columns
        let tiles = tiles
        context.concurrently((rowCount + chunkRows - 1) / chunkRows) { chunk in
            let end = min(rowCount, (chunk + 1) * chunkRows)
            withUnsafeTemporaryAllocation(of: UInt16.self, capacity: 64) { codes in
                guard let codes = codes.baseAddress else { return }
                for first in stride(from: chunk * chunkRows, to: end, by: 64) {
                    let rows = first..<min(end, first + 64)
                    for (tile, planned) in zip(tiles, plan.tiles) {
                        let size = tile.rowSize
                        let target = tile.bins.start + first * size
                        for (position, feature) in planned.bytes.enumerated() {
                            let source = columns[feature].bins.start + first
                            for row in 0..<rows.count { target[row * size + position] = source[row] }
                        }
                        for (position, word) in planned.words.enumerated() {
                            word.fill(codes, rows, columns)
                            let place = target + tile.byteWidth + 2 * position
                            for row in 0..<rows.count {
                                UnsafeMutableRawPointer(place + row * size)
                                    .storeBytes(of: codes[row], as: UInt16.self)
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The rows of a tile.
struct TileBins: @unchecked Sendable {  // Written once, before anybody else has it.
    let start: UnsafeMutablePointer<UInt8>
    private let owner: AnyObject

    init(_ bytes: AlignedBuffer<UInt8>) {
        start = bytes.start
        owner = bytes
    }

    /// Words, each of two bytes.
    init(_ words: AlignedBuffer<UInt16>) {
        start = UnsafeMutableRawPointer(words.start).assumingMemoryBound(to: UInt8.self)
        owner = words
    }
}

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
        /// The name of a column of which other processes have rows, too: columns that share memory here, or that have no rows here,
        /// may differ there.
        let name: String?

        /// A column that has no numbers, only an identity.
        init(identity: ColumnMemory, count: Int, levels: Int?, _ limits: BinLimits) {
            memory = ObjectIdentifier(identity)
            element = .float64
            offset = 0
            stride = StridedValues.Element.float64.size
            self.count = count
            self.levels = levels
            maxBins = levels.map { min($0, limits.categories) } ?? limits.numbers
            name = nil
        }

        /// - Parameter isPart: whether other processes hold rows of the column.
        init(_ column: Column, _ limits: BinLimits, isPart: Bool = false) {
            let values = column.values
            memory = ObjectIdentifier(values.memory)
            element = values.element
            offset = values.offset
            stride = values.stride
            count = values.count
            name = isPart ? column.name : nil
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

    /// The bins as a tile of this column alone.
    var tileBins: TileBins { wideBins.map { TileBins($0) } ?? TileBins(bins) }

    /// Whether every row is in the same bin, so that there is nothing to split.
    var isConstant: Bool { occupiedBins < 2 }
}
