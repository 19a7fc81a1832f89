import MetaLearnersCore

/// The best split of a leaf, whatever sums the leaf has.
protocol LeafSplit: Sendable {
    /// The split itself.
    var split: SplitCandidate { get }
}

extension SplitCandidate: LeafSplit {
    var split: SplitCandidate { self }
}

/// A tree while it grows: its leaves, which of them have histograms, and what is to be searched after each split.
///
/// A split needs the histogram of its smaller child only: the other's is what is left of the parent's.
struct GrowingTree<Totals, Split: LeafSplit, Sum: BitwiseCopyable> {
    /// A leaf that may be split.
    struct Leaf {
        var totals: Totals
        /// How many rows it holds.
        let count: Int64
        /// Splits on the way to it from the root.
        var depth = 0
        /// What its value may be.
        var bounds = ValueBounds()
        /// What tells the leaf from all others of the tree, those that were split included.
        fileprivate(set) var node = 1
        fileprivate(set) var histogram: Int?
        /// Its best split; nil where none is known to gain.
        fileprivate(set) var best: Split?

        init(totals: Totals, count: Int64, bounds: ValueBounds = ValueBounds()) {
            self.totals = totals
            self.count = count
            self.bounds = bounds
        }
    }

    /// What a split leaves to do.
    struct Division {
        /// The leaf with fewer rows, and the other one.
        let small: Int
        let large: Int
        let smallIsRight: Bool
        /// Those of the two whose best splits are to be found.
        let wanted: [Int]
        /// Where the rows of the small one are to be counted; nil where neither needs a histogram.
        let target: UnsafeMutablePointer<Sum>?
    }

    private(set) var leaves: [Leaf] = []
    private(set) var splits: [GrownTree.Split] = []
    private var histograms: HistogramPool<Sum>

    /// Starts with no leaf.
    ///
    /// - Parameter histogramSize: how many sums a histogram has.
    init(histogramSize: Int) { histograms = HistogramPool(size: histogramSize) }

    /// Starts anew with the leaf of all rows; returns its histogram, to be filled, where it may be split.
    ///
    /// - Throws: `outOfMemory`.
    mutating func start(_ root: Leaf, _ rules: GrowthRules) throws(MetaLearnersError)
        -> UnsafeMutablePointer<Sum>?
    {
        leaves = [root]
        splits = []
        histograms.giveBackAll()
        guard isWorthSearching(0, rules) else { return nil }
        leaves[0].histogram = try histograms.take()
        return histogram(of: 0)
    }

    /// Says what the sums of all rows are, once they are counted.
    mutating func setRootTotals(_ totals: Totals) { leaves[0].totals = totals }

    /// The histogram of a leaf, where it has one.
    func histogram(of leaf: Int) -> UnsafeMutablePointer<Sum>? {
        leaves[leaf].histogram.map { histograms[$0] }
    }

    private func isWorthSearching(_ leaf: Int, _ rules: GrowthRules) -> Bool {
        leaves[leaf].count / 2 >= rules.minLeafSize && leaves[leaf].depth < rules.maxDepth
            && leaves.count < rules.maxLeaves && histograms.size > 0
    }

    /// The leaf to be split next, with its split: that of the largest gain, where trees grow depth-wise among those
    /// nearest to the root; the first of several. Nil where none gains, or where the tree has all its leaves.
    func next(_ rules: GrowthRules) -> (leaf: Int, split: Split)? {
        guard leaves.count < rules.maxLeaves else { return nil }
        var chosen: (leaf: Int, split: Split)?
        for (index, leaf) in leaves.enumerated() {
            guard let best = leaf.best else { continue }
            if let current = chosen {
                let deeper = rules.isDepthWise ? leaf.depth - leaves[current.leaf].depth : 0
                guard deeper < 0 || deeper == 0 && best.split.gain > current.split.split.gain else {
                    continue
                }
            }
            chosen = (index, best)
        }
        return chosen
    }

    /// Replaces a leaf by the two sides of a split: the left keeps its number, the right gets the next.
    ///
    /// - Parameter keepsAll: whether every leaf is to have a histogram, also one that is not to be searched.
    /// - Throws: `outOfMemory`.
    mutating func divide(
        _ parent: Int, by split: Split, left: Leaf, right: Leaf, keepsAll: Bool = false, _ rules: GrowthRules
    ) throws(MetaLearnersError) -> Division {
        let inherited = leaves[parent].histogram
        let depth = leaves[parent].depth + 1
        let new = leaves.count
        splits.append(GrownTree.Split(leaf: parent, candidate: split.split))
        leaves[parent] = left
        leaves.append(right)
        for (leaf, node) in [(parent, 2 * new), (new, 2 * new + 1)] {
            leaves[leaf].depth = depth
            leaves[leaf].node = node
        }
        let smallIsRight = right.count < left.count
        let (small, large) = smallIsRight ? (new, parent) : (parent, new)
        let wanted = [small, large].filter { isWorthSearching($0, rules) }
        if inherited != nil, keepsAll || !wanted.isEmpty {
            leaves[small].histogram = try histograms.take()
            leaves[large].histogram = inherited
        } else {
            histograms.giveBack(inherited)
        }
        return Division(
            small: small, large: large, smallIsRight: smallIsRight, wanted: wanted,
            target: histogram(of: small))
    }

    /// Finds the best split of each leaf of `wanted`, in `parts` parts that run side by side.
    ///
    /// - Parameters:
    ///   - work: does a part: it calls what it is given for each slot that the part looks after, with a function that
    ///     finds the best split of a leaf by this slot, given the best that is known.
    mutating func search(
        _ wanted: [Int], parts: Int, _ columns: ColumnChoice, _ team: WorkTeam,
        _ work: (_ part: Int, _ consider: (_ slot: Int, _ best: Finder) -> Void) -> Void
    ) {
        let usable = wanted.map { columns.usable(node: leaves[$0].node) }
        var found = [Split?](repeating: nil, count: parts * wanted.count)
        found.withUnsafeMutableBufferPointer { found in
            team.run(parts) { part in
                work(part) { slot, best in
                    for (position, leaf) in wanted.enumerated() {
                        if let usable = usable[position], !usable[slot] { continue }
                        guard let histogram = histogram(of: leaf) else { continue }
                        let place = position * parts + part
                        let split = best(leaves[leaf], histogram, found[place])
                        if let split, split.split.isBetter(than: found[place]?.split) { found[place] = split }
                    }
                }
            }
        }
        for (position, leaf) in wanted.enumerated() {
            for case let split? in found[position * parts..<(position + 1) * parts]
            where split.split.isBetter(than: leaves[leaf].best?.split) {
                leaves[leaf].best = split
            }
        }
    }

    /// Finds the best split of a leaf by a slot in its histogram, given the best that is known.
    typealias Finder = (_ leaf: Leaf, _ histogram: UnsafeMutablePointer<Sum>, _ rival: Split?) -> Split?

    /// Gives back the histograms of those of a division's leaves that cannot be split.
    mutating func giveBackUnused(_ division: Division) {
        for leaf in [division.small, division.large] where leaves[leaf].best == nil {
            histograms.giveBack(leaves[leaf].histogram)
            leaves[leaf].histogram = nil
        }
    }
}
