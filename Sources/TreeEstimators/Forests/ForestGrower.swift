import MetaLearnersCore

/// Grows one tree of a forest, by one thread.
struct ForestGrower<Sum: ForestSum> {
    /// A node while the tree grows; its rows are a stretch of the tree's list.
    private struct Node {
        var structure: Range<Int>
        var estimation: Range<Int>
        let depth: Int
        var split: ForestSplit?
        var left = -1
        var right = -1
    }

    let columns: ForestColumns
    let target: ForestTarget
    let rules: ForestRules

    /// Grows a tree from the rows of `draw`.
    ///
    /// O(columns tried · (rows + bins)) a level of the tree.
    ///
    /// - Throws: `outOfMemory`, `cancelled`.
    func grow(_ draw: ForestSampler.Draw, _ stream: RandomStream, _ context: ExecutionContext)
        throws(MetaLearnersError) -> GrownForestTree
    {
        var stream = stream
        var draw = draw
        let search = try ForestSplitSearch<Sum>(rules)
        var slots = Array(0..<columns.slotFeatures.count)
        var scratch = [Int32](repeating: 0, count: max(draw.structure.count, draw.estimation.count))
        var nodes = [
            Node(structure: draw.structure.indices, estimation: draw.estimation.indices, depth: 0)
        ]
        var open = [0]
        nodes[0].split = findSplit(draw.structure, nodes[0], search, &slots, &stream)
        var leafCount = 1
        while leafCount < rules.maxLeaves, let next = takeNext(&open, nodes), let split = nodes[next].split {
            let bins = columns[split.feature].bins
            let middle = Self.partition(&draw.structure, nodes[next].structure, split.rule, bins, &scratch)
            let estimationMiddle = Self.partition(
                &draw.estimation, nodes[next].estimation, split.rule, bins, &scratch)
            let depth = nodes[next].depth + 1
            let children = [
                Node(
                    structure: nodes[next].structure.lowerBound..<middle,
                    estimation: nodes[next].estimation.lowerBound..<estimationMiddle, depth: depth),
                Node(
                    structure: middle..<nodes[next].structure.upperBound,
                    estimation: estimationMiddle..<nodes[next].estimation.upperBound, depth: depth),
            ]
            nodes[next].left = nodes.count
            nodes[next].right = nodes.count + 1
            for child in children {
                nodes.append(child)
                let place = nodes.count - 1
                nodes[place].split = findSplit(draw.structure, child, search, &slots, &stream)
                if nodes[place].split != nil { open.append(place) }
            }
            leafCount += 1
            if leafCount & 0xFFF == 0 { try context.checkCancellation() }
        }
        return finish(nodes, draw)
    }

    /// The open node to split next: the one that gains most where leaves are limited, else the last.
    private func takeNext(_ open: inout [Int], _ nodes: [Node]) -> Int? {
        guard rules.isBestFirst else { return open.popLast() }
        let best = open.indices.max { left, right in
            let gains = (nodes[open[left]].split?.gain ?? 0, nodes[open[right]].split?.gain ?? 0)
            return gains.0 < gains.1 || gains.0 == gains.1 && open[left] > open[right]
        }
        return best.map { open.remove(at: $0) }
    }

    private func findSplit(
        _ rows: [Int32], _ node: Node, _ search: ForestSplitSearch<Sum>, _ slots: inout [Int],
        _ stream: inout RandomStream
    ) -> ForestSplit? {
        guard Double(node.structure.count) >= 2 * rules.minLeafSize, node.depth < rules.maxDepth else {
            return nil
        }
        let targets = UnsafePointer(target.rows.start)
        return rows.withUnsafeBufferPointer { all in
            let rows = UnsafeBufferPointer(rebasing: all[node.structure])
            var total = Sum.none
            var isPure = true
            guard let first = rows.first.map({ targets[Int($0)] }) else { return nil }
            for row in rows {
                let value = targets[Int(row)]
                Sum.add(value, to: &total)
                isPure = isPure && Sum.isSameTarget(value, first)
            }
            if isPure { return nil }
            search.start(total)
            // A random order of the columns, drawn as far as it is needed: until enough were tried and one splits.
            for tried in slots.indices {
                if tried >= rules.columnsPerNode, search.best != nil { break }
                slots.swapAt(tried, tried + stream.integer(below: slots.count - tried))
                let feature = columns.slotFeatures[slots[tried]]
                search.consider(columns[feature], feature: feature, rows, targets, &stream)
            }
            return search.best
        }
    }

    /// Puts the rows that go right behind those that go left, either in order; returns where they begin.
    private static func partition(
        _ rows: inout [Int32], _ range: Range<Int>, _ rule: SplitCandidate.Rule,
        _ bins: UnsafePointer<UInt8>, _ scratch: inout [Int32]
    ) -> Int {
        rows.withUnsafeMutableBufferPointer { rows in
            scratch.withUnsafeMutableBufferPointer { scratch in
                func part(_ goesRight: (UInt8) -> Bool) -> Int {
                    var left = range.lowerBound
                    var right = 0
                    for index in range {
                        let row = rows[index]
                        let isRight = goesRight(bins[Int(row)])
                        rows[left] = row
                        scratch[right] = row
                        left += isRight ? 0 : 1
                        right += isRight ? 1 : 0
                    }
                    for index in 0..<right { rows[left + index] = scratch[index] }
                    return left
                }
                switch rule {
                case .ordered(let threshold, let missingRight):
                    let offset: UInt8 = missingRight ? 1 : 0
                    let limit = UInt8(truncatingIfNeeded: threshold) &- offset
                    return part { $0 &- offset > limit }
                case .categories(let set):
                    return part { set.contains(Int($0)) }
                }
            }
        }
    }

    /// The tree in preorder, with the values of its leaves; one without estimation rows gets those of the nearest
    /// node above that has any.
    private func finish(_ nodes: [Node], _ draw: ForestSampler.Draw) -> GrownForestTree {
        let isHonest = !draw.estimation.isEmpty
        var statistics = nodes.map { node in
            node.left < 0
                ? leafStatistics(isHonest ? draw.estimation[node.estimation] : draw.structure[node.structure])
                : LeafStatistics()
        }
        for index in nodes.indices.reversed() where nodes[index].left >= 0 {
            statistics[index] = statistics[nodes[index].left] + statistics[nodes[index].right]
        }
        var grown = GrownForestTree(gains: [Double](repeating: 0, count: columns.count))
        // What is still to be written: a node, the node that it is the right child of, and whose values it
        // gets where it has no rows.
        var pending = [(node: 0, parent: -1, source: 0)]
        while let (index, parent, inherited) = pending.popLast() {
            if parent >= 0 { grown.tree.nodes[parent].next = Int32(grown.tree.nodes.count) }
            let source = statistics[index].sum.hessian > 0 ? index : inherited
            if let split = nodes[index].split, nodes[index].left >= 0 {
                let place = grown.tree.nodes.count
                grown.gains[split.feature] += split.gain
                grown.tree.appendSplit(split.rule, place: split.feature)
                pending.append((nodes[index].right, place, source))
                pending.append((nodes[index].left, -1, source))
            } else {
                grown.tree.appendLeaf(
                    values(statistics[source]), cover: Float(statistics[index].weight))
            }
        }
        return grown
    }

    private struct LeafStatistics {
        var sum = Sum.none
        var weight = 0.0

        static func + (left: LeafStatistics, right: LeafStatistics) -> LeafStatistics {
            LeafStatistics(sum: left.sum + right.sum, weight: left.weight + right.weight)
        }
    }

    private func leafStatistics(_ rows: ArraySlice<Int32>) -> LeafStatistics {
        var statistics = LeafStatistics()
        for row in rows {
            Sum.add(target.rows.start[Int(row)], to: &statistics.sum)
            statistics.weight += target.weight(Int(row))
        }
        return statistics
    }

    private func values(_ statistics: LeafStatistics) -> [Float] {
        let sum = statistics.sum
        switch target.output {
        case .mean: return [sum.hessian > 0 ? Float(sum.gradient(0) / sum.hessian) : 0]
        case .ratio:
            guard statistics.weight > 0 else { return [0, 0] }
            return [Float(sum.gradient(0) / statistics.weight), Float(sum.hessian / statistics.weight)]
        case .shares(let classes):
            let first = classes == 2 ? 0 : 1
            return (0..<classes - 1).map { index in
                sum.hessian > 0 ? ForestOutput.share(sum.gradient(first + index), of: sum.hessian) : 0
            }
        }
    }
}

/// What decides the shape of a forest's trees.
struct ForestRules: Sendable {
    let minLeafSize: Double
    let minChildShare: Double
    let maxDepth: Int
    /// At most 2³⁰, so that nodes can be numbered by 32 bits.
    let maxLeaves: Int
    /// Whether the split that gains most is made first, as matters where leaves are limited.
    let isBestFirst: Bool
    /// Columns tried at each node.
    let columnsPerNode: Int
    let isExtraRandom: Bool

    /// The rules for `columns` columns that are not constant.
    init(_ spec: ForestSpec, columns: Int, isClassification: Bool) {
        minLeafSize = Double(spec.minLeafSize)
        minChildShare = spec.minChildShare
        maxDepth =
            spec.maxDepth == 0 ? ForestTree.maximumDepth : min(spec.maxDepth, ForestTree.maximumDepth)
        isBestFirst = spec.maxLeaves > 0
        maxLeaves = min(isBestFirst ? spec.maxLeaves : .max, 1 << 30)
        let count = Double(columns)
        let wanted =
            spec.columnSample > 0
            ? (spec.columnSample * count).rounded()
            : isClassification ? count.squareRoot().rounded(.up) : (count / 3).rounded(.up)
        columnsPerNode = max(1, Int(wanted))
        isExtraRandom = spec.extraRandom
    }
}

/// A tree as it was grown: its splits name columns by their number, and `gains` holds what the splits by each
/// column gained.
struct GrownForestTree: Sendable {
    var tree = ForestTree()
    var gains: [Double]
}
