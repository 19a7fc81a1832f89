import MetaLearnersCore

extension FittedForest: ExplainableEstimator {
    private var explainer: TreeExplainer {
        TreeExplainer(
            trees: trees.map { ExplainedTree($0, firstScore: 0) }, leafWidth: output.leafWidth,
            scoreCount: output.leafWidth, usedFeatures: usedFeatures, binnings: binnings)
    }

    /// Shapley values on the scale of predictions: of shares, for each class.
    ///
    /// For the residual loss a prediction is base + scale·N/D with N and D both means over the trees. The values are
    /// then those of N − (E[N]/E[D])·D, divided by D at the row: exact for that score, and they add up to the
    /// prediction.
    public func contributions(
        _ features: Table, rows: [Int32]?, background: Table?, _ context: ExecutionContext
    ) throws(MetaLearnersError) -> Contributions {
        try check(features, rows)
        if let background { try requireColumns(featureCount, in: background) }
        let explainer = explainer
        let sums = try explainer.contributions(features, rows: rows, background: background, context)
        let count = rows?.count ?? features.rowCount
        let width = output.leafWidth
        let treeCount = Double(max(trees.count, 1))
        let stride = (usedFeatures.count + 1) * width
        let target = (featureCount + 1) * outputCount
        var values = [Double](repeating: 0, count: count * target)
        let columns = usedFeatures + [featureCount]
        for row in 0..<count {
            let scores = sums[row * stride..<(row + 1) * stride].map { $0 / treeCount }
            let converted = convert(scores, columns: columns.count)
            for output in 0..<outputCount {
                for (place, column) in columns.enumerated() {
                    values[row * target + output * (featureCount + 1) + column] =
                        converted[place * outputCount + output]
                }
            }
        }
        return Contributions(
            values: values, scale: .prediction, outputCount: outputCount, columnCount: featureCount)
    }

    /// Contributions to predictions, of those to the means of leaf values; the last column is the expected value.
    private func convert(_ scores: [Double], columns: Int) -> [Double] {
        let last = columns - 1
        switch output {
        case .mean(let base, let scale):
            var values = scores.map { $0 * scale }
            values[last] += base
            return values
        case .ratio(let base, let scale):
            let total = (0..<columns).reduce(0) { $0 + scores[2 * $1 + 1] }
            let expected = scores[2 * last + 1] > 0 ? scores[2 * last] / scores[2 * last + 1] : 0
            var values = (0..<columns).map { place in
                total > 0 ? scale * (scores[2 * place] - expected * scores[2 * place + 1]) / total : 0
            }
            values[last] = total > 0 ? base + scale * expected : base
            return values
        case .shares(let classes):
            var values = [Double](repeating: 0, count: columns * classes)
            values[last * classes] = 1
            for place in 0..<columns {
                for index in 1..<classes {
                    let score = scores[place * (classes - 1) + index - 1]
                    values[place * classes + index] = score
                    values[place * classes] -= score
                }
            }
            return values
        }
    }

    /// A number for each column, summed over the trees.
    public func importances(_ kind: ImportanceKind) -> [Double] {
        explainer.importance(kind, gains: gains, featureCount: featureCount)
    }
}

extension FittedForest {
    /// A node of a tree of a forest that has numeric columns and one value a leaf, in preorder.
    package struct ExplainedNode: Sendable {
        /// The column of a split, nil for a leaf.
        package let column: Int?
        /// Larger numbers go right.
        package let threshold: Double
        package let right: Int
        /// The prediction of a leaf, were it the whole forest's.
        package let value: Double
        /// The share of the tree's training weight.
        package let cover: Double
    }

    /// The nodes of a tree, so that contributions can be checked against their definition.
    package func explainedNodes(ofTree tree: Int) -> [ExplainedNode] {
        guard trees.indices.contains(tree), case .mean(let base, let scale) = output else { return [] }
        let explained = ExplainedTree(trees[tree], firstScore: 0)
        return explained.tree.nodes.enumerated().map { index, node in
            guard node.kind != .leaf, case .numeric(let binning) = binnings[Int(node.place)],
                (1...binning.edges.count).contains(Int(node.threshold))
            else {
                let value = node.kind == .leaf ? Double(trees[tree].values[Int(node.next)]) : 0
                return ExplainedNode(
                    column: nil, threshold: 0, right: 0, value: base + scale * value,
                    cover: explained.covers[index])
            }
            return ExplainedNode(
                column: usedFeatures[Int(node.place)], threshold: binning.edges[Int(node.threshold) - 1],
                right: Int(node.next), value: 0, cover: explained.covers[index])
        }
    }
}
