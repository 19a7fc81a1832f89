import CTreeKernels
import MetaLearnersCore

extension BoostedTreesModel: RowPredictable {
    func makeRowPredictor() -> (any RowPredictor)? {
        guard link != .softmax, ensemble.baseScores.count == 1 else { return nil }
        return TreeRowPredictor(ensemble, link)
    }
}

/// Boosted trees laid out for single rows: nodes that compare numbers, of several trees at a time.
///
/// O(trees · depth), about 10 ns a tree.
struct TreeRowPredictor: RowPredictor {
    private let nodes: [mtlk_node]
    private let values: [Float]
    private let roots: [UInt32]
    private let base: Double
    private let valueScale: Double
    private let link: BoostedTreesModel.Link

    var outputCount: Int { link == .logistic ? 2 : 1 }

    /// Lays out the trees of one score; nil where a split is by categories.
    init?(_ ensemble: TreeEnsemble, _ link: BoostedTreesModel.Link) {
        var nodes: [mtlk_node] = []
        var values: [Float] = []
        var roots: [UInt32] = []
        for tree in ensemble.trees {
            let root = nodes.count
            roots.append(UInt32(root))
            nodes.append(Self.leaf(root))
            values.append(0)
            // The node that is, for now, each leaf.
            var leaves = [root]
            for index in tree.firstSplit..<tree.firstSplit + tree.splitCount {
                let split = ensemble.split(at: index)
                guard case .ordered(let threshold, let missingRight) = split.rule, threshold > 0,
                    case .numeric(let binning) = ensemble.binnings[Int(split.feature)],
                    let feature = UInt16(exactly: ensemble.usedFeatures[Int(split.feature)])
                else { return nil }
                let parent = leaves[Int(split.leaf)]
                let left = nodes.count
                // Beyond the last edge there are missing values only.
                let edge =
                    Int(threshold) <= binning.edges.count ? binning.edges[Int(threshold) - 1] : .infinity
                nodes[parent] = mtlk_node(
                    threshold: edge, left: UInt32(left), feature: feature,
                    missing_right: missingRight ? 1 : 0)
                nodes += [Self.leaf(left), Self.leaf(left + 1)]
                values += [0, 0]
                leaves[Int(split.leaf)] = left
                leaves.append(left + 1)
            }
            for (leaf, node) in leaves.enumerated() { values[node] = ensemble.values[tree.firstValue + leaf] }
        }
        self.nodes = nodes
        self.values = values
        self.roots = roots
        base = ensemble.baseScores.first ?? 0
        valueScale = ensemble.valueScale
        self.link = link
    }

    private static func leaf(_ node: Int) -> mtlk_node {
        mtlk_node(threshold: .infinity, left: UInt32(node), feature: 0, missing_right: 0)
    }

    func predict(_ row: UnsafePointer<Double>, to outputs: UnsafeMutablePointer<Double>) {
        var sum = 0.0
        nodes.withUnsafeBufferPointer { nodes in
            values.withUnsafeBufferPointer { values in
                roots.withUnsafeBufferPointer { roots in
                    guard let nodes = nodes.baseAddress, let values = values.baseAddress,
                        let first = roots.baseAddress
                    else { return }
                    sum = mtlk_score_row(row, nodes, values, first, roots.count)
                }
            }
        }
        let score = base + sum * valueScale
        switch link {
        case .identity, .softmax: outputs[0] = score
        case .exponential: outputs[0] = BoostedTreesModel.mean(ofScore: score)
        case .logistic:
            outputs[0] = Logistic.share(-score)
            outputs[1] = Logistic.share(score)
        }
    }
}
