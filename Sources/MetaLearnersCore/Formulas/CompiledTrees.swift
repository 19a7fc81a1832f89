import CTreeKernels

/// Trees laid out for single rows. Several are gone down at once, those of equal depth together.
final class CompiledTrees: Sendable {
    let count: Int
    private let nodes: AlignedBuffer<mtlk_node>
    private let values: AlignedBuffer<Double>
    private let sets: AlignedBuffer<UInt64>
    private let roots: AlignedBuffer<UInt32>
    private let places: AlignedBuffer<UInt32>
    private let plainCount: Int

    /// - Parameter width: the numbers of a row, which are followed by the same with −∞ for NaN.
    init(_ trees: [DecisionTree], _ width: Int) throws(MetaLearnersError) {
        guard trees.isEmpty || width <= Int(Int16.max) else {
            throw MetaLearnersError(.unsupported, at: "trees", "they have too many columns for single rows")
        }
        var layout = TreeLayout(width: width)
        let shapes = trees.map { (depth: $0.depth, hasSets: $0.hasSets) }
        var roots: [UInt32] = []
        var places: [UInt32] = []
        // A leaf of its own, and a place for its value, make groups complete.
        let nothing = try layout.append([.leaf(0)])
        func append(_ kept: (Int) -> Bool) throws(MetaLearnersError) {
            for tree in trees.indices.filter(kept).sorted(by: { shapes[$0].depth < shapes[$1].depth }) {
                roots.append(try layout.append(trees[tree].nodes))
                places.append(UInt32(tree))
            }
            while !roots.count.isMultiple(of: Int(MTLK_ROW_LANES)) {
                roots.append(nothing)
                places.append(UInt32(trees.count))
            }
        }
        try append { !shapes[$0].hasSets }
        plainCount = roots.count
        try append { shapes[$0].hasSets }
        count = trees.count
        nodes = try AlignedBuffer(layout.nodes)
        values = try AlignedBuffer(layout.values)
        sets = try AlignedBuffer(layout.sets)
        self.roots = try AlignedBuffer(roots)
        self.places = try AlignedBuffer(places)
    }

    /// Writes the value of the leaf that the row comes to in each tree, and one number more.
    func findLeaves(_ row: UnsafePointer<Double>, to found: UnsafeMutablePointer<Double>) {
        mtlk_leaf_values(
            row, nodes.start, values.start, sets.start, roots.start, places.start, plainCount, roots.count,
            found)
    }
}

/// Trees while they are laid out: level by level, the children of a node side by side.
private struct TreeLayout {
    /// How many numbers a row has. They stand in it twice: as they are, and with −∞ for NaN, which goes left then.
    let width: Int
    var nodes: [mtlk_node] = []
    var values: [Double] = []
    var sets: [UInt64] = []

    /// Adds a tree, and gives the place of its root.
    mutating func append(_ tree: [DecisionTree.Node]) throws(MetaLearnersError) -> UInt32 {
        let root = nodes.count
        var open = [(node: 0, place: root)]
        appendRoom(1)
        var next = 0
        while next < open.count {
            let (index, place) = open[next]
            next += 1
            switch tree[index] {
            case .leaf(let value): values[place] = value
            case .split(let column, let rule, let left, let right):
                guard column < width, nodes.count < Int(UInt32.max) / 2 else {
                    throw MetaLearnersError(
                        .unsupported, at: "trees", "they are too large for single rows")
                }
                let first = nodes.count
                appendRoom(2)
                nodes[place] = node(rule, column, left: UInt32(first))
                // Rows whose value is there are those that are not missing.
                let isSwapped = rule == .present
                open.append((isSwapped ? right : left, first))
                open.append((isSwapped ? left : right, first + 1))
            }
        }
        return UInt32(root)
    }

    private mutating func appendRoom(_ count: Int) {
        for _ in 0..<count {
            nodes.append(
                mtlk_node(
                    threshold: .infinity, left: UInt32(nodes.count),
                    feature: UInt16(truncatingIfNeeded: width), others_right: 0, has_set: 0))
            values.append(0)
        }
    }

    private mutating func node(_ rule: DecisionTree.Rule, _ column: Int, left: UInt32) -> mtlk_node {
        func node(_ threshold: Double, missingGoRight: Bool = true, set othersGoRight: Bool? = nil)
            -> mtlk_node
        {
            mtlk_node(
                threshold: threshold, left: left,
                feature: UInt16(truncatingIfNeeded: missingGoRight ? column : column + width),
                others_right: othersGoRight == true ? 1 : 0, has_set: othersGoRight == nil ? 0 : 1)
        }
        switch rule {
        case .above(let threshold, let missingGoRight): return node(threshold, missingGoRight: missingGoRight)
        case .missing, .present: return node(.infinity)
        case .levels(let levels, let count, let othersGoRight):
            let first = sets.count
            sets.append(UInt64(count))
            sets += [UInt64](repeating: 0, count: (count + 63) / 64)
            for level in levels { sets[first + 1 + level / 64] |= 1 << UInt64(level % 64) }
            return node(Double(first), set: othersGoRight)
        }
    }
}

extension DecisionTree {
    /// How many splits the longest way has.
    fileprivate var depth: Int {
        var depths = [Int](repeating: 0, count: nodes.count)
        for index in nodes.indices {
            guard case .split(_, _, let left, let right) = nodes[index] else { continue }
            depths[left] = max(depths[left], depths[index] + 1)
            depths[right] = max(depths[right], depths[index] + 1)
        }
        return depths.max() ?? 0
    }

    fileprivate var hasSets: Bool {
        nodes.contains { if case .split(_, .levels, _, _) = $0 { true } else { false } }
    }
}
