/// A tree of a forest: nodes in preorder, so that the left child of a node follows it.
struct ForestTree: Sendable, Equatable {
    /// A node.
    struct Node: Sendable, Equatable {
        /// What a node is.
        enum Kind: UInt8, Sendable {
            case leaf
            /// Bins above the threshold go right; missing values, bin 0, go left.
            case missingLeft
            /// Bins above the threshold go right, and so do missing values.
            case missingRight
            /// The bins of a set go right.
            case categories
        }

        let kind: Kind
        var threshold: UInt16 = 0
        /// The column, by its place among those that the forest uses.
        var place: UInt16 = 0
        /// The right child; of a leaf, its number.
        var next: Int32
        /// Which of the tree's sets.
        var set: Int32 = 0
    }

    /// The longest way from the root to a leaf that there may be.
    static let maximumDepth = 255

    var nodes: [Node] = []
    /// The values of the leaves, side by side.
    var values: [Float] = []
    /// The weight of the rows that the value of each leaf is of.
    var covers: [Float] = []
    var sets: [CategorySet] = []

    /// Adds a leaf after the last node.
    mutating func appendLeaf(_ leafValues: some Sequence<Float>, cover: Float) {
        nodes.append(Node(kind: .leaf, next: Int32(covers.count)))
        values += leafValues
        covers.append(cover)
    }

    /// Adds a split after the last node; its right child is to be set when it is known.
    mutating func appendSplit(_ rule: SplitCandidate.Rule, place: Int) {
        switch rule {
        case .ordered(let threshold, let missingRight):
            nodes.append(
                Node(
                    kind: missingRight ? .missingRight : .missingLeft, threshold: threshold,
                    place: UInt16(truncatingIfNeeded: place), next: 0))
        case .categories(let set):
            nodes.append(
                Node(
                    kind: .categories, place: UInt16(truncatingIfNeeded: place), next: 0,
                    set: Int32(sets.count)))
            sets.append(set)
        }
    }

    /// Whether a row in `bin` goes right at a split.
    @inline(__always)
    static func goesRight(_ node: Node, _ bin: UInt16, _ sets: UnsafePointer<CategorySet>?) -> Bool {
        switch node.kind {
        case .leaf: false
        case .missingLeft: bin > node.threshold
        // Less 1, missing values are 65,535 and lie above every threshold.
        case .missingRight: bin &- 1 > node.threshold &- 1
        case .categories: sets?[Int(node.set)].contains(Int(bin)) ?? false
        }
    }

    /// The leaf of each of `count` rows, whose bins are `width` bytes apart.
    func findLeaves(
        _ bins: UnsafePointer<UInt16>, width: Int, count: Int, into leaves: UnsafeMutablePointer<Int32>
    ) {
        nodes.withUnsafeBufferPointer { nodes in
            sets.withUnsafeBufferPointer { sets in
                guard let root = nodes.baseAddress else { return }
                for row in 0..<count {
                    let rowBins = bins + row * width
                    var index = 0
                    while true {
                        let node = root[index]
                        if node.kind == .leaf {
                            leaves[row] = node.next
                            break
                        }
                        let isRight = Self.goesRight(node, rowBins[Int(node.place)], sets.baseAddress)
                        index = isRight ? Int(node.next) : index + 1
                    }
                }
            }
        }
    }
}
