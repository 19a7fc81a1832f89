/// A leaf of a tree that still grows.
protocol GrowingLeaf {
    /// Splits on the way to it from the root.
    var depth: Int { get }
    /// How many rows it holds.
    var count: Int64 { get }
    /// What its best split gains; nil where none is known to gain.
    var gain: Double? { get }
}

extension GrowthRules {
    /// The leaf to be split next: that of the largest gain, where trees grow depth-wise among those nearest to the root;
    /// the first of several. Nil where none gains.
    func nextLeaf(_ leaves: [some GrowingLeaf]) -> Int? {
        var chosen: (index: Int, gain: Double)?
        for index in leaves.indices {
            guard let gain = leaves[index].gain else { continue }
            if let current = chosen {
                let deeper = isDepthWise ? leaves[index].depth - leaves[current.index].depth : 0
                guard deeper < 0 || deeper == 0 && gain > current.gain else { continue }
            }
            chosen = (index, gain)
        }
        return chosen?.index
    }

    /// Whether a tree of so many leaves may split this one.
    func maySplit(_ leaf: some GrowingLeaf, leafCount: Int) -> Bool {
        leaf.count / 2 >= minLeafSize && leaf.depth < maxDepth && leafCount < maxLeaves
    }
}
