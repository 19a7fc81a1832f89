/// A tree as explanations need it: nodes in preorder, and the game of each leaf.
///
/// Which splits a row satisfies is found for many rows at once, node by node: a mask of the columns on the way, from which a bit
/// goes at the child that the row does not take.
struct ShapleyTree: Sendable {
    /// The most different columns on a way: the bits of a mask.
    static let columnLimit = 64

    private enum Rule: UInt8 {
        case leaf, aboveOrMissing, above, levels, missing, present
    }

    private struct Node {
        var rule: Rule
        /// The column of a split.
        var column: Int32 = 0
        /// The bit of the column on ways through the split.
        var bit: UInt64 = 0
        var threshold = 0.0
        /// The right child; of a leaf its number. (The left child is the next node.)
        var right: Int32 = 0
        /// Where the levels of a split stand: how many there are, whether others go right, then a bit for each.
        var set: Int32 = 0
    }

    /// What the leaves of a tree are, before anything is known of absent columns.
    fileprivate struct Leaf {
        let value: Double
        let columns: [Int]
        let shares: [Double]
    }

    private var nodes: [Node] = []
    private var sets: [UInt64] = []
    private var bareLeaves: [Leaf] = []
    /// The game of each leaf.
    private(set) var leaves: [LeafGame] = []
    /// What the sums of leaves are multiplied by, for each channel; at least one is not 0.
    let factors: [Double]
    /// Whether leaves know the shares of training weight.
    let hasShares: Bool

    var nodeCount: Int { nodes.count }

    /// - Parameter scale: what leaves are multiplied by.
    /// - Throws: `unsupported` for a way with more than 64 different columns.
    init(_ tree: DecisionTree, scale: Double, factors: [Double]) throws(MetaLearnersError) {
        self.factors = factors
        hasShares = tree.shares != nil
        struct Open {
            let node: Int
            let parent: Int
            let columns: [Int]
            let shares: [Double]
        }
        var open = [Open(node: 0, parent: -1, columns: [], shares: [])]
        while let next = open.popLast() {
            var index = next.node
            // Where both ways are one, there is no split.
            while case .split(_, _, let left, let right) = tree.nodes[index], left == right { index = left }
            if next.parent >= 0 { nodes[next.parent].right = Int32(nodes.count) }
            switch tree.nodes[index] {
            case .leaf(let value):
                nodes.append(Node(rule: .leaf, right: Int32(bareLeaves.count)))
                bareLeaves.append(Leaf(value: value * scale, columns: next.columns, shares: next.shares))
            case .split(let column, let rule, let left, let right):
                var columns = next.columns
                let bit = columns.firstIndex(of: column) ?? columns.count
                var shares = next.shares
                if bit == columns.count {
                    guard bit < Self.columnLimit else {
                        throw MetaLearnersError(
                            .unsupported, at: "trees",
                            "a way in a tree has splits by more than \(Self.columnLimit) different columns",
                            remedy: "use method: permutation")
                    }
                    columns.append(column)
                    shares.append(1)
                }
                let place = nodes.count
                nodes.append(node(rule, column, bit))
                for (child, parent) in [(right, place), (left, -1)] {
                    var ofChild = shares
                    if let known = tree.shares { ofChild[bit] *= known[child] }
                    open.append(Open(node: child, parent: parent, columns: columns, shares: ofChild))
                }
            }
        }
    }

    private mutating func node(_ rule: DecisionTree.Rule, _ column: Int, _ bit: Int) -> Node {
        var node = Node(rule: .missing, column: Int32(column), bit: 1 << UInt64(bit))
        switch rule {
        case .above(let threshold, let missingGoRight):
            node.rule = missingGoRight ? .aboveOrMissing : .above
            node.threshold = threshold
        case .missing: node.rule = .missing
        case .present: node.rule = .present
        case .levels(let levels, let count, let othersGoRight):
            node.rule = .levels
            node.set = Int32(sets.count)
            sets += [UInt64(count), othersGoRight ? 1 : 0]
            sets += [UInt64](repeating: 0, count: (count + 63) / 64)
            for level in levels { sets[Int(node.set) + 2 + level / 64] |= 1 << UInt64(level % 64) }
        }
        return node
    }

    // MARK: Absent columns

    /// Takes absent columns for what the training weight implies.
    mutating func followTrainingWeights() {
        leaves = bareLeaves.map { LeafGame(value: $0.value, columns: $0.columns, absent: .shares($0.shares)) }
    }

    /// Takes absent columns from the rows of `background`, each of which counts alike.
    mutating func takeAbsent(from background: CovariateMatrix) {
        var counts = [[UInt64: Int]](repeating: [:], count: bareLeaves.count)
        let block = ShapleyTree.blockRows
        var masks = [UInt64](repeating: 0, count: nodes.count * block)
        for first in stride(from: 0, to: background.rowCount, by: block) {
            let rows = min(block, background.rowCount - first)
            masks.withUnsafeMutableBufferPointer { buffer in
                guard let masks = buffer.baseAddress else { return }
                findMasks(background, first, rows, masks)
                forEachLeaf(masks) { leaf, masks in
                    let full = bareLeaves[leaf].full
                    for row in 0..<rows { counts[leaf][masks[row] & full, default: 0] += 1 }
                }
            }
        }
        let count = Double(background.rowCount)
        leaves = bareLeaves.enumerated().map { index, leaf in
            LeafGame(
                value: leaf.value, columns: leaf.columns,
                absent: .masks(
                    counts[index].sorted { $0.key < $1.key }.map { ($0.key, Double($0.value) / count) }))
        }
    }

    // MARK: Rows

    /// Rows whose masks are found together.
    static let blockRows = 128

    /// Finds the mask of each node for `rows` rows from `first` on: `blockRows` places for each node.
    func findMasks(
        _ matrix: CovariateMatrix, _ first: Int, _ rows: Int, _ masks: UnsafeMutablePointer<UInt64>
    ) {
        for row in 0..<rows { masks[row] = .max }
        nodes.withUnsafeBufferPointer { nodes in
            for index in 0..<nodes.count where nodes[index].rule != .leaf {
                let node = nodes[index]
                let own = masks + index * Self.blockRows
                let left = own + Self.blockRows
                let right = masks + Int(node.right) * Self.blockRows
                let values = matrix.column(Int(node.column)) + first
                let bit = node.bit
                let threshold = node.threshold
                @inline(__always) func part(_ goesRight: (Double) -> Bool) {
                    for row in 0..<rows {
                        let mask = own[row]
                        let taken: UInt64 = goesRight(values[row]) ? bit : 0
                        left[row] = mask & ~taken
                        right[row] = mask & ~(bit ^ taken)
                    }
                }
                switch node.rule {
                case .leaf: break
                case .above: part { $0 > threshold }
                case .aboveOrMissing: part { !($0 <= threshold) }
                case .missing: part { $0.isNaN }
                case .present: part { !$0.isNaN }
                case .levels:
                    sets.withUnsafeBufferPointer { sets in
                        let set = Int(node.set)
                        let (count, others) = (Double(sets[set]), sets[set + 1] == 1)
                        part { code in
                            guard code >= 0, code < count else { return others }
                            let level = Int(code)
                            return sets[set + 2 + level / 64] >> UInt64(level % 64) & 1 == 1
                        }
                    }
                }
            }
        }
    }

    /// Calls `body` with each leaf and the masks found of it, those of unused bits included.
    @inline(__always)
    func forEachLeaf(
        _ masks: UnsafeMutablePointer<UInt64>, _ body: (Int, UnsafeMutablePointer<UInt64>) -> Void
    ) {
        for index in 0..<nodes.count where nodes[index].rule == .leaf {
            body(Int(nodes[index].right), masks + index * Self.blockRows)
        }
    }
}

extension ShapleyTree.Leaf {
    fileprivate var full: UInt64 { columns.count == 64 ? .max : (1 << UInt64(columns.count)) - 1 }
}
