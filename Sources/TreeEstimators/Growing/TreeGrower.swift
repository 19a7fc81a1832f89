import MetaLearnersCore

/// Grows trees on the histograms of binned columns.
///
/// A split needs the histogram of its smaller child only: the other's is what is left of the parent's.
final class TreeGrower<Cell: HistogramCell>: @unchecked Sendable {  // Phases write disjoint parts.
    private struct Leaf: GrowingLeaf {
        var totals: GradientTotals
        var depth: Int
        var histogram: Int?
        var best: SplitCandidate?
        var bounds = ValueBounds()
        /// What tells the leaf from all others of the tree, those that were split included.
        var node = 1

        var count: Int64 { totals.count }
        var gain: Double? { best?.gain }
    }

    private let matrix: BinnedMatrix
    private let team: WorkTeam
    let shards: [RowShard]
    /// What is known of each row, by its number in the dataset.
    let gradients: AlignedBuffer<Cell.Row>
    var rules: GrowthRules
    private let histogramSize: Int
    private var histograms: HistogramPool<Cell.Sum>
    private let builder: HistogramBuilder<Cell>
    private var leaves: [Leaf] = []
    /// The histogram of all rows, kept up to date from tree to tree where `carriesRoot`.
    private var root: AlignedBuffer<Cell.Sum>?
    private var rootIsCurrent = false
    private let carriesRoot: Bool
    /// What joins the processes that hold the rows, and how histograms go to them; nil where there are no others.
    private let distribution: DistributedRows?
    private let message: HistogramMessage<Cell.Sum>?

    /// Memory that histograms of all leaves may take for the root to be carried.
    private static var carryMemory: Int { 64 << 20 }

    /// Creates a grower.
    ///
    /// - Parameter carriesRoot: whether each tree sees the same rows, and is followed by `advanceRoot` or `forgetRoot`.
    ///   The result is the same; only the work differs.
    init(
        _ matrix: BinnedMatrix, _ rules: GrowthRules, _ rows: TrainingRows,
        gradients: AlignedBuffer<Cell.Row>, carriesRoot: Bool = false, _ team: WorkTeam
    ) throws(MetaLearnersError) {
        self.matrix = matrix
        self.rules = rules
        shards = rows.shards
        distribution = rows.distribution
        if let distribution { message = try HistogramMessage(matrix, distribution) } else { message = nil }
        self.gradients = gradients
        self.team = team
        histogramSize = matrix.histogramSize
        histograms = HistogramPool(size: matrix.histogramSize, isZeroed: message != nil)
        // Worth it where a pass over all rows costs more than one over the bins of all leaves.
        let rowCount = rows.totalCount
        let memory = (rules.maxLeaves + 2) * histogramSize * MemoryLayout<Cell.Sum>.stride
        self.carriesRoot = carriesRoot && rowCount > 256 * rules.maxLeaves && memory <= Self.carryMemory
        builder = try HistogramBuilder(
            matrix, shards: shards, gradients: gradients, countShift: rules.countShift, threads: team.threads)
    }

    /// Grows a tree from the rows in leaf 0 of the shards' lists; afterwards these hold its leaves.
    ///
    /// - Parameter columns: which columns it may split by.
    /// - Throws: `outOfMemory`.
    func grow(_ columns: ColumnChoice) throws(MetaLearnersError) -> GrownTree {
        var count = shards.reduce(0) { $0 + $1.active.count(of: 0) }
        if let distribution { count = try distribution.sum(count) }
        leaves = [
            Leaf(totals: GradientTotals(count: Int64(count)), depth: 0, histogram: nil, best: nil)
        ]
        histograms.giveBackAll()
        var tree = GrownTree(leaves: [])
        if isWorthSearching(0) {
            try startRoot()
            try search([0], subtractFrom: nil, columns)
        }
        while leaves.count < rules.maxLeaves, let index = rules.nextLeaf(leaves),
            let candidate = leaves[index].best
        {
            try split(index, by: candidate, columns)
            tree.splits.append(GrownTree.Split(leaf: index, candidate: candidate))
        }
        tree.leaves = leaves.map(\.totals)
        tree.bounds = leaves.map(\.bounds)
        return tree
    }

    /// Makes the root's histogram, from the last tree's where it was carried on.
    private func startRoot() throws(MetaLearnersError) {
        let index = try histograms.take()
        leaves[0].histogram = index
        if let root, rootIsCurrent {
            histograms[index].update(from: root.start, count: histogramSize)
        } else {
            let target = histograms[index]
            team.run(shards.count) { builder.countRows(of: 0, shard: $0, into: target) }
            team.run(builder.slots.count) { part in
                builder.countTiles(of: 0, part: part, into: target)
                for slot in builder.slots[part] { builder.finish(slot, target) }
            }
            try message?.sum(target)
            if carriesRoot {
                if root == nil { root = try AlignedBuffer(uninitialized: histogramSize) }
                root?.start.update(from: histograms[index], count: histogramSize)
            }
        }
        rootIsCurrent = false
        var sum = Cell.zero
        for bin in 0..<matrix.column(ofSlot: 0).binning.binCount {
            sum = Cell.add(sum, histograms[index][matrix.slotOffsets[0] + bin])
        }
        leaves[0].totals = Cell.totals(sum, countShift: rules.countShift)
    }

    /// Moves the root's histogram on as the gradients of a quadratic loss move when each leaf of the tree just grown
    /// adds its step: exact in integers, and far less work than a pass over the rows.
    func advanceRoot(by steps: [Int64]) {
        guard carriesRoot, let root else { return }
        let sources = zip(leaves, steps).compactMap { leaf, step in
            leaf.histogram.map { (histograms[$0], step) }
        }
        guard sources.count == leaves.count else { return }
        team.run(builder.slots.count) { part in
            for slot in builder.slots[part] {
                let first = matrix.slotOffsets[slot]
                for (histogram, step) in sources {
                    Cell.advance(
                        root.start + first, leaf: histogram + first,
                        count: matrix.column(ofSlot: slot).binning.binCount, by: step,
                        countShift: rules.countShift)
                }
            }
        }
        rootIsCurrent = true
    }

    /// The gradients have changed otherwise: the next tree counts all rows again.
    func forgetRoot() { rootIsCurrent = false }

    private func isWorthSearching(_ leaf: Int) -> Bool {
        rules.maySplit(leaves[leaf], leafCount: leaves.count) && histogramSize > 0
    }

    private func split(_ parent: Int, by candidate: SplitCandidate, _ columns: ColumnChoice)
        throws(MetaLearnersError)
    {
        let column = matrix.columns[candidate.feature]
        let new = leaves.count
        let inherited = leaves[parent].histogram
        let depth = leaves[parent].depth + 1
        let right = leaves[parent].totals - candidate.left
        let bounds = bounds(of: parent, candidate, right: right)
        leaves[parent] = Leaf(
            totals: candidate.left, depth: depth, histogram: nil, best: nil, bounds: bounds.left,
            node: 2 * new)
        leaves.append(
            Leaf(
                totals: right, depth: depth, histogram: nil, best: nil, bounds: bounds.right,
                node: 2 * new + 1))
        let smallIsRight = right.count < candidate.left.count
        let (small, large) = smallIsRight ? (new, parent) : (parent, new)
        let wanted = [small, large].filter(isWorthSearching)
        let counted = inherited != nil && (carriesRoot || !wanted.isEmpty) ? try histograms.take() : nil
        let target = counted.map { histograms[$0] }
        team.run(shards.count) { index in
            shards[index].split(parent, by: candidate.rule, column, smallIsRight: smallIsRight)
            if let target { builder.countRows(of: small, shard: index, into: target) }
        }
        guard counted != nil else { return histograms.giveBack(inherited) }
        leaves[small].histogram = counted
        leaves[large].histogram = inherited
        try search(wanted, subtractFrom: (small: small, large: large), columns)
        if carriesRoot { return }
        for leaf in [small, large] where leaves[leaf].best == nil { giveBack(leaf) }
    }

    /// The bounds of both sides of a split.
    private func bounds(of parent: Int, _ candidate: SplitCandidate, right: GradientTotals) -> (
        left: ValueBounds, right: ValueBounds
    ) {
        let bounds = leaves[parent].bounds
        return bounds.parted(
            left: rules.optimumUnits(candidate.left, within: bounds),
            right: rules.optimumUnits(right, within: bounds),
            direction: rules.direction(of: candidate.feature))
    }

    private func giveBack(_ leaf: Int) {
        histograms.giveBack(leaves[leaf].histogram)
        leaves[leaf].histogram = nil
    }

    /// Takes the small child of a split from its parent, and finds the best split of each of `wanted`.
    private func search(
        _ wanted: [Int], subtractFrom pair: (small: Int, large: Int)?, _ columns: ColumnChoice
    ) throws(MetaLearnersError) {
        let parts = builder.slots.count
        let small = pair.flatMap { leaves[$0.small].histogram }.map { histograms[$0] }
        let large = pair.flatMap { leaves[$0.large].histogram }.map { histograms[$0] }
        if let message, let pair, let small {
            // What the small child has in all processes is known before anything is taken from its parent.
            team.run(parts) { part in
                builder.countTiles(of: pair.small, part: part, into: small)
                for slot in builder.slots[part] { builder.finish(slot, small) }
            }
            try message.sum(small)
        }
        let isCounted = message != nil
        let search = SplitSearch<Cell>(rules: rules)
        let usable = wanted.map { columns.usable(node: leaves[$0].node) }
        var found = [SplitCandidate?](repeating: nil, count: parts * wanted.count)
        found.withUnsafeMutableBufferPointer { found in
            team.run(parts) { part in
                if let pair, let small, !isCounted {
                    builder.countTiles(of: pair.small, part: part, into: small)
                }
                for slot in builder.slots[part] {
                    let column = matrix.column(ofSlot: slot)
                    let binCount = column.binning.binCount
                    let offset = matrix.slotOffsets[slot]
                    if let small {
                        if !isCounted { builder.finish(slot, small) }
                        if let large { builder.subtract(slot, small, from: large) }
                    }
                    for (position, leaf) in wanted.enumerated() {
                        if let usable = usable[position], !usable[slot] { continue }
                        guard let index = leaves[leaf].histogram else { continue }
                        let place = position * parts + part
                        let candidate = search.best(
                            histograms[index] + offset, binCount: binCount,
                            feature: matrix.slotFeatures[slot],
                            isCategorical: column.binning.isCategorical, totals: leaves[leaf].totals,
                            bounds: leaves[leaf].bounds, rival: found[place])
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
}

/// A tree as it was grown: splits in the order they were made, and the sums of each leaf.
struct GrownTree: Sendable {
    /// A split: `leaf` keeps the rows that go left, those that go right become the leaf with the next number.
    struct Split: Sendable {
        let leaf: Int
        let candidate: SplitCandidate
    }

    var splits: [Split] = []
    /// The sums of each leaf, by its number.
    var leaves: [GradientTotals]
    /// The bounds of each leaf's value, in units of a gradient sum over a Hessian sum.
    var bounds: [ValueBounds] = []
}

/// Which columns the splits of a tree may be by: a share of all columns, drawn for the tree, and of these a share that
/// is drawn for each leaf.
struct ColumnChoice: Sendable {
    private let slots: [Int]
    private let slotCount: Int
    private let nodeShare: Double
    private let seed: UInt64
    private let tree: UInt64

    /// Draws the columns of tree number `tree`.
    init(slotCount: Int, tree: Int, _ spec: TreesSpec, seed: UInt64) {
        self.slotCount = slotCount
        self.seed = seed
        self.tree = UInt64(tree)
        nodeShare = spec.columnSampleNode
        var order = Array(0..<slotCount)
        if spec.columnSample < 1, slotCount > 1 {
            var stream = RandomStream(seed: seed, path: 0x434F_4C53, UInt64(tree))
            stream.shuffle(&order)
            order.removeSubrange(max(1, Int((spec.columnSample * Double(slotCount)).rounded()))...)
        }
        slots = order
    }

    /// Which slots the leaf with this number may be split by, nil for all.
    func usable(node: Int) -> [Bool]? {
        var chosen = slots
        if nodeShare < 1, slots.count > 1 {
            var stream = RandomStream(seed: seed, path: 0x434F_4C4E, tree, UInt64(node))
            stream.shuffle(&chosen)
            chosen.removeSubrange(max(1, Int((nodeShare * Double(slots.count)).rounded()))...)
        }
        guard chosen.count < slotCount else { return nil }
        var usable = [Bool](repeating: false, count: slotCount)
        for slot in chosen { usable[slot] = true }
        return usable
    }
}
