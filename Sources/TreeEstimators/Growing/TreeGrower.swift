import MetaLearnersCore

/// Grows trees on the histograms of binned columns.
final class TreeGrower<Cell: HistogramCell>: @unchecked Sendable {  // Phases write disjoint parts.
    private typealias Tree = GrowingTree<GradientTotals, SplitCandidate, Cell.Sum>

    private let matrix: BinnedMatrix
    private let team: WorkTeam
    let shards: [RowShard]
    /// What is known of each row, by its number in the dataset.
    let gradients: AlignedBuffer<Cell.Row>
    var rules: GrowthRules
    private let histogramSize: Int
    private var tree: Tree
    private let builder: HistogramBuilder<Cell>
    /// The histogram of all rows, kept up to date from tree to tree where `carriesRoot`.
    private var root: AlignedBuffer<Cell.Sum>?
    private var rootIsCurrent = false
    private let carriesRoot: Bool

    /// Memory that histograms of all leaves may take for the root to be carried.
    private static var carryMemory: Int { 64 << 20 }

    /// Creates a grower.
    ///
    /// - Parameter carriesRoot: whether each tree sees the same rows, and is followed by `advanceRoot` or `forgetRoot`.
    ///   The result is the same; only the work differs.
    init(
        _ matrix: BinnedMatrix, _ rules: GrowthRules, shards: [RowShard],
        gradients: AlignedBuffer<Cell.Row>, carriesRoot: Bool = false, _ team: WorkTeam
    ) throws(MetaLearnersError) {
        self.matrix = matrix
        self.rules = rules
        self.shards = shards
        self.gradients = gradients
        self.team = team
        histogramSize = matrix.histogramSize
        tree = Tree(histogramSize: matrix.histogramSize)
        // Worth it where a pass over all rows costs more than one over the bins of all leaves.
        let rowCount = shards.reduce(0) { $0 + $1.trainingRows }
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
        let count = Int64(shards.reduce(0) { $0 + $1.active.count(of: 0) })
        if let histogram = try tree.start(
            Tree.Leaf(totals: GradientTotals(count: count), count: count), rules)
        {
            try countRoot(into: histogram)
            search([0], nil, columns)
        }
        while let (leaf, candidate) = tree.next(rules) { try split(leaf, by: candidate, columns) }
        return GrownTree(
            splits: tree.splits, leaves: tree.leaves.map(\.totals), bounds: tree.leaves.map(\.bounds))
    }

    /// Makes the root's histogram, from the last tree's where it was carried on.
    private func countRoot(into target: UnsafeMutablePointer<Cell.Sum>) throws(MetaLearnersError) {
        if let root, rootIsCurrent {
            target.update(from: root.start, count: histogramSize)
        } else {
            team.run(shards.count) { builder.countRows(of: 0, shard: $0, into: target) }
            team.run(builder.slots.count) { part in
                builder.countTiles(of: 0, part: part, into: target)
                for slot in builder.slots[part] { builder.finish(slot, target, subtractFrom: nil) }
            }
            if carriesRoot {
                if root == nil { root = try AlignedBuffer(uninitialized: histogramSize) }
                root?.start.update(from: target, count: histogramSize)
            }
        }
        rootIsCurrent = false
        var sum = Cell.zero
        for bin in 0..<matrix.column(ofSlot: 0).binning.binCount {
            sum = Cell.add(sum, target[matrix.slotOffsets[0] + bin])
        }
        tree.setRootTotals(Cell.totals(sum, countShift: rules.countShift))
    }

    /// Moves the root's histogram on as the gradients of a quadratic loss move when each leaf of the tree just grown
    /// adds its step: exact in integers, and far less work than a pass over the rows.
    func advanceRoot(by steps: [Int64]) {
        guard carriesRoot, let root else { return }
        let sources = zip(tree.leaves.indices, steps).compactMap { leaf, step in
            tree.histogram(of: leaf).map { ($0, step) }
        }
        guard sources.count == tree.leaves.count else { return }
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

    private func split(_ parent: Int, by candidate: SplitCandidate, _ columns: ColumnChoice)
        throws(MetaLearnersError)
    {
        let right = tree.leaves[parent].totals - candidate.left
        let bounds = tree.leaves[parent].bounds
        let parted = bounds.parted(
            left: rules.optimumUnits(candidate.left, within: bounds),
            right: rules.optimumUnits(right, within: bounds),
            direction: rules.direction(of: candidate.feature))
        let division = try tree.divide(
            parent, by: candidate,
            left: Tree.Leaf(totals: candidate.left, count: candidate.left.count, bounds: parted.left),
            right: Tree.Leaf(totals: right, count: right.count, bounds: parted.right), keepsAll: carriesRoot,
            rules)
        team.run(shards.count) { index in
            shards[index].split(
                parent, by: candidate.rule, matrix.columns[candidate.feature],
                smallIsRight: division.smallIsRight)
            if let target = division.target {
                builder.countRows(of: division.small, shard: index, into: target)
            }
        }
        guard division.target != nil else { return }
        search(division.wanted, division, columns)
        if !carriesRoot { tree.giveBackUnused(division) }
    }

    /// Takes the small leaf of a division from its parent, and finds the best split of each of `wanted`.
    private func search(_ wanted: [Int], _ division: Tree.Division?, _ columns: ColumnChoice) {
        let large = division.flatMap { tree.histogram(of: $0.large) }
        let search = SplitSearch<Cell>(rules: rules)
        tree.search(wanted, parts: builder.slots.count, columns, team) { part, consider in
            if let division, let small = division.target {
                builder.countTiles(of: division.small, part: part, into: small)
            }
            for slot in builder.slots[part] {
                let binning = matrix.column(ofSlot: slot).binning
                if let small = division?.target { builder.finish(slot, small, subtractFrom: large) }
                consider(slot) { leaf, histogram, rival in
                    search.best(
                        histogram + matrix.slotOffsets[slot], binCount: binning.binCount,
                        feature: matrix.slotFeatures[slot], isCategorical: binning.isCategorical,
                        totals: leaf.totals, bounds: leaf.bounds, rival: rival)
                }
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
