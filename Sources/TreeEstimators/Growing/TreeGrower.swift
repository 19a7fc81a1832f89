import MetaLearnersCore

/// Grows trees on the histograms of binned columns.
///
/// A split needs the histogram of its smaller child only: the other's is what is left of the parent's. Each part of
/// the work keeps a histogram of its own rows; they are added column by column.
final class TreeGrower<Cell: HistogramCell>: @unchecked Sendable {  // Phases write disjoint parts.
    /// Cells from one column of a histogram to the next: not a power of two, so that columns do not compete for the
    /// same lines of the cache.
    static var columnStride: Int { 264 }

    private struct Leaf {
        var totals: GradientTotals
        var depth: Int
        var histogram: Int?
        var best: SplitCandidate?
    }

    private let matrix: BinnedMatrix
    private let team: WorkTeam
    let shards: [RowShard]
    /// What is known of each row, by its number in the dataset.
    let gradients: AlignedBuffer<Cell.Row>
    var rules: GrowthRules
    private let histogramSize: Int
    private var histograms: [AlignedBuffer<Cell.Sum>] = []
    private var freeHistograms: [Int] = []
    private let partials: [AlignedBuffer<Cell.Sum>]
    private var leaves: [Leaf] = []

    init(
        _ matrix: BinnedMatrix, _ rules: GrowthRules, shards: [RowShard],
        gradients: AlignedBuffer<Cell.Row>, _ team: WorkTeam
    ) throws(MetaLearnersError) {
        self.matrix = matrix
        self.rules = rules
        self.shards = shards
        self.gradients = gradients
        self.team = team
        histogramSize = matrix.slotFeatures.count * Self.columnStride
        var partials: [AlignedBuffer<Cell.Sum>] = []
        if shards.count > 1 {
            for _ in shards { partials.append(try AlignedBuffer(uninitialized: histogramSize)) }
        }
        self.partials = partials
    }

    /// Grows a tree from the rows in leaf 0 of the shards' lists; afterwards these hold its leaves.
    ///
    /// - Parameter usableSlots: which columns it may split by, nil for all.
    /// - Throws: `outOfMemory`.
    func grow(usableSlots: [Bool]?) throws(MetaLearnersError) -> GrownTree {
        let count = shards.reduce(0) { $0 + $1.active.leaf(0).count }
        leaves = [
            Leaf(totals: GradientTotals(count: Int64(count)), depth: 0, histogram: nil, best: nil)
        ]
        freeHistograms = Array(histograms.indices)
        var tree = GrownTree(leaves: [])
        if isWorthSearching(0) {
            leaves[0].histogram = try takeHistogram()
            buildHistogram(of: 0)
            leaves[0].totals = builtTotals(of: 0)
            search([0], subtractFrom: nil, usableSlots)
        }
        while leaves.count < rules.maxLeaves, let index = nextLeaf(), let candidate = leaves[index].best {
            try split(index, by: candidate, usableSlots)
            tree.splits.append(GrownTree.Split(leaf: index, candidate: candidate))
        }
        tree.leaves = leaves.map(\.totals)
        return tree
    }

    private func nextLeaf() -> Int? {
        var chosen: Int?
        for index in leaves.indices {
            guard let best = leaves[index].best else { continue }
            guard let current = chosen, let other = leaves[current].best else {
                chosen = index
                continue
            }
            let isEarlier = rules.isDepthWise && leaves[index].depth < leaves[current].depth
            let isLater = rules.isDepthWise && leaves[index].depth > leaves[current].depth
            if isEarlier || !isLater && best.gain > other.gain { chosen = index }
        }
        return chosen
    }

    private func isWorthSearching(_ leaf: Int) -> Bool {
        leaves[leaf].totals.count / 2 >= rules.minLeafSize && leaves[leaf].depth < rules.maxDepth
            && leaves.count < rules.maxLeaves && histogramSize > 0
    }

    private func split(_ parent: Int, by candidate: SplitCandidate, _ usableSlots: [Bool]?)
        throws(MetaLearnersError)
    {
        let bins = matrix.columns[candidate.feature].bins
        let new = leaves.count
        let inherited = leaves[parent].histogram
        let depth = leaves[parent].depth + 1
        let right = leaves[parent].totals - candidate.left
        leaves[parent] = Leaf(totals: candidate.left, depth: depth, histogram: nil, best: nil)
        leaves.append(Leaf(totals: right, depth: depth, histogram: nil, best: nil))
        team.run(shards.count) { shards[$0].split(parent, by: candidate.rule, UnsafePointer(bins.base)) }
        let (small, large) = right.count < candidate.left.count ? (new, parent) : (parent, new)
        let wanted = [small, large].filter(isWorthSearching)
        if let inherited, !wanted.isEmpty {
            leaves[small].histogram = try takeHistogram()
            buildHistogram(of: small)
            leaves[large].histogram = inherited
            search(wanted, subtractFrom: (small: small, large: large), usableSlots)
            for leaf in [small, large] where leaves[leaf].best == nil { giveBack(leaf) }
        } else if let inherited {
            freeHistograms.append(inherited)
        }
    }

    private func takeHistogram() throws(MetaLearnersError) -> Int {
        if let free = freeHistograms.popLast() { return free }
        histograms.append(try AlignedBuffer(uninitialized: histogramSize))
        return histograms.count - 1
    }

    private func giveBack(_ leaf: Int) {
        if let histogram = leaves[leaf].histogram { freeHistograms.append(histogram) }
        leaves[leaf].histogram = nil
    }

    /// Each shard's own histogram of its rows in `leaf`.
    private func buildHistogram(of leaf: Int) {
        guard let target = leaves[leaf].histogram else { return }
        team.run(shards.count) { index in
            let cells = shards.count > 1 ? partials[index].base : histograms[target].base
            cells.update(repeating: Cell.zero, count: histogramSize)
            let rows = shards[index].active.leaf(leaf)
            for tile in matrix.tiles {
                accumulate(tile, rows, into: cells + tile.firstSlot * Self.columnStride)
            }
        }
    }

    /// The sums of all rows that were counted: those of any one column.
    private func builtTotals(of leaf: Int) -> GradientTotals {
        guard let target = leaves[leaf].histogram else { return GradientTotals() }
        var sum = Cell.zero
        for cells in partials.isEmpty ? [histograms[target]] : partials {
            for bin in 0..<matrix.column(ofSlot: 0).binning.binCount { sum = Cell.add(sum, cells.base[bin]) }
        }
        return Cell.totals(sum, countShift: rules.countShift)
    }

    private func accumulate(
        _ tile: BinnedMatrix.Tile, _ rows: UnsafeBufferPointer<Int32>,
        into cells: UnsafeMutablePointer<Cell.Sum>
    ) {
        let bins = UnsafePointer(tile.bins.base)
        let width = tile.width
        let gradients = gradients.base
        let shift = rules.countShift
        for row in rows {
            let value = Cell.sum(of: gradients[Int(row)], countShift: shift)
            let rowBins = bins + Int(row) * width
            var column = cells
            for position in 0..<width {
                let cell = column + Int(rowBins[position])
                cell.pointee = Cell.add(cell.pointee, value)
                column += Self.columnStride
            }
        }
    }

    /// Adds the shards' histograms, takes the small child from its parent, and finds the best split of `wanted`.
    private func search(_ wanted: [Int], subtractFrom pair: (small: Int, large: Int)?, _ usableSlots: [Bool]?)
    {
        let slotCount = matrix.slotFeatures.count
        let parts = min(slotCount, team.threads)
        let built = pair?.small ?? 0
        guard let target = leaves[built].histogram else { return }
        let merged = histograms[target].base
        let inherited = pair.flatMap { leaves[$0.large].histogram }.map { histograms[$0].base }
        let search = SplitSearch<Cell>(rules: rules)
        var found = [SplitCandidate?](repeating: nil, count: parts * wanted.count)
        found.withUnsafeMutableBufferPointer { found in
            team.run(parts) { part in
                for slot in part * slotCount / parts..<(part + 1) * slotCount / parts {
                    let column = matrix.column(ofSlot: slot)
                    let binCount = column.binning.binCount
                    let offset = slot * Self.columnStride
                    merge(into: merged + offset, offset: offset, binCount)
                    if let inherited {
                        for bin in offset..<offset + binCount {
                            inherited[bin] = Cell.subtract(inherited[bin], merged[bin])
                        }
                    }
                    if let usableSlots, !usableSlots[slot] { continue }
                    for (position, leaf) in wanted.enumerated() {
                        guard let index = leaves[leaf].histogram else { continue }
                        let candidate = search.best(
                            histograms[index].base + offset, binCount: binCount,
                            feature: matrix.slotFeatures[slot],
                            isCategorical: column.binning.isCategorical, totals: leaves[leaf].totals)
                        let place = position * parts + part
                        if let candidate, candidate.isBetter(than: found[place]) { found[place] = candidate }
                    }
                }
            }
        }
        for (position, leaf) in wanted.enumerated() {
            for case let candidate? in found[position * parts..<(position + 1) * parts]
            where candidate.isBetter(than: leaves[leaf].best) {
                leaves[leaf].best = candidate
            }
        }
    }

    private func merge(into target: UnsafeMutablePointer<Cell.Sum>, offset: Int, _ binCount: Int) {
        guard let first = partials.first else { return }
        target.update(from: first.base + offset, count: binCount)
        for partial in partials.dropFirst() {
            let source = partial.base + offset
            for bin in 0..<binCount { target[bin] = Cell.add(target[bin], source[bin]) }
        }
    }
}
