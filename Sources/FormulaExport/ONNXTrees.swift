import MetaLearnersCore

/// Trees as the attributes of the operator `TreeEnsemble` (ai.onnx.ml 5): splits and leaves by number, in two lists.
struct ONNXTrees {
    private enum Mode: UInt8 {
        /// Values up to the split go the true way.
        case lessOrEqual = 0
        /// Values among the split's set go the true way.
        case member = 6
    }

    private var roots: [Int] = []
    private var columns: [Int] = []
    private var modes: [UInt8] = []
    private var splits: [Double] = []
    private var trueNodes: [Int] = []
    private var falseNodes: [Int] = []
    private var trueLeaves: [Int] = []
    private var falseLeaves: [Int] = []
    private var missingTrue: [Int] = []
    private var members: [Double] = []
    private var weights: [Double] = []
    /// The sum of the trees that are leaves alone, which the operator cannot have.
    private(set) var constant = 0.0

    var hasSplits: Bool { !roots.isEmpty }

    /// Adds a tree.
    ///
    /// - Parameter places: the place of each column in the matrix that the trees read. Of a category it is the code of the level,
    ///   and the number of levels where it is missing.
    mutating func append(_ tree: DecisionTree, _ places: [Int: Int], _ inputs: ExportInputs) {
        if case .leaf(let value) = tree.nodes[0] {
            constant += value
            return
        }
        roots.append(columns.count)
        // The children of a split are written when their numbers are known.
        var open: [(node: Int, parent: Int, isTrue: Bool)] = [(0, -1, true)]
        while let next = open.popLast() {
            let number: Int
            let isLeaf: Bool
            switch tree.nodes[next.node] {
            case .leaf(let value):
                (number, isLeaf) = (weights.count, true)
                weights.append(value)
            case .split(let column, let rule, let left, let right):
                (number, isLeaf) = (columns.count, false)
                let trueIsLeft = append(rule, column, places, inputs)
                open.append((trueIsLeft ? right : left, number, false))
                open.append((trueIsLeft ? left : right, number, true))
            }
            guard next.parent >= 0 else { continue }
            if next.isTrue {
                trueNodes[next.parent] = number
                trueLeaves[next.parent] = isLeaf ? 1 : 0
            } else {
                falseNodes[next.parent] = number
                falseLeaves[next.parent] = isLeaf ? 1 : 0
            }
        }
    }

    /// Adds a split; gives whether its true way leads left.
    private mutating func append(
        _ rule: DecisionTree.Rule, _ column: Int, _ places: [Int: Int], _ inputs: ExportInputs
    ) -> Bool {
        columns.append(places[column] ?? 0)
        for list in [\ONNXTrees.trueNodes, \.falseNodes, \.trueLeaves, \.falseLeaves] {
            self[keyPath: list].append(0)
        }
        func threshold(_ value: Double, missingIsTrue: Bool) {
            modes.append(Mode.lessOrEqual.rawValue)
            splits.append(value)
            missingTrue.append(missingIsTrue ? 1 : 0)
        }
        let levels = inputs.inputs[column].levels
        switch rule {
        case .above(let value, let missingGoRight):
            threshold(value, missingIsTrue: !missingGoRight)
            return true
        case .missing, .present:
            // Codes below the number of levels are there, and so are all numbers that are numbers.
            threshold(levels.map { Double($0.count) - 0.5 } ?? .infinity, missingIsTrue: false)
            return rule == .missing
        case .levels(_, _, let othersGoRight):
            let all = Array(0...(levels?.count ?? 0))
            var right = rule.codesGoingRight(among: all.dropLast())
            if othersGoRight { right.insert(all.count - 1) }
            let isRight = 2 * right.count <= all.count
            let set = all.filter { right.contains($0) == isRight }
            let isRun = set.isEmpty || set.count == set[set.count - 1] + 1
            if isRun {
                // The first levels, or none.
                threshold(Double(set.count) - 0.5, missingIsTrue: false)
            } else {
                modes.append(Mode.member.rawValue)
                splits.append(0)
                missingTrue.append(0)
                members += set.map(Double.init) + [.nan]
            }
            return !isRight
        }
    }

    /// The attributes of the operator.
    var attributes: [(String, ONNXAttribute)] {
        [
            ("aggregate_function", .integer(1)), ("post_transform", .integer(0)), ("n_targets", .integer(1)),
            ("tree_roots", .integers(roots)), ("nodes_featureids", .integers(columns)),
            ("nodes_modes", .tensor(ONNXTensor(bytes: modes))), ("nodes_splits", .tensor(ONNXTensor(splits))),
            ("nodes_truenodeids", .integers(trueNodes)), ("nodes_falsenodeids", .integers(falseNodes)),
            ("nodes_trueleafs", .integers(trueLeaves)), ("nodes_falseleafs", .integers(falseLeaves)),
            ("nodes_missing_value_tracks_true", .integers(missingTrue)),
            ("leaf_targetids", .integers([Int](repeating: 0, count: weights.count))),
            ("leaf_weights", .tensor(ONNXTensor(weights))),
        ] + (members.isEmpty ? [] : [("membership_values", .tensor(ONNXTensor(members)))])
    }
}
