extension TreeEnsemble {
    /// The trees with their nodes in preorder, instead of splits in the order they were made.
    func explainedTrees() -> [ExplainedTree] {
        trees.map { ExplainedTree(inPreorder($0), firstScore: $0.output) }
    }

    private struct Node {
        /// The split, nil for a leaf.
        var split: Split?
        /// The number of a leaf, or of the left child.
        var first: Int
        var right = 0
    }

    private func inPreorder(_ tree: Tree) -> ForestTree {
        var nodes = [Node(split: nil, first: 0)]
        // The node that is, for now, each leaf.
        var leaves = [0]
        for index in 0..<tree.splitCount {
            let split = split(at: tree.firstSplit + index)
            let leaf = Int(split.leaf)
            let parent = leaves[leaf]
            nodes[parent] = Node(split: split, first: nodes.count, right: nodes.count + 1)
            leaves[leaf] = nodes.count
            leaves.append(nodes.count + 1)
            nodes.append(Node(split: nil, first: leaf))
            nodes.append(Node(split: nil, first: index + 1))
        }
        var result = ForestTree()
        var pending = [(node: 0, parent: -1)]
        while let (index, parent) = pending.popLast() {
            if parent >= 0 { result.nodes[parent].next = Int32(result.nodes.count) }
            let node = nodes[index]
            if let split = node.split {
                pending.append((node.right, result.nodes.count))
                pending.append((node.first, -1))
                result.appendSplit(split.rule, place: Int(split.feature))
            } else {
                let place = tree.firstValue + node.first
                result.appendLeaf(CollectionOfOne(values[place]), cover: Float(covers[place].share))
            }
        }
        return result
    }
}
