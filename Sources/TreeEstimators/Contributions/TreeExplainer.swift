import MetaLearnersCore

/// Contributions of columns to the scores of a sum of trees.
struct TreeExplainer: Sendable {
    /// The trees; splits name columns by their place among those used.
    let trees: [ExplainedTree]
    /// Scores that each tree adds to.
    let leafWidth: Int
    /// Scores of a row.
    let scoreCount: Int
    /// The columns that some split uses.
    let usedFeatures: [Int]
    let binnings: [ColumnBinning]

    /// Rows of one part of the work.
    private static let blockRows = 16

    /// For each row, for each used column and then for the expected value, the scores' contributions: sums over
    /// the trees.
    ///
    /// Path-dependent: O(rows · leaves · depth²). Interventional: O(rows · background rows · nodes) at most.
    ///
    /// - Throws: `invalidArgument` for a background without rows; `cancelled`, `outOfMemory`.
    func contributions(
        _ features: Table, rows: [Int32]?, background: Table?, _ context: ExecutionContext
    ) throws(MetaLearnersError) -> [Double] {
        let count = rows?.count ?? features.rowCount
        let stride = (usedFeatures.count + 1) * scoreCount
        let (total, overflow) = count.multipliedReportingOverflow(by: stride)
        guard !overflow, total < 1 << 40 else {
            throw MetaLearnersError(
                .outOfMemory, "there are too many contributions", remedy: "explain fewer rows at a time")
        }
        var results = [Double](repeating: 0, count: total)
        let binner = binner(of: features)
        if let background {
            guard background.rowCount > 0 else {
                throw MetaLearnersError(.invalidArgument, at: "background", "has no rows")
            }
            var copied: [UInt16] = []
            self.binner(of: background).withBins(of: 0..<background.rowCount, nil) { bins in
                let size = background.rowCount * usedFeatures.count
                copied = Array(UnsafeBufferPointer(start: bins, count: size))
            }
            let others = copied
            let expected = meanScores(others, count: background.rowCount)
            fill(&results, binner, rows, count, expected, context) { bins, target in
                addInterventional(bins, others, background.rowCount, to: target)
            }
        } else {
            fill(&results, binner, rows, count, expectedScores(), context) { bins, target in
                for tree in trees {
                    PathContributions.add(
                        tree, bins, leafWidth: leafWidth, to: target, scoreCount: scoreCount)
                }
            }
        }
        try context.checkCancellation()
        return results
    }

    private func binner(of table: Table) -> RowBinner {
        RowBinner(usedFeatures.map { table.columns[$0].values }, binnings)
    }

    private func fill(
        _ results: inout [Double], _ binner: RowBinner, _ rows: [Int32]?, _ count: Int, _ expected: [Double],
        _ context: ExecutionContext,
        _ body: @Sendable (UnsafePointer<UInt16>, UnsafeMutablePointer<Double>) -> Void
    ) {
        let stride = (usedFeatures.count + 1) * scoreCount
        let blocks = (count + Self.blockRows - 1) / Self.blockRows
        results.withUnsafeMutableBufferPointer { buffer in
            let results = DisjointWrites(buffer)
            context.concurrently(blocks) { block in
                if context.isCancelled { return }
                let positions = block * Self.blockRows..<min(count, (block + 1) * Self.blockRows)
                binner.withBins(of: positions, rows) { bins in
                    for (index, position) in positions.enumerated() {
                        guard let target = results.pointer(to: position * stride) else { return }
                        body(bins + index * binner.width, target)
                        for score in 0..<scoreCount {
                            target[stride - scoreCount + score] = expected[score]
                        }
                    }
                }
            }
        }
    }

    private func addInterventional(
        _ bins: UnsafePointer<UInt16>, _ others: [UInt16], _ count: Int,
        to target: UnsafeMutablePointer<Double>
    ) {
        let width = usedFeatures.count
        others.withUnsafeBufferPointer { others in
            guard let others = others.baseAddress else { return }
            for tree in trees {
                for other in 0..<count {
                    InterventionalContributions.add(
                        tree, bins, background: others + other * width, columns: width,
                        leafWidth: leafWidth, to: target, scoreCount: scoreCount)
                }
            }
        }
        for index in 0..<width * scoreCount { target[index] /= Double(count) }
    }

    /// The trees' expectations: means of their leaves, weighted by training rows.
    private func expectedScores() -> [Double] {
        var expected = [Double](repeating: 0, count: scoreCount)
        for tree in trees {
            // Going down by the same shares as contributions do, also where no row came.
            var reach = [Double](repeating: 0, count: tree.covers.count)
            if !reach.isEmpty { reach[0] = 1 }
            for (index, node) in tree.tree.nodes.enumerated() {
                guard node.kind == .leaf else {
                    for child in [index + 1, Int(node.next)] {
                        reach[child] = reach[index] * tree.share(of: child, at: index)
                    }
                    continue
                }
                let leaf = Int(node.next) * leafWidth
                for score in 0..<leafWidth {
                    expected[tree.firstScore + score] += reach[index] * Double(tree.tree.values[leaf + score])
                }
            }
        }
        return expected
    }

    private func meanScores(_ bins: [UInt16], count: Int) -> [Double] {
        var means = [Double](repeating: 0, count: scoreCount)
        var leaves = [Int32](repeating: 0, count: count)
        // A byte more, so that there is an address where no column is used.
        let padded = bins + [0]
        padded.withUnsafeBufferPointer { padded in
            guard let bins = padded.baseAddress else { return }
            for tree in trees {
                tree.tree.findLeaves(bins, width: usedFeatures.count, count: count, into: &leaves)
                for row in 0..<count {
                    for score in 0..<leafWidth {
                        means[tree.firstScore + score] += Double(
                            tree.tree.values[Int(leaves[row]) * leafWidth + score])
                    }
                }
            }
        }
        return means.map { $0 / Double(count) }
    }

    /// Sums over the trees, by used column.
    func importance(_ kind: ImportanceKind, gains: [Double], featureCount: Int) -> [Double] {
        var result = [Double](repeating: 0, count: featureCount)
        switch kind {
        case .gain: for (place, gain) in gains.enumerated() { result[usedFeatures[place]] = gain }
        case .cover, .splits:
            for tree in trees {
                for (index, node) in tree.tree.nodes.enumerated() where node.kind != .leaf {
                    result[usedFeatures[Int(node.place)]] += kind == .splits ? 1 : tree.covers[index]
                }
            }
        }
        return result
    }
}

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
