import CTreeKernels
import MetaLearnersCore

/// Grows trees whose leaves have several values, on histograms with a cell of several sums a bin.
///
/// It works as `TreeGrower` does: a split needs the histogram of its smaller child only, each part of the work keeps a
/// histogram of its own rows, and all sums are of integers.
final class VectorTreeGrower: @unchecked Sendable {  // Phases write disjoint parts.
    private struct Leaf: GrowingLeaf {
        var totals: [Int64]
        let count: Int64
        var depth: Int
        var histogram: Int?
        var best: VectorCandidate?
        /// What tells the leaf from all others of the tree, those that were split included.
        var node = 1

        var gain: Double? { best?.split.gain }
    }

    private let matrix: BinnedMatrix
    private let rules: GrowthRules
    private let layout: VectorLayout
    private let team: WorkTeam
    let shards: [RowShard]
    /// The lanes of each row, by its number in the dataset.
    private let numbers: AlignedBuffer<Int32>
    /// Columns whose bins lie side by side.
    private struct Group {
        let bins: UnsafeRawPointer
        let rowSize: Int
        var width = 1
        var isWide = false
        let firstSlot: Int
    }

    private let groups: [Group]
    /// Where the histogram of each slot starts, in cells.
    private let offsets: [Int]
    private let cellCount: Int
    private var histograms: HistogramPool<Int64>
    private var partials: [AlignedBuffer<Int64>] = []
    private var leaves: [Leaf] = []
    /// One search a part of the work; made anew for each tree, as units change.
    private var searches: [VectorSplitSearch] = []

    /// Creates a grower.
    ///
    /// - Throws: `outOfMemory`.
    init(
        _ matrix: BinnedMatrix, _ rules: GrowthRules, _ layout: VectorLayout, shards: [RowShard],
        numbers: AlignedBuffer<Int32>, _ team: WorkTeam
    ) throws(MetaLearnersError) {
        self.matrix = matrix
        self.rules = rules
        self.layout = layout
        self.shards = shards
        self.numbers = numbers
        self.team = team
        var offsets: [Int] = []
        var count = 0
        for slot in matrix.slotFeatures.indices {
            offsets.append(count)
            count += matrix.column(ofSlot: slot).binning.binCount
        }
        self.offsets = offsets
        cellCount = count
        histograms = HistogramPool(size: count * layout.lanes)
        groups = Self.groups(matrix)
        if shards.count > 1 {
            for _ in shards { partials.append(try AlignedBuffer(uninitialized: count * layout.lanes)) }
        }
    }

    /// The columns of a byte of each tile together; those of a tile's words one by one, as words may be of several.
    private static func groups(_ matrix: BinnedMatrix) -> [Group] {
        var groups: [Group] = []
        var slot = 0
        while slot < matrix.slotFeatures.count {
            let offset = matrix.slotOffsets[slot]
            if let tile = matrix.tiles.first(where: { $0.firstCell == offset && $0.byteWidth > 0 }) {
                groups.append(
                    Group(
                        bins: UnsafeRawPointer(tile.bins.start), rowSize: tile.rowSize, width: tile.byteWidth,
                        firstSlot: slot))
                slot += tile.byteWidth
                continue
            }
            let column = matrix.column(ofSlot: slot)
            if let bins = column.wideBins {
                groups.append(
                    Group(
                        bins: UnsafeRawPointer(bins.start), rowSize: 2, isWide: true, firstSlot: slot))
            } else {
                groups.append(
                    Group(bins: UnsafeRawPointer(column.bins.start), rowSize: 1, firstSlot: slot))
            }
            slot += 1
        }
        return groups
    }

    /// Grows a tree from the rows in leaf 0 of the shards' lists; afterwards these hold its leaves.
    ///
    /// - Parameter columns: which columns it may split by.
    /// - Returns: the tree, whose leaves' Hessians are the sums over the outputs, and the best values of each leaf.
    /// - Throws: `outOfMemory`.
    func grow(_ units: VectorUnits, _ columns: ColumnChoice) throws(MetaLearnersError) -> (
        tree: GrownTree, values: [[Double]]
    ) {
        searches = []
        for _ in 0..<max(1, min(matrix.slotFeatures.count, team.threads)) {
            searches.append(try VectorSplitSearch(layout, units, rules))
        }
        leaves = [leaf(countRows(), depth: 0)]
        histograms.giveBackAll()
        var tree = GrownTree(leaves: [])
        if isWorthSearching(0) {
            let histogram = try histograms.take()
            leaves[0].histogram = histogram
            buildHistogram(of: 0)
            merge(into: histograms[histogram], matrix.slotFeatures.indices)
            leaves[0].totals = sums(ofSlot: 0, histograms[histogram])
            search([0], subtractFrom: nil, columns)
        }
        while leaves.count < rules.maxLeaves, let index = rules.nextLeaf(leaves),
            let candidate = leaves[index].best
        {
            try split(index, by: candidate, columns)
            tree.splits.append(GrownTree.Split(leaf: index, candidate: candidate.split))
        }
        tree.leaves = leaves.map { leaf in
            let trace = (0..<layout.outputs).reduce(0.0) {
                $0 + Double(leaf.totals[layout.diagonalLane($1)])
            }
            return GradientTotals(
                hessian: Int64(trace / Double(layout.outputs)), count: leaf.totals[layout.countLane])
        }
        return (tree, leaves.map { searches[0].values($0.totals) })
    }

    /// Sums of which only the count is known yet.
    private func countRows() -> [Int64] {
        var totals = [Int64](repeating: 0, count: layout.lanes)
        totals[layout.countLane] = Int64(shards.reduce(0) { $0 + $1.active.count(of: 0) })
        return totals
    }

    /// The sums over all bins of a column.
    private func sums(ofSlot slot: Int, _ cells: UnsafePointer<Int64>) -> [Int64] {
        var totals = [Int64](repeating: 0, count: layout.lanes)
        let first = cells + offsets[slot] * layout.lanes
        for bin in 0..<matrix.column(ofSlot: slot).binning.binCount {
            for lane in totals.indices { totals[lane] &+= first[bin * layout.lanes + lane] }
        }
        return totals
    }

    private func isWorthSearching(_ leaf: Int) -> Bool {
        rules.maySplit(leaves[leaf], leafCount: leaves.count) && cellCount > 0
    }

    private func leaf(_ totals: [Int64], depth: Int, node: Int = 1) -> Leaf {
        Leaf(totals: totals, count: totals[layout.countLane], depth: depth, node: node)
    }

    private func split(_ parent: Int, by candidate: VectorCandidate, _ columns: ColumnChoice)
        throws(MetaLearnersError)
    {
        let column = matrix.columns[candidate.split.feature]
        let new = leaves.count
        let inherited = leaves[parent].histogram
        let depth = leaves[parent].depth + 1
        let right = zip(leaves[parent].totals, candidate.left).map { $0 &- $1 }
        let smallIsRight = right[layout.countLane] < candidate.left[layout.countLane]
        leaves[parent] = leaf(candidate.left, depth: depth, node: 2 * new)
        leaves.append(leaf(right, depth: depth, node: 2 * new + 1))
        team.run(shards.count) {
            shards[$0].split(
                parent, by: candidate.split.rule, column, smallIsRight: smallIsRight)
        }
        let (small, large) = smallIsRight ? (new, parent) : (parent, new)
        let wanted = [small, large].filter(isWorthSearching)
        guard let inherited else { return }
        guard !wanted.isEmpty else { return histograms.giveBack(inherited) }
        leaves[small].histogram = try histograms.take()
        buildHistogram(of: small)
        leaves[large].histogram = inherited
        search(wanted, subtractFrom: (small: small, large: large), columns)
        for leaf in [small, large] where leaves[leaf].best == nil { giveBack(leaf) }
    }

    private func giveBack(_ leaf: Int) {
        histograms.giveBack(leaves[leaf].histogram)
        leaves[leaf].histogram = nil
    }

    /// Each shard's own histogram of its rows in `leaf`.
    private func buildHistogram(of leaf: Int) {
        guard let target = leaves[leaf].histogram else { return }
        team.run(shards.count) { index in
            let cells = shards.count > 1 ? partials[index].start : histograms[target]
            cells.update(repeating: 0, count: cellCount * layout.lanes)
            shards[index].active.withLeaf(leaf) { rows in
                guard let first = rows.baseAddress else { return }
                offsets.withUnsafeBufferPointer { offsets in
                    guard let firstOffset = offsets.baseAddress else { return }
                    for group in groups {
                        mtlk_histogram_vector(
                            group.bins, group.rowSize, group.width, group.isWide ? 1 : 0, first, rows.count,
                            numbers.start, layout.lanes / 4, firstOffset + group.firstSlot, cells)
                    }
                }
            }
        }
    }

    /// Takes the small child of a split from its parent, and finds the best split of each of `wanted`.
    private func search(
        _ wanted: [Int], subtractFrom pair: (small: Int, large: Int)?, _ columns: ColumnChoice
    ) {
        let slotCount = matrix.slotFeatures.count
        let parts = searches.count
        let small = pair.flatMap { leaves[$0.small].histogram }.map { histograms[$0] }
        let large = pair.flatMap { leaves[$0.large].histogram }.map { histograms[$0] }
        let usable = wanted.map { columns.usable(node: leaves[$0].node) }
        var found = [VectorCandidate?](repeating: nil, count: parts * wanted.count)
        found.withUnsafeMutableBufferPointer { found in
            team.run(parts) { part in
                for slot in part * slotCount / parts..<(part + 1) * slotCount / parts {
                    let column = matrix.column(ofSlot: slot)
                    let binCount = column.binning.binCount
                    let offset = offsets[slot] * layout.lanes
                    if let small, let large {
                        merge(into: small, slot..<slot + 1)
                        for cell in offset..<offset + binCount * layout.lanes { large[cell] &-= small[cell] }
                    }
                    for (position, leaf) in wanted.enumerated() {
                        if let usable = usable[position], !usable[slot] { continue }
                        guard let index = leaves[leaf].histogram else { continue }
                        let candidate = searches[part].best(
                            histograms[index] + offset, binCount: binCount,
                            feature: matrix.slotFeatures[slot],
                            isCategorical: column.binning.isCategorical, totals: leaves[leaf].totals)
                        let place = position * parts + part
                        if let candidate, candidate.split.isBetter(than: found[place]?.split) {
                            found[place] = candidate
                        }
                    }
                }
            }
        }
        for (position, leaf) in wanted.enumerated() {
            for case let candidate? in found[position * parts..<(position + 1) * parts]
            where candidate.split.isBetter(than: leaves[leaf].best?.split) {
                leaves[leaf].best = candidate
            }
        }
    }

    /// Adds up the shards' histograms of some columns; where there is one shard it wrote the target itself.
    private func merge(into target: UnsafeMutablePointer<Int64>, _ slots: Range<Int>) {
        guard let first = partials.first else { return }
        for slot in slots {
            let offset = offsets[slot] * layout.lanes
            let count = matrix.column(ofSlot: slot).binning.binCount * layout.lanes
            let cells = target + offset
            cells.update(from: first.start + offset, count: count)
            for partial in partials.dropFirst() {
                for cell in 0..<count { cells[cell] &+= partial.start[offset + cell] }
            }
        }
    }
}
