import MetaLearnersCore

extension XGBoostModel: FormulaProviding {
    /// A formula for each output: the trees as XGBoost writes them, on numbers in double precision. Rows go the same ways as in
    /// XGBoost, which rounds numbers to single precision first; the sum of the leaves is the exacter one.
    ///
    /// - Throws: `unsupported` for models that are no sums of trees, such as those of `booster: gblinear`, for trees that `dart` weighs, and where
    ///   XGBoost is not there.
    func formulas() throws(MetaLearnersError) -> [Formula] {
        let outputs = shape.offsets.count
        var trees = [[DecisionTree]](repeating: [], count: outputs)
        for (index, text) in try dumpedTrees().enumerated() {
            trees[index % outputs].append(try decisionTree(text))
        }
        try requireProbe(trees)
        let scores = trees.indices.map { output in
            Formula(
                .trees(
                    DecisionTrees(
                        base: shape.offsets[output], scale: shape.link == .identity ? 1 / shape.scale : 1,
                        trees: trees[output])))
        }
        switch shape.link {
        case .identity: return scores
        case .logistic:
            let negative = Formula(.difference(.constant(0), scores[0]))
            return [Formula(.sigmoid(negative)), Formula(.sigmoid(scores[0]))]
        case .softmax: return scores.indices.map { Formula(.softmax(scores, index: $0)) }
        }
    }

    private static var noSum: MetaLearnersError {
        MetaLearnersError(
            .unsupported, at: "backend 'xgboost'",
            "the model is no sum of trees that a formula could repeat",
            remedy: "fit with booster: gbtree, and one tree for each class and round")
    }

    /// Checks the trees on the rows of `probe`: other kinds of boosters write trees, too, and weigh or order them otherwise.
    private func requireProbe(_ trees: [[DecisionTree]]) throws(MetaLearnersError) {
        guard !probeMargins.isEmpty else { return }
        let columns = shape.levels.enumerated().map { index, levels in
            levels == 0
                ? Column("\(index)", [Double.nan, 0])
                : Column(
                    "\(index)", codes: StridedValues([Int32(-1), 0]), levels: (0..<levels).map { "\($0)" })
        }
        let graph = FormulaGraph(
            trees.map { Formula(.trees(DecisionTrees(base: shape.link.baseMargin, scale: 1, trees: $0))) })
        let margins = try graph.evaluate(Table(columns, rowCount: 2))
        for (index, probed) in probeMargins.enumerated() {
            let margin = margins[index % margins.count][index / margins.count]
            guard abs(margin - Double(probed)) <= 1e-4 * (1 + abs(margin)) else { throw Self.noSum }
        }
    }

    /// A tree of XGBoost's JSON.
    private func decisionTree(_ text: String) throws(MetaLearnersError) -> DecisionTree {
        var nodes: [DecisionTree.Node] = []
        var weights: [Double] = []
        func add(_ value: SpecValue) throws(MetaLearnersError) -> Int {
            let place = nodes.count
            weights.append(value.objectValue?["cover"]?.doubleValue ?? 0)
            if let leaf = value.objectValue?["leaf"]?.doubleValue {
                // XGBoost writes single precision, shortened.
                nodes.append(.leaf(Double(Float(leaf))))
                return place
            }
            guard let node = value.objectValue, let name = node["split"]?.stringValue,
                let column = Int(name.dropFirst()), shape.levels.indices.contains(column),
                let condition = node["split_condition"], let children = node["children"]?.arrayValue,
                let yes = node["yes"]?.integerValue, let no = node["no"]?.integerValue,
                let missing = node["missing"]?.integerValue, missing == yes || missing == no
            else { throw Self.noSum }
            nodes.append(.leaf(0))
            var places: [Int: Int] = [:]
            for child in children {
                guard let number = child.objectValue?["nodeid"]?.integerValue else { throw Self.noSum }
                places[number] = try add(child)
            }
            guard let onYes = places[yes], let onNo = places[no] else { throw Self.noSum }
            let levels = condition.arrayValue?.compactMap(\.integerValue)
            if let levels {
                // The levels that are named answer yes.
                nodes[place] = .split(
                    column: column,
                    .levels(
                        levels.sorted(), of: Int(shape.levels[column]), othersGoRight: missing == yes),
                    left: onNo, right: onYes)
            } else if let bound = condition.doubleValue {
                // Numbers below answer yes.
                nodes[place] = .split(
                    column: column,
                    .above(Self.threshold(Float(bound)), missingGoRight: missing == no), left: onYes,
                    right: onNo)
            } else {
                throw Self.noSum
            }
            return place
        }
        _ = try add(SpecValue(json: text.utf8, source: "a tree of XGBoost's"))
        return try DecisionTree(nodes, leafWeights: weights)
    }

    /// The number t such that a number x > t exactly where it is not below `bound` once it is rounded to single precision.
    private static func threshold(_ bound: Float) -> Double {
        // Larger numbers count as the largest one.
        if Double(bound) > FeatureGatherer.largest { return .infinity }
        if Double(bound) <= -FeatureGatherer.largest { return -.infinity }
        let middle = (Double(bound.nextDown) + Double(bound)) / 2
        // The middle itself is rounded to the even neighbour.
        return bound.bitPattern & 1 == 0 ? middle.nextDown : middle
    }
}
