import MetaLearnersCore

extension BoostedTreesModel: ExplainableEstimator {
    private var explainer: TreeExplainer {
        TreeExplainer(
            trees: ensemble.explainedTrees(), leafWidth: 1, scoreCount: ensemble.baseScores.count,
            usedFeatures: ensemble.usedFeatures, binnings: ensemble.binnings)
    }

    /// Shapley values on the scale of scores: of the log odds for two classes, of log probabilities (but for a
    /// constant of the row) for more, of the logarithm of the mean for counts.
    func contributions(
        _ features: Table, rows: [Int32]?, background: Table?, _ context: ExecutionContext
    ) throws(MetaLearnersError) -> Contributions {
        try check(features, rows)
        if let background { try requireColumns(ensemble.featureCount, in: background) }
        let sums = try explainer.contributions(features, rows: rows, background: background, context)
        let count = rows?.count ?? features.rowCount
        let outputs = ensemble.baseScores.count
        let columns = ensemble.usedFeatures + [ensemble.featureCount]
        let target = (ensemble.featureCount + 1) * outputs
        var values = [Double](repeating: 0, count: count * target)
        for row in 0..<count {
            for output in 0..<outputs {
                let first = row * target + output * (ensemble.featureCount + 1)
                for (place, column) in columns.enumerated() {
                    let sum = sums[(row * columns.count + place) * outputs + output]
                    values[first + column] = sum * ensemble.valueScale
                }
                values[first + ensemble.featureCount] += ensemble.baseScores[output]
            }
        }
        let scale: Contributions.Scale =
            switch link {
            case .identity: .prediction
            case .logistic: .logOdds
            case .softmax: .logProbability
            case .exponential: .logMean
            }
        return Contributions(
            values: values, scale: scale, outputCount: outputs, columnCount: ensemble.featureCount)
    }

    /// A number for each column, summed over the trees.
    func importances(_ kind: ImportanceKind) -> [Double] {
        explainer.importance(kind, gains: ensemble.gains, featureCount: ensemble.featureCount)
    }
}

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
