import CTreeKernels
import MetaLearnersCore

/// Counts the rows of leaves into histograms, and shares the work among the threads.
///
/// Where there are tiles for all, each part counts every row in its own tiles: nothing has to be added up afterwards,
/// and no two cores write the same cells. Else each part counts its own rows, and what the parts found is added up
/// column by column.
final class HistogramBuilder<Cell: HistogramCell>: @unchecked Sendable {  // Parts write disjoint cells.
    private let matrix: BinnedMatrix
    private let shards: [RowShard]
    private let gradients: AlignedBuffer<Cell.Row>
    private let countShift: Int64
    /// Each shard's histogram of its own rows; none where there is one shard, or where parts share by tiles.
    private let partials: [AlignedBuffer<Cell.Sum>]
    /// Whether parts share the work by tiles.
    private let sharesTiles: Bool
    /// Words that rows are added up in before they are added to cells: for each shard, or, where parts share by tiles
    /// and each uses those of its own tiles, once; none where cells do without.
    private let blocks: [AlignedBuffer<UInt64>]
    /// The slots that each part looks after, all those of a tile together where parts share by tiles.
    let slots: [Range<Int>]

    /// Prepares for histograms of rows in `shards` by `threads` threads.
    ///
    /// - Throws: `outOfMemory`.
    init(
        _ matrix: BinnedMatrix, shards: [RowShard], gradients: AlignedBuffer<Cell.Row>, countShift: Int64,
        threads: Int
    ) throws(MetaLearnersError) {
        self.matrix = matrix
        self.shards = shards
        self.gradients = gradients
        self.countShift = countShift
        let tileCount = matrix.tiles.count
        sharesTiles = shards.count > 1 && tileCount >= threads && tileCount % threads == 0
        let slotCount = matrix.slotFeatures.count
        let parts = min(slotCount, threads)
        if sharesTiles {
            slots = (0..<parts).map { part in
                let tiles = Self.share(part, of: parts, tileCount)
                return matrix.tiles[tiles.lowerBound].slots
                    .lowerBound..<matrix.tiles[tiles.upperBound - 1].slots.upperBound
            }
        } else {
            slots = Self.evenSlots(matrix, parts: parts)
        }
        var partials: [AlignedBuffer<Cell.Sum>] = []
        if shards.count > 1, !sharesTiles {
            for _ in shards { partials.append(try AlignedBuffer(uninitialized: matrix.histogramSize)) }
        }
        self.partials = partials
        var blocks: [AlignedBuffer<UInt64>] = []
        for _ in sharesTiles ? 0..<1 : shards.indices {
            blocks.append(try AlignedBuffer(zeroed: Cell.usesBlocks ? matrix.histogramSize : 0))
        }
        self.blocks = blocks
    }

    /// Stretches of slots with about as many bins each.
    private static func evenSlots(_ matrix: BinnedMatrix, parts: Int) -> [Range<Int>] {
        var ends = [0]
        for slot in matrix.slotFeatures.indices {
            ends.append(ends[slot] + matrix.column(ofSlot: slot).binning.binCount)
        }
        let total = ends.last ?? 0
        let bounds = (0...max(parts, 1)).map { part in
            ends.firstIndex { $0 * parts >= part * total } ?? matrix.slotFeatures.count
        }
        return (0..<parts).map { bounds[$0]..<bounds[$0 + 1] }
    }

    private static func share(_ part: Int, of parts: Int, _ count: Int) -> Range<Int> {
        part * count / parts..<(part + 1) * count / parts
    }

    /// Counts the rows of a shard in `leaf`, where parts share by rows. To be done for every shard before any part
    /// does `countTiles`.
    func countRows(of leaf: Int, shard: Int, into target: UnsafeMutablePointer<Cell.Sum>) {
        guard !sharesTiles else { return }
        let cells = shards.count > 1 ? partials[shard].start : target
        for tile in matrix.tiles { count([shards[shard]], leaf, tile, cells, blocks[shard]) }
    }

    /// Counts the rows of all shards in `leaf` in the tiles of a part, where parts share by tiles. To be done before
    /// the part's slots are finished.
    func countTiles(of leaf: Int, part: Int, into target: UnsafeMutablePointer<Cell.Sum>) {
        guard sharesTiles else { return }
        for tile in Self.share(part, of: slots.count, matrix.tiles.count) {
            count(shards, leaf, matrix.tiles[tile], target, blocks[0])
        }
    }

    private func count(
        _ shards: [RowShard], _ leaf: Int, _ tile: BinnedMatrix.Tile,
        _ cells: UnsafeMutablePointer<Cell.Sum>, _ block: AlignedBuffer<UInt64>
    ) {
        for used in tile.usedCells {
            (cells + used.lowerBound).update(repeating: Cell.zero, count: used.count)
        }
        for shard in shards {
            shard.active.withLeaf(leaf) { rows in
                Cell.accumulate(
                    tile, rows, gradients.start, countShift: countShift,
                    block: block.start + (Cell.usesBlocks ? tile.firstCell : 0), into: cells + tile.firstCell)
            }
        }
        for joint in tile.joints { joint.expand(Cell.self, cells) }
    }

    /// Makes a slot's cells of `target` those of all rows counted here.
    func finish(_ slot: Int, _ target: UnsafeMutablePointer<Cell.Sum>) {
        let offset = matrix.slotOffsets[slot]
        let count = matrix.column(ofSlot: slot).binning.binCount
        let cells = target + offset
        if let first = partials.first {
            cells.update(from: first.start + offset, count: count)
            for partial in partials.dropFirst() { Cell.apply(mtlk_add, cells, partial.start + offset, count) }
        }
    }

    /// Takes a slot's cells of `child` from `parent`.
    func subtract(
        _ slot: Int, _ child: UnsafeMutablePointer<Cell.Sum>, from parent: UnsafeMutablePointer<Cell.Sum>
    ) {
        let offset = matrix.slotOffsets[slot]
        Cell.apply(
            mtlk_subtract, parent + offset, child + offset, matrix.column(ofSlot: slot).binning.binCount)
    }
}

/// The cells of a histogram as processes add them up: where they are, or side by side where many cells between the columns, which nobody
/// reads, would be sent with them. (Where cells are depends on the bins and the number of all rows, which are the same in all processes.)
final class HistogramMessage<Sum: BitwiseCopyable>: @unchecked Sendable {  // One thread at a time uses it.
    private let matrix: BinnedMatrix
    private let distribution: DistributedRows
    /// Room for the cells side by side; nil where they are sent from where they are.
    private let cells: AlignedBuffer<Sum>?

    /// - Throws: `outOfMemory`.
    init(_ matrix: BinnedMatrix, _ distribution: DistributedRows) throws(MetaLearnersError) {
        self.matrix = matrix
        self.distribution = distribution
        let count = matrix.slotFeatures.indices.reduce(0) {
            $0 + matrix.column(ofSlot: $1).binning.binCount
        }
        cells = count * 16 >= matrix.histogramSize * 15 ? nil : try AlignedBuffer(uninitialized: count)
    }

    /// Replaces the cells of `histogram` by their sums over all processes.
    func sum(_ histogram: UnsafeMutablePointer<Sum>) throws(MetaLearnersError) {
        guard let cells else { return try sum(histogram, count: matrix.histogramSize) }
        var count = 0
        eachSlot { offset, bins in
            (cells.start + count).update(from: histogram + offset, count: bins)
            count += bins
        }
        try sum(cells.start, count: count)
        count = 0
        eachSlot { offset, bins in
            (histogram + offset).update(from: cells.start + count, count: bins)
            count += bins
        }
    }

    private func sum(_ cells: UnsafeMutablePointer<Sum>, count: Int) throws(MetaLearnersError) {
        let words = count * MemoryLayout<Sum>.stride / MemoryLayout<Int64>.stride
        let start = UnsafeMutableRawPointer(cells).assumingMemoryBound(to: Int64.self)
        try distribution.sum(words: UnsafeMutableBufferPointer(start: start, count: words))
    }

    private func eachSlot(_ body: (_ offset: Int, _ bins: Int) -> Void) {
        for slot in matrix.slotFeatures.indices {
            body(matrix.slotOffsets[slot], matrix.column(ofSlot: slot).binning.binCount)
        }
    }
}

/// Histograms of one size, used again once a leaf needs its own no more.
struct HistogramPool<Sum: BitwiseCopyable> {
    /// How many cells each has.
    let size: Int
    /// Whether the cells between the columns are 0.
    private let isZeroed: Bool
    private var buffers: [AlignedBuffer<Sum>] = []
    private var free: [Int] = []

    init(size: Int, isZeroed: Bool = false) {
        self.size = size
        self.isZeroed = isZeroed
    }

    /// The cells of a histogram.
    subscript(index: Int) -> UnsafeMutablePointer<Sum> { buffers[index].start }

    /// The number of a histogram that nobody has, whatever it holds.
    ///
    /// - Throws: `outOfMemory`.
    mutating func take() throws(MetaLearnersError) -> Int {
        if let index = free.popLast() { return index }
        buffers.append(try isZeroed ? AlignedBuffer(zeroed: size) : AlignedBuffer(uninitialized: size))
        return buffers.count - 1
    }

    /// Gives a histogram back; nothing for nil.
    mutating func giveBack(_ index: Int?) {
        if let index { free.append(index) }
    }

    /// Gives all of them back.
    mutating func giveBackAll() { free = Array(buffers.indices) }
}
