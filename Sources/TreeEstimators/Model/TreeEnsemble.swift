import CTreeKernels
import MetaLearnersCore

/// Trees as prediction needs them.
///
/// A tree is a list of splits in the order they were made: split number i parts the leaf that it names, whose rows
/// that go right become leaf i + 1. So a tree cannot have a cycle, whatever bytes it was read from.
struct TreeEnsemble: Sendable {
    /// A split.
    struct Split: Sendable, Equatable {
        /// The leaf that is split; below the number of leaves so far.
        let leaf: UInt8
        /// The column, by its place in `usedFeatures`.
        let feature: UInt16
        /// Which bins go right.
        let rule: SplitCandidate.Rule
    }

    /// A tree.
    struct Tree: Sendable, Equatable {
        let firstSplit: Int
        let splitCount: Int
        let firstValue: Int
        /// Which score the tree adds to.
        let output: Int
        /// In which round of boosting it was grown.
        let round: Int
    }

    /// How many columns the model was trained on.
    let featureCount: Int
    /// The scores before any tree.
    let baseScores: [Double]
    /// What leaf values are multiplied by: a power of two, 1 unless the target is huge or tiny.
    let valueScale: Double
    /// The columns that some split uses, ascending.
    let usedFeatures: [Int]
    /// How the values of these columns become bins.
    let binnings: [ColumnBinning]
    /// The first plane of each column's bins in a block: wide columns have two.
    let planes: [Int]
    /// How many planes there are.
    let planeCount: Int
    /// The splits of all trees, as the kernels read them.
    private(set) var splits: [mtlk_split] = []
    /// The sets of bins that splits by categories send right, in pages of four words.
    private(set) var sets: [UInt64] = []
    private(set) var values: [Float] = []
    /// The share of each leaf in its tree's Hessian sum, of 16 bits: what conditional expectations weight leaves by.
    private(set) var covers: [LeafCover] = []
    /// What the largest gain of a split is, in the units of the loss.
    let largestGain: Double
    /// What each split gained, as a share of the largest gain.
    private(set) var gainShares: [LeafCover] = []
    /// The trees, round by round. Where leaves have a value for each score, each score has a tree of its own, and the
    /// trees of a round share their splits.
    private(set) var trees: [Tree] = []
    /// How many rounds of boosting there were, with or without a tree.
    let roundCount: Int
    /// Whether leaves have a value for each score.
    let isMultiOutput: Bool

    init(
        featureCount: Int, baseScores: [Double], valueScale: Double, usedFeatures: [Int],
        binnings: [ColumnBinning], largestGain: Double, roundCount: Int, isMultiOutput: Bool
    ) {
        self.featureCount = featureCount
        self.baseScores = baseScores
        self.valueScale = valueScale
        self.usedFeatures = usedFeatures
        self.binnings = binnings
        self.largestGain = largestGain
        self.roundCount = roundCount
        self.isMultiOutput = isMultiOutput
        var planes: [Int] = []
        var planeCount = 0
        for binning in binnings {
            planes.append(planeCount)
            planeCount += binning.isWide ? 2 : 1
        }
        self.planes = planes
        self.planeCount = planeCount
    }

    /// A tree as it is added.
    struct NewTree {
        var splits: [Split] = []
        /// Of each split.
        var gains: [LeafCover] = []
        /// Of each leaf, one more than there are splits; where leaves have several, those of one score after another.
        var values: [Float] = []
        /// Of each leaf.
        var covers: [LeafCover] = []
        /// The first score that it adds to.
        var output = 0
        var round = 0
    }

    /// Adds a tree.
    mutating func append(_ tree: NewTree) {
        let first = splits.count
        for output in 0..<(isMultiOutput ? baseScores.count : 1) {
            trees.append(
                Tree(
                    firstSplit: first, splitCount: tree.splits.count,
                    firstValue: values.count + output * (tree.splits.count + 1),
                    output: tree.output + output, round: tree.round))
            covers += tree.covers
        }
        for split in tree.splits { splits.append(compiled(split)) }
        link(from: first)
        gainShares += tree.gains
        values += tree.values
    }

    /// What the splits by each used column gained, over all trees.
    var gains: [Double] {
        var gains = [Double](repeating: 0, count: usedFeatures.count)
        for (split, share) in zip(splits, gainShares) {
            gains[place(ofPlane: Int(split.plane))] += share.share * largestGain
        }
        return gains
    }

    /// How many trees the first `rounds` rounds have.
    func treeCount(ofRounds rounds: Int) -> Int {
        trees.firstIndex { $0.round >= rounds } ?? trees.count
    }

    /// The ensemble without the trees of all rounds after the first `rounds`, nor the columns that only these use.
    func truncated(toRounds rounds: Int) -> TreeEnsemble {
        let kept = trees[..<treeCount(ofRounds: rounds)]
        let splitCount = kept.last.map { $0.firstSplit + $0.splitCount } ?? 0
        let places = Set(splits[..<splitCount].map { place(ofPlane: Int($0.plane)) }).sorted()
        var newPlaces = [UInt16](repeating: 0, count: usedFeatures.count)
        for (new, place) in places.enumerated() { newPlaces[place] = UInt16(new) }
        var result = TreeEnsemble(
            featureCount: featureCount, baseScores: baseScores, valueScale: valueScale,
            usedFeatures: places.map { usedFeatures[$0] }, binnings: places.map { binnings[$0] },
            largestGain: largestGain, roundCount: min(rounds, roundCount), isMultiOutput: isMultiOutput)
        for tree in kept where !isMultiOutput || tree.output == 0 {
            let range = tree.firstSplit..<tree.firstSplit + tree.splitCount
            result.append(
                NewTree(
                    splits: range.map {
                        let split = split(at: $0)
                        return Split(
                            leaf: split.leaf, feature: newPlaces[Int(split.feature)], rule: split.rule)
                    }, gains: Array(gainShares[range]), values: Array(values(of: tree)),
                    covers: Array(covers[tree.firstValue...tree.firstValue + tree.splitCount]),
                    output: tree.output, round: tree.round))
        }
        return result
    }

    /// The values of a tree's leaves; where leaves have several, of all trees that share its splits.
    func values(of tree: Tree) -> ArraySlice<Float> {
        let count = (tree.splitCount + 1) * (isMultiOutput ? baseScores.count : 1)
        return values[tree.firstValue..<tree.firstValue + count]
    }

    /// Finds where rows go on from each split of the last tree. They only ever go on to later splits.
    private mutating func link(from first: Int) {
        // By the number of a leaf: the split after which it is as now, doubled, plus 1 where it is its right side; -1
        // where there is none. A split parts a leaf that is there already, so that numbers stay below the count.
        let count = splits.count - first
        var open = [Int](repeating: -1, count: count + 1)
        for index in 0..<count {
            let leaf = Int(splits[first + index].leaf)
            guard leaf <= count else { continue }
            if open[leaf] >= 0 { connect(first, open[leaf], to: Int16(index)) }
            open[leaf] = 2 * index
            open[index + 1] = 2 * index + 1
        }
        for leaf in 0...count where open[leaf] >= 0 { connect(first, open[leaf], to: Int16(-1 - leaf)) }
    }

    private mutating func connect(_ first: Int, _ side: Int, to next: Int16) {
        let split = first + side / 2
        if side % 2 == 1 { splits[split].next_right = next } else { splits[split].next_left = next }
    }

    private mutating func compiled(_ split: Split) -> mtlk_split {
        let place = Int(split.feature)
        let isWide = binnings[place].isWide
        var compiled = mtlk_split()
        compiled.plane = UInt16(truncatingIfNeeded: planes[place])
        compiled.leaf = split.leaf
        compiled.is_wide = isWide ? 1 : 0
        switch split.rule {
        case .ordered(let threshold, let missingRight):
            // Missing values are bin 0; less 1 they are the highest bin of all and lie above every threshold.
            compiled.offset = missingRight ? 1 : 0
            let limit = threshold &- (missingRight ? 1 : 0)
            compiled.limit = isWide ? limit : limit & 0xFF
        case .categories(let set):
            compiled.set = UInt32(sets.count / 4 + 1)
            for word in 0..<4 { sets.append(set.words[word]) }
            guard isWide else { break }
            // Pages for every bin that there is, so that any bin may be looked up.
            let pages = (binnings[place].binCount + CategorySet.pageBins - 1) / CategorySet.pageBins
            let words = (pages - 1) * 4
            sets += set.more.prefix(words)
            sets += [UInt64](repeating: 0, count: max(0, words - set.more.count))
            compiled.limit = UInt16(truncatingIfNeeded: pages)
        }
        return compiled
    }

    /// A split as it was given.
    func split(at index: Int) -> Split {
        let split = splits[index]
        let rule: SplitCandidate.Rule
        if split.set > 0 {
            let first = Int(split.set - 1) * 4
            let pages = split.is_wide == 0 ? 1 : Int(split.limit)
            rule = .categories(CategorySet(pages: sets[first..<first + 4 * pages]))
        } else {
            let threshold = split.limit &+ UInt16(split.offset)
            rule = .ordered(
                threshold: split.is_wide == 0 ? threshold & 0xFF : threshold, missingRight: split.offset == 1)
        }
        return Split(leaf: split.leaf, feature: UInt16(place(ofPlane: Int(split.plane))), rule: rule)
    }

    /// The used column that a plane is of.
    private func place(ofPlane plane: Int) -> Int {
        var low = 0
        var high = planes.count
        while high - low > 1 {
            let middle = (low + high) / 2
            if planes[middle] <= plane { low = middle } else { high = middle }
        }
        return low
    }
}

/// A leaf's share in its tree (or a split's in the largest gain), as the upper half of a Float: three digits in two bytes.
struct LeafCover: Sendable, Equatable {
    let bits: UInt16

    /// The number that is stored nearest to `share`, which is not negative.
    init(_ share: Double) {
        let pattern = Float(share.isFinite ? max(share, 0) : 0).bitPattern
        bits = UInt16(truncatingIfNeeded: (min(pattern, 0x7F00_0000) &+ 0x8000) >> 16)
    }

    /// The number of these bits, nil where they are of no share.
    init?(bits: UInt16) {
        guard bits < 0x7F80 else { return nil }
        self.bits = bits
    }

    var share: Double { Double(Float(bitPattern: UInt32(bits) << 16)) }
}

extension TreeEnsemble {
    /// Rows that go through the trees together.
    private static let blockRows = Int(MTLK_BLOCK)
    /// Rows between two looks at whether to stop.
    private static let sliceRows = 1 << 20

    /// The scores of the named rows (nil for all), those of a row side by side.
    ///
    /// Rows are binned in blocks; one byte per row then names its leaf, and each split moves the rows that go right.
    /// O(rows · splits) operations on bytes.
    ///
    /// - Throws: `cancelled`.
    func scores(_ features: Table, rows: [Int32]?, _ context: ExecutionContext)
        throws(MetaLearnersError) -> [Double]
    {
        try scores(features, rows: rows, afterTrees: [trees.count], context)
    }

    /// The scores by the first so many trees, for each of `counts`, which ascend: all rows' for the first of them,
    /// then all rows' for the next.
    ///
    /// - Throws: `cancelled`, `outOfMemory`.
    func scores(_ features: Table, rows: [Int32]?, afterTrees counts: [Int], _ context: ExecutionContext)
        throws(MetaLearnersError) -> [Double]
    {
        let count = rows?.count ?? features.rowCount
        let width = baseScores.count
        let (total, overflow) = (count * width).multipliedReportingOverflow(by: counts.count)
        guard !overflow else { throw MetaLearnersError(.outOfMemory, "there are too many predictions") }
        let columns = usedFeatures.map { features.columns[$0].values }
        var scores = [Double](repeating: 0, count: total)
        var first = 0
        while first < count {
            try context.checkCancellation()
            let slice = first..<min(count, first + Self.sliceRows)
            scores.withUnsafeMutableBufferPointer { buffer in
                let output = StageScores(
                    counts: counts, size: count * width, values: DisjointWrites(buffer))
                let chunkRows = Self.blockRows * 8
                context.concurrently((slice.count + chunkRows - 1) / chunkRows) { chunk in
                    let start = slice.lowerBound + chunk * chunkRows
                    score(columns, rows, start..<min(slice.upperBound, start + chunkRows), output)
                }
            }
            first = slice.upperBound
        }
        return scores
    }

    /// Where the scores of several stages go.
    private struct StageScores {
        /// How many trees each stage has.
        let counts: [Int]
        /// How many numbers each stage has.
        let size: Int
        let values: DisjointWrites<Double>
    }

    private func score(
        _ columns: [StridedValues], _ rows: [Int32]?, _ range: Range<Int>, _ output: StageScores
    ) {
        let block = Self.blockRows
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: block * max(planeCount, 1)) { bytes in
            bytes.initialize(repeating: 0)
            guard let bins = bytes.baseAddress else { return }
            var first = range.lowerBound
            while first < range.upperBound {
                let part = first..<min(range.upperBound, first + block)
                for (place, column) in columns.enumerated() {
                    let target = bins + planes[place] * block
                    if let rows {
                        rows.withUnsafeBufferPointer { list in
                            bin(column, place, .list(.init(rebasing: list[part])), to: target)
                        }
                    } else {
                        bin(column, place, .range(part), to: target)
                    }
                }
                addStages(bins, part, output)
                first = part.upperBound
            }
        }
    }

    /// Writes the scores of a block after each stage; sums of trees are formed where those of the last stage go.
    private func addStages(_ bins: UnsafePointer<UInt8>, _ rows: Range<Int>, _ output: StageScores) {
        let width = baseScores.count
        let place = rows.lowerBound * width
        guard let sums = output.values.pointer(to: (output.counts.count - 1) * output.size + place) else {
            return
        }
        var added = 0
        for (stage, count) in output.counts.enumerated() {
            addTrees(added..<count, bins, to: sums, rows.count)
            added = count
            guard let scores = output.values.pointer(to: stage * output.size + place) else { return }
            for row in 0..<rows.count {
                for (index, base) in baseScores.enumerated() {
                    scores[row * width + index] = base + sums[row * width + index] * valueScale
                }
            }
        }
    }

    /// Fills the plane of a column, or its two.
    private func bin(
        _ values: StridedValues, _ place: Int, _ rows: RowSelection, to target: UnsafeMutablePointer<UInt8>
    ) {
        guard binnings[place].isWide else { return binnings[place].map(values, rows, to: target) }
        withUnsafeTemporaryAllocation(of: UInt16.self, capacity: Self.blockRows) { words in
            guard let words = words.baseAddress else { return }
            binnings[place].map(values, rows, toWords: words)
            for row in 0..<rows.count {
                target[row] = UInt8(truncatingIfNeeded: words[row])
                target[Self.blockRows + row] = UInt8(truncatingIfNeeded: words[row] >> 8)
            }
        }
    }

    /// Adds the trees of `range` to the scores of a block.
    private func addTrees(
        _ range: Range<Int>, _ bins: UnsafePointer<UInt8>, to scores: UnsafeMutablePointer<Double>,
        _ rowCount: Int
    ) {
        let width = baseScores.count
        splits.withUnsafeBufferPointer { splits in
            sets.withUnsafeBufferPointer { sets in
                values.withUnsafeBufferPointer { values in
                    guard let splits = splits.baseAddress, let values = values.baseAddress else { return }
                    let add = rowCount < Int(MTLK_FEW_ROWS) ? mtlk_walk_tree : mtlk_add_tree
                    for tree in trees[range] {
                        add(
                            bins, splits + tree.firstSplit, tree.splitCount, sets.baseAddress,
                            values + tree.firstValue, scores + tree.output, width, rowCount)
                    }
                }
            }
        }
    }
}
