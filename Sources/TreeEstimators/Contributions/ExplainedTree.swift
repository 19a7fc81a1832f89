/// A tree as contributions need it: with the weight of the training rows at every node.
struct ExplainedTree: Sendable {
    let tree: ForestTree
    /// The share of the tree's weight at each node.
    let covers: [Double]
    /// The first of the scores that the tree adds to.
    let firstScore: Int
    /// Splits on the longest way from the root to a leaf.
    let depth: Int

    init(_ tree: ForestTree, firstScore: Int) {
        self.tree = tree
        self.firstScore = firstScore
        var covers = [Double](repeating: 0, count: tree.nodes.count)
        var heights = [Int](repeating: 0, count: tree.nodes.count)
        // In preorder, children come after their parent.
        for index in tree.nodes.indices.reversed() {
            let node = tree.nodes[index]
            if node.kind == .leaf {
                covers[index] = Double(tree.covers[Int(node.next)])
            } else {
                covers[index] = covers[index + 1] + covers[Int(node.next)]
                heights[index] = max(heights[index + 1], heights[Int(node.next)]) + 1
            }
        }
        if let total = covers.first, total > 0 { for index in covers.indices { covers[index] /= total } }
        self.covers = covers
        depth = heights.first ?? 0
    }

    /// The share of a node's weight that goes to its child; a half each where nothing came to the node.
    @inline(__always)
    func share(of child: Int, at node: Int) -> Double {
        covers[node] > 0 ? covers[child] / covers[node] : 0.5
    }
}
