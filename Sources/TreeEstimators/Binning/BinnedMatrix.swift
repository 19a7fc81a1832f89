import MetaLearnersCore

/// The features of a fit as bins: by columns, for partitions and predictions, and by rows in tiles of some columns,
/// for histograms.
final class BinnedMatrix: Sendable {
    /// Some columns side by side: row r of the tile is `width` bytes from `r · width` on.
    struct Tile: Sendable {
        let bins: AlignedBuffer<UInt8>
        let width: Int
        /// The slot of the tile's first column within a histogram.
        let firstSlot: Int
    }

    /// The columns, in the order of the features.
    let columns: [BinnedColumn]
    /// How many rows there are.
    let rowCount: Int
    /// The feature of each slot of a histogram; constant columns have none.
    let slotFeatures: [Int]
    /// The columns of the slots, side by side.
    let tiles: [Tile]

    /// The widest tile: its histogram fits into the cache of a core.
    static let maximumTileWidth = 25

    /// Puts columns side by side.
    ///
    /// - Throws: `outOfMemory`, `cancelled`, `unsupported` for more than 65,535 columns.
    init(_ columns: [BinnedColumn], rowCount: Int, _ context: ExecutionContext) throws(MetaLearnersError) {
        guard columns.count <= Int(UInt16.max) else {
            throw MetaLearnersError(
                .unsupported, at: "features", "there are \(columns.count) columns; trees take at most 65535",
                remedy: "choose columns, or use another backend")
        }
        self.columns = columns
        self.rowCount = rowCount
        // Columns of many and of few bins are dealt out evenly, so that no tile needs more cache than another.
        let varied = columns.indices.filter { !columns[$0].isConstant }
            .sorted { (columns[$0].occupiedBins, $1) > (columns[$1].occupiedBins, $0) }
        let tileCount = (varied.count + Self.maximumTileWidth - 1) / Self.maximumTileWidth
        let features = (0..<tileCount).map { tile in
            varied.indices.filter { $0 % tileCount == tile }.map { varied[$0] }.sorted()
        }
        slotFeatures = features.flatMap(\.self)
        var tiles: [Tile] = []
        for width in features.map(\.count) {
            let first = tiles.last.map { $0.firstSlot + $0.width } ?? 0
            tiles.append(
                Tile(
                    bins: try AlignedBuffer(uninitialized: rowCount * width + 64), width: width,
                    firstSlot: first))
        }
        self.tiles = tiles
        try context.checkCancellation()
        fillTiles(context)
    }

    /// The column of a slot.
    func column(ofSlot slot: Int) -> BinnedColumn { columns[slotFeatures[slot]] }

    private func fillTiles(_ context: ExecutionContext) {
        let chunkRows = 16_384
        let rowCount = rowCount
        let sources = slotFeatures.map { columns[$0].bins }
        let tiles = tiles
        context.concurrently((rowCount + chunkRows - 1) / chunkRows) { chunk in
            var first = chunk * chunkRows
            let end = min(rowCount, first + chunkRows)
            while first < end {
                let count = min(64, end - first)
                for tile in tiles {
                    for position in 0..<tile.width {
                        let source = sources[tile.firstSlot + position].base + first
                        let target = tile.bins.base + first * tile.width + position
                        for row in 0..<count { target[row * tile.width] = source[row] }
                    }
                }
                first += count
            }
        }
    }
}
