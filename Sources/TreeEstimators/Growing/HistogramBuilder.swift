import MetaLearnersCore

/// Counts the rows of leaves into histograms, and shares the work among the threads.
///
/// Where there are tiles for all, each part counts every row in its own tiles: nothing has to be added up afterwards,
/// and no two cores write the same cells. Else each part counts its own rows, and what the parts found is added up
/// column by column.
final class HistogramBuilder<Cell: HistogramCell>: @unchecked Sendable {  // Parts write disjoint cells.
    /// What is known of a histogram before its gradients are: the counts of its cells; and as many words of 0.
    private struct KnownCounts {
        let counts: AlignedBuffer<Cell.Sum>
        let halves: AlignedBuffer<Int64>
    }

    private let matrix: BinnedMatrix
    private let shards: [RowShard]
    private let gradients: AlignedBuffer<Cell.Row>
    private let countShift: Int64
    /// Each shard's histogram of its own rows; none where there is one shard, or where parts share by tiles.
    private let partials: [AlignedBuffer<Cell.Sum>]
    /// Whether parts share the work by tiles.
    private let sharesTiles: Bool
    /// Of each histogram that the root is counted in; nothing where its rows change or are so few that it does not pay.
    private let known: [KnownCounts]
    private var rootIsCounted = false
    /// The slots that each part looks after, all those of a tile together where parts share by tiles.
    let slots: [Range<Int>]

    /// Prepares for histograms of rows in `shards` by `threads` threads.
    ///
    /// - Parameter repeatsRoot: whether every tree's root holds the same rows, with gradients of few bits.
    /// - Throws: `outOfMemory`.
    init(
        _ matrix: BinnedMatrix, shards: [RowShard], gradients: AlignedBuffer<Cell.Row>, countShift: Int64,
        threads: Int, repeatsRoot: Bool
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
        var known: [KnownCounts] = []
        if repeatsRoot, Cell.countedAccumulation != nil {
            for _ in sharesTiles ? shards.prefix(1) : shards[...] {
                known.append(
                    KnownCounts(
                        counts: try AlignedBuffer(uninitialized: matrix.histogramSize),
                        halves: try AlignedBuffer(zeroed: matrix.histogramSize)))
            }
        }
        self.known = known
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
    func countRows(
        of leaf: Int, shard: Int, isRoot: Bool = false, into target: UnsafeMutablePointer<Cell.Sum>
    ) {
        guard !sharesTiles else { return }
        let cells = shards.count > 1 ? partials[shard].base : target
        for tile in matrix.tiles { count([shards[shard]], leaf, tile, cells, rootIn: isRoot ? shard : nil) }
    }

    /// Counts the rows of all shards in `leaf` in the tiles of a part, where parts share by tiles. To be done before
    /// the part's slots are finished.
    func countTiles(
        of leaf: Int, part: Int, isRoot: Bool = false, into target: UnsafeMutablePointer<Cell.Sum>
    ) {
        guard sharesTiles else { return }
        for tile in Self.share(part, of: slots.count, matrix.tiles.count) {
            count(shards, leaf, matrix.tiles[tile], target, rootIn: isRoot ? 0 : nil)
        }
    }

    /// From now on the root's counts are known.
    func finishRoot() { rootIsCounted = !known.isEmpty }

    /// Counts rows in a tile.
    ///
    /// - Parameter root: the histogram of the root that this is of, if it is one.
    private func count(
        _ shards: [RowShard], _ leaf: Int, _ tile: BinnedMatrix.Tile,
        _ cells: UnsafeMutablePointer<Cell.Sum>, rootIn root: Int?
    ) {
        var known: KnownCounts?
        if let root, root < self.known.count { known = self.known[root] }
        let counted = rootIsCounted ? Cell.countedAccumulation : nil
        for used in tile.usedCells {
            if counted != nil, let known {
                (cells + used.lowerBound).update(
                    from: known.counts.base + used.lowerBound, count: used.count)
            } else {
                (cells + used.lowerBound).update(repeating: Cell.zero, count: used.count)
            }
        }
        for shard in shards {
            let rows = shard.active.leaf(leaf)
            if let counted, let known {
                counted(
                    tile, rows, gradients.base, known.halves.base + tile.firstCell, cells + tile.firstCell)
            } else {
                Cell.accumulate(
                    tile, rows, gradients.base, countShift: countShift, into: cells + tile.firstCell)
            }
        }
        if let known, counted == nil {
            for used in tile.usedCells {
                for cell in used {
                    known.counts.base[cell] = Cell.countOnly(cells[cell], countShift: countShift)
                }
            }
        }
        for joint in tile.joints { joint.expand(Cell.self, cells) }
    }

    /// Makes a slot's cells of `target` those of all rows counted, and takes them from `parent`.
    func finish(
        _ slot: Int, _ target: UnsafeMutablePointer<Cell.Sum>,
        subtractFrom parent: UnsafeMutablePointer<Cell.Sum>?
    ) {
        let offset = matrix.slotOffsets[slot]
        let count = matrix.column(ofSlot: slot).binning.binCount
        let cells = target + offset
        if partials.count == 2, let parent {
            let (first, second) = (partials[0].base + offset, partials[1].base + offset)
            let rest = parent + offset
            for bin in 0..<count {
                let sum = Cell.add(first[bin], second[bin])
                cells[bin] = sum
                rest[bin] = Cell.subtract(rest[bin], sum)
            }
            return
        }
        if let first = partials.first {
            cells.update(from: first.base + offset, count: count)
            for partial in partials.dropFirst() {
                let source = partial.base + offset
                for bin in 0..<count { cells[bin] = Cell.add(cells[bin], source[bin]) }
            }
        }
        guard let rest = parent.map({ $0 + offset }) else { return }
        for bin in 0..<count { rest[bin] = Cell.subtract(rest[bin], cells[bin]) }
    }
}
