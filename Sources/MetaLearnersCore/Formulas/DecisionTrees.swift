/// Decision trees that are added up: base + scale · Σ leaf, in the order of the trees.
public struct DecisionTrees: Sendable, Hashable {
    /// What is there before any tree.
    public let base: Double
    /// What the sum of the leaves is multiplied by.
    public let scale: Double
    /// The trees.
    public let trees: [DecisionTree]

    /// Puts trees together.
    public init(base: Double, scale: Double, trees: [DecisionTree]) {
        self.base = base
        self.scale = scale
        self.trees = trees
    }
}

/// A decision tree: nodes by number, the root first; children stand behind their parents.
///
/// Trees are equal where they compute the same by the same nodes.
public struct DecisionTree: Sendable, Hashable {
    /// Which rows go to the right child.
    public enum Rule: Sendable, Hashable {
        /// Numbers above the threshold, and, where the flag says so, missing ones.
        case above(Double, missingGoRight: Bool)
        /// The named levels, by code; those that are missing or not below `count` where the flag says so.
        case levels([Int], of: Int, othersGoRight: Bool)
        /// Rows whose value is missing.
        case missing
        /// Rows whose value is there.
        case present
    }

    /// A node.
    public enum Node: Sendable, Hashable {
        /// The end of a way, with its value.
        case leaf(Double)
        /// A parting of ways: a column by its position, the rule, and the numbers of the children.
        case split(column: Int, Rule, left: Int, right: Int)
    }

    /// The nodes.
    public let nodes: [Node]
    /// Of each node, the share of its parent's training weight that came to it: what explanations take absent columns for.
    /// Nil where it is not known, as in trees that were read from JSON.
    package let shares: [Double]?

    public static func == (left: DecisionTree, right: DecisionTree) -> Bool { left.nodes == right.nodes }

    public func hash(into hasher: inout Hasher) { hasher.combine(nodes) }

    /// Makes a tree of its nodes.
    ///
    /// - Parameter leafWeights: of each node that is a leaf, the training weight that came to it; other nodes' are not looked at.
    /// - Throws: `invalidArgument` for no node, for children that do not stand behind their parents, for negative columns, and
    ///   for levels that do not ascend within their number.
    package init(_ nodes: [Node], leafWeights: [Double]) throws(MetaLearnersError) {
        let tree = try DecisionTree(nodes)
        guard leafWeights.count == nodes.count else {
            self = tree
            return
        }
        var weights = leafWeights
        // Children stand behind their parents. Where both ways are one, it counts once.
        for (index, node) in nodes.enumerated().reversed() {
            guard case .split(_, _, let left, let right) = node else { continue }
            weights[index] = left == right ? weights[left] : weights[left] + weights[right]
        }
        var shares = [Double](repeating: 1, count: nodes.count)
        for (index, node) in nodes.enumerated() {
            guard case .split(_, _, let left, let right) = node, left != right else { continue }
            // Half each where nothing came.
            shares[left] = weights[index] > 0 ? weights[left] / weights[index] : 0.5
            shares[right] = 1 - shares[left]
        }
        self.init(unchecked: nodes, shares: shares)
    }

    /// Makes a tree of its nodes.
    ///
    /// - Throws: `invalidArgument` for no node, for children that do not stand behind their parents, for negative columns, and
    ///   for levels that do not ascend within their number.
    public init(_ nodes: [Node]) throws(MetaLearnersError) {
        func refused(_ problem: String) -> MetaLearnersError {
            MetaLearnersError(.invalidArgument, at: "formula", problem)
        }
        guard !nodes.isEmpty else { throw refused("a tree has no node") }
        for (index, node) in nodes.enumerated() {
            guard case .split(let column, let rule, let left, let right) = node else { continue }
            let valid = index + 1..<max(nodes.count, index + 1)
            guard valid.contains(left), valid.contains(right) else {
                throw refused("the children of node \(index) of a tree do not stand behind it")
            }
            guard column >= 0 else { throw refused("a column has the position \(column)") }
            guard case .levels(let levels, let count, _) = rule else { continue }
            guard levels.allSatisfy((0..<max(count, 0)).contains),
                zip(levels, levels.dropFirst()).allSatisfy(<)
            else { throw refused("the levels of node \(index) of a tree do not ascend within \(count)") }
        }
        self.init(unchecked: nodes, shares: nil)
    }

    /// The tree with other columns; splits on a column that has the same value in every row are passed over.
    func replacing(_ input: (Int) -> FormulaInput) -> DecisionTree {
        var kept: [Node] = []
        var keptShares: [Double] = []
        // Where each node went; parents come first, so that children are placed when they are known.
        var open: [(node: Int, parent: Int, isRight: Bool)] = [(0, -1, false)]
        while let next = open.popLast() {
            var index = next.node
            while case .split(let column, let rule, let left, let right) = nodes[index],
                case .value(let value) = input(column)
            {
                index = rule.sendsRight(value, isMissing: value.isNaN) ? right : left
            }
            let place = kept.count
            // A value that is known takes its way whatever the weights: the share is that of the node passed over.
            if let shares { keptShares.append(shares[next.node]) }
            switch nodes[index] {
            case .leaf(let value): kept.append(.leaf(value))
            case .split(let column, let rule, let left, let right):
                var moved = column
                if case .column(let other) = input(column) { moved = other }
                kept.append(.split(column: moved, rule, left: 0, right: 0))
                open.append((right, place, true))
                open.append((left, place, false))
            }
            guard next.parent >= 0, case .split(let column, let rule, let left, let right) = kept[next.parent]
            else { continue }
            kept[next.parent] = .split(
                column: column, rule, left: next.isRight ? left : place, right: next.isRight ? place : right)
        }
        return DecisionTree(unchecked: kept, shares: shares == nil ? nil : keptShares)
    }

    private init(unchecked nodes: [Node], shares: [Double]?) {
        self.nodes = nodes
        self.shares = shares
    }
}

extension DecisionTree.Rule {
    /// Whether a row with that value goes right.
    func sendsRight(_ value: Double, isMissing: Bool) -> Bool {
        switch self {
        case .above(let threshold, let missingGoRight): isMissing ? missingGoRight : value > threshold
        case .levels(let levels, let count, let othersGoRight):
            isMissing || !(value >= 0 && value < Double(count))
                ? othersGoRight : Self.contains(Int(value), in: levels)
        case .missing: isMissing
        case .present: !isMissing
        }
    }

    /// Whether an ascending list contains a level.
    private static func contains(_ level: Int, in levels: [Int]) -> Bool {
        var (low, high) = (0, levels.count)
        while low < high {
            let middle = (low + high) / 2
            if levels[middle] < level { low = middle + 1 } else { high = middle }
        }
        return low < levels.count && levels[low] == level
    }
}
