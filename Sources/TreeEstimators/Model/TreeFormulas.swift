import MetaLearnersCore

extension DecisionTree.Rule {
    /// What a split by bins says of values; nil where no row goes right.
    ///
    /// - Throws: `unsupported` for a set of bins of numbers, which no threshold stands for.
    init?(_ rule: SplitCandidate.Rule, _ binning: ColumnBinning) throws(MetaLearnersError) {
        func goesRight(_ bin: UInt16) -> Bool {
            switch rule {
            // Less 1, missing values (bin 0) are the highest bin of all.
            case .ordered(let threshold, let missingRight):
                missingRight ? bin &- 1 > threshold &- 1 : bin > threshold
            case .categories(let set): set.contains(Int(bin))
            }
        }
        switch (binning, rule) {
        case (.categorical(let binning), _):
            self = .levels(
                binning.levelBins.indices.filter { goesRight(binning.levelBins[$0]) },
                of: binning.levelBins.count, othersGoRight: goesRight(0))
        case (.numeric(let binning), .ordered(let threshold, _)):
            let missingGoRight = goesRight(0)
            let edge = Int(threshold) - 1
            if binning.edges.indices.contains(edge) {
                self = .above(binning.edges[edge], missingGoRight: missingGoRight)
            } else if goesRight(1) {
                self = .present
            } else if missingGoRight {
                self = .missing
            } else {
                return nil
            }
        case (.numeric, .categories):
            throw MetaLearnersError(
                .unsupported, at: "trees", "a split sends a set of bins of numbers to one side",
                remedy: "fit again")
        }
    }

    /// The node of a split; where no row goes right, both ways are the left one.
    static func node(
        column: Int, _ rule: SplitCandidate.Rule, _ binning: ColumnBinning, left: Int, right: Int
    ) throws(MetaLearnersError) -> DecisionTree.Node {
        guard let rule = try Self(rule, binning) else {
            return .split(column: column, .missing, left: left, right: left)
        }
        return .split(column: column, rule, left: left, right: right)
    }
}

extension BoostedTreesModel: FormulaProviding {
    func formulas() throws(MetaLearnersError) -> [Formula] {
        var scores: [Formula] = []
        for (output, base) in ensemble.baseScores.enumerated() {
            var trees: [DecisionTree] = []
            for tree in ensemble.trees where tree.output == output {
                trees.append(try decisionTree(tree))
            }
            scores.append(
                Formula(.trees(DecisionTrees(base: base, scale: ensemble.valueScale, trees: trees))))
        }
        switch link {
        case .identity: return scores
        case .logistic:
            return [
                Formula(.sigmoid(Formula(.difference(.constant(0), scores[0])))),
                Formula(.sigmoid(scores[0])),
            ]
        case .softmax: return scores.indices.map { Formula(.softmax(scores, index: $0)) }
        case .exponential: return [Formula(.exp(Formula(.clip(scores[0], lower: nil, upper: 709))))]
        }
    }

    private func decisionTree(_ tree: TreeEnsemble.Tree) throws(MetaLearnersError) -> DecisionTree {
        var nodes: [DecisionTree.Node] = [.leaf(0)]
        // The node that is, for now, each leaf.
        var leaves = [0]
        for index in tree.firstSplit..<tree.firstSplit + tree.splitCount {
            let split = ensemble.split(at: index)
            let place = Int(split.feature)
            let left = nodes.count
            nodes[leaves[Int(split.leaf)]] = try DecisionTree.Rule.node(
                column: ensemble.usedFeatures[place], split.rule, ensemble.binnings[place], left: left,
                right: left + 1)
            nodes += [.leaf(0), .leaf(0)]
            leaves[Int(split.leaf)] = left
            leaves.append(left + 1)
        }
        var weights = [Double](repeating: 0, count: nodes.count)
        for (leaf, node) in leaves.enumerated() {
            nodes[node] = .leaf(Double(ensemble.values[tree.firstValue + leaf]))
            weights[node] = ensemble.covers[tree.firstValue + leaf].share
        }
        return try DecisionTree(nodes, leafWeights: weights)
    }
}

extension FittedForest: FormulaProviding {
    /// A formula for each output.
    ///
    /// - Throws: `unsupported` for a split that no formula has.
    public func formulas() throws(MetaLearnersError) -> [Formula] {
        var means: [Formula] = []
        for index in 0..<output.leafWidth {
            var described: [DecisionTree] = []
            for tree in trees { described.append(try decisionTree(tree, index)) }
            let sum = Formula(.trees(DecisionTrees(base: 0, scale: 1, trees: described)))
            let count = Formula.constant(Double(max(trees.count, 1)))
            means.append(Formula(.quotient(sum, count, otherwise: nil)))
        }
        switch output {
        case .mean(let base, let scale):
            return [Formula(.linear(intercept: base, coefficients: [scale], [means[0]]))]
        case .ratio(let base, let scale):
            let ratio = Formula(.quotient(means[0], means[1], otherwise: 0))
            return [Formula(.linear(intercept: base, coefficients: [scale], [ratio]))]
        case .shares:
            let rest = means.reduce(Formula.constant(1)) { Formula(.difference($0, $1)) }
            return [Formula(.clip(rest, lower: 0, upper: nil))] + means
        }
    }

    private func decisionTree(_ tree: ForestTree, _ index: Int) throws(MetaLearnersError) -> DecisionTree {
        var nodes: [DecisionTree.Node] = []
        var weights = [Double](repeating: 0, count: tree.nodes.count)
        for (place, node) in tree.nodes.enumerated() {
            func split(_ rule: SplitCandidate.Rule) throws(MetaLearnersError) -> DecisionTree.Node {
                let column = Int(node.place)
                return try DecisionTree.Rule.node(
                    column: usedFeatures[column], rule, binnings[column], left: place + 1,
                    right: Int(node.next))
            }
            switch node.kind {
            case .leaf:
                nodes.append(.leaf(Double(tree.values[Int(node.next) * output.leafWidth + index])))
                weights[place] = Double(tree.covers[Int(node.next)])
            case .missingLeft:
                nodes.append(try split(.ordered(threshold: node.threshold, missingRight: false)))
            case .missingRight:
                nodes.append(try split(.ordered(threshold: node.threshold, missingRight: true)))
            case .categories: nodes.append(try split(.categories(tree.sets[Int(node.set)])))
            }
        }
        return try DecisionTree(nodes, leafWeights: weights)
    }
}
