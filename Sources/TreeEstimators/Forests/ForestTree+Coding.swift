import MetaLearnersCore

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
