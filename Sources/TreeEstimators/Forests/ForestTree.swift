import MetaLearnersCore

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

extension ForestTree {
    /// Writes the nodes in preorder, each with what it has.
    func encode(to writer: inout BinaryWriter, leafWidth: Int) {
        for node in nodes {
            writer.write(node.kind.rawValue)
            switch node.kind {
            case .leaf:
                let leaf = Int(node.next)
                for value in values[leaf * leafWidth..<(leaf + 1) * leafWidth] { writer.write(value) }
                writer.write(covers[leaf])
            case .missingLeft, .missingRight:
                writer.write(node.place)
                writer.write(UInt8(truncatingIfNeeded: node.threshold))
            case .categories:
                writer.write(node.place)
                for word in 0..<4 { writer.write(sets[Int(node.set)].words[word]) }
            }
        }
    }

    /// Reads what `encode` wrote: a tree ends when every split has both children.
    ///
    /// - Throws: `corruptModel` for a column beyond `columns`, a value that is none, or a tree that is too deep.
    init(from reader: inout BinaryReader, columns: Int, output: ForestOutput) throws(MetaLearnersError) {
        self.init()
        // The splits whose right child is still to come, with their depth.
        var open: [(node: Int, depth: Int)] = []
        var depth = 0
        while true {
            guard let kind = Node.Kind(rawValue: try reader.read(UInt8.self)) else {
                throw BinaryReader.corrupt("a node of a forest is of an unknown kind")
            }
            if kind == .leaf {
                try readLeaf(&reader, output)
                guard let (parent, parentDepth) = open.popLast() else { return }
                nodes[parent].next = Int32(nodes.count)
                depth = parentDepth + 1
            } else {
                open.append((nodes.count, depth))
                try readSplit(&reader, kind, columns: columns)
                depth += 1
            }
            guard depth <= Self.maximumDepth, nodes.count < Int32.max else {
                throw BinaryReader.corrupt("a tree of a forest is too deep")
            }
        }
    }

    private mutating func readLeaf(_ reader: inout BinaryReader, _ output: ForestOutput)
        throws(MetaLearnersError)
    {
        var leafValues: [Float] = []
        for _ in 0..<output.leafWidth { leafValues.append(try reader.readFloat()) }
        let cover = try reader.readFloat()
        var isValid = cover >= 0 && cover.isFinite && leafValues.allSatisfy(\.isFinite)
        if output.isClassification {
            let total = leafValues.reduce(0.0) { $0 + Double($1) }
            isValid = isValid && total <= 1 && leafValues.allSatisfy { $0 >= 0 }
        }
        guard isValid else { throw BinaryReader.corrupt("a leaf of a forest has no value") }
        appendLeaf(leafValues, cover: cover)
    }

    private mutating func readSplit(_ reader: inout BinaryReader, _ kind: Node.Kind, columns: Int)
        throws(MetaLearnersError)
    {
        let place = Int(try reader.read(UInt16.self))
        guard place < columns else {
            throw BinaryReader.corrupt("a forest splits by a column it does not use")
        }
        if kind == .categories {
            var set = CategorySet()
            for word in 0..<4 { set.words[word] = try reader.read(UInt64.self) }
            appendSplit(.categories(set), place: place)
        } else {
            appendSplit(
                .ordered(threshold: UInt16(try reader.read(UInt8.self)), missingRight: kind == .missingRight),
                place: place)
        }
    }
}
