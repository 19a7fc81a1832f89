import CTreeKernels
import MetaLearnersCore

/// Boosted trees, fitted.
struct BoostedTreesModel: FittedEstimator {
    /// What the scores mean.
    enum Link: UInt8, Sendable {
        /// The score is the prediction.
        case identity
        /// The score is the log odds of class 1; predictions are the probabilities of 0 and 1.
        case logistic
        /// The scores are log probabilities of the classes, but for a constant.
        case softmax
        /// The score is the logarithm of the prediction.
        case exponential
    }

    let ensemble: TreeEnsemble
    let link: Link
    let warnings: [String]

    var backendName: String { TreesEstimator.backend.name }
    var outputCount: Int { link == .logistic ? 2 : ensemble.baseScores.count }

    func predict(_ features: Table, rows: [Int32]?, _ context: ExecutionContext) throws(MetaLearnersError)
        -> [Double]
    {
        try check(features, rows)
        return linked(try ensemble.scores(features, rows: rows, context))
    }

    /// Checks the columns and the rows of a prediction.
    ///
    /// - Throws: `invalidArgument`.
    func check(_ features: Table, _ rows: [Int32]?) throws(MetaLearnersError) {
        try requireColumns(ensemble.featureCount, in: features)
        if let rows, let row = rows.first(where: { $0 < 0 || $0 >= features.rowCount }) {
            throw MetaLearnersError(
                .invalidArgument, at: "rows", "row \(row) is not within 0..<\(features.rowCount)")
        }
    }

    /// The predictions that scores stand for.
    func linked(_ scores: [Double]) -> [Double] {
        switch link {
        case .identity: return scores
        case .logistic:
            var shares: [Double] = []
            shares.reserveCapacity(scores.count * 2)
            for score in scores {
                shares.append(Logistic.share(-score))
                shares.append(Logistic.share(score))
            }
            return shares
        case .softmax: return softmax(scores)
        case .exponential: return scores.map(Self.mean(ofScore:))
        }
    }

    /// exp(score), which stays finite.
    static func mean(ofScore score: Double) -> Double { Double.exp(min(score, 709)) }

    private func softmax(_ scores: [Double]) -> [Double] {
        var shares = scores
        let width = outputCount
        shares.withUnsafeMutableBufferPointer { buffer in
            guard let start = buffer.baseAddress else { return }
            for first in stride(from: 0, to: buffer.count, by: width) {
                Softmax.replace(start + first, count: width)
            }
        }
        return shares
    }

    private static let formatVersion: UInt8 = 2

    func encode(to writer: inout BinaryWriter) {
        writer.write(Self.formatVersion)
        writer.write(link.rawValue)
        writer.write(warnings)
        ensemble.encode(to: &writer)
    }

    /// Reads what `encode` wrote.
    ///
    /// - Throws: `corruptModel`; `incompatibleModel` for bytes of another version.
    init(from reader: inout BinaryReader) throws(MetaLearnersError) {
        let version = try reader.read(UInt8.self)
        guard version == Self.formatVersion else {
            throw MetaLearnersError(
                .incompatibleModel,
                "the trees are of format \(version); this version reads \(Self.formatVersion)",
                remedy: "use the version that wrote them, or fit again")
        }
        guard let link = Link(rawValue: try reader.read(UInt8.self)) else {
            throw BinaryReader.corrupt("a tree model is of an unknown kind")
        }
        let warnings = try reader.readStrings()
        let ensemble = try TreeEnsemble(from: &reader)
        guard
            link == .softmax || ensemble.baseScores.count == 1 || link == .identity && ensemble.isMultiOutput
        else {
            throw BinaryReader.corrupt("a tree model has more scores than its kind")
        }
        self.init(ensemble: ensemble, link: link, warnings: warnings)
    }

    init(ensemble: TreeEnsemble, link: Link, warnings: [String]) {
        self.ensemble = ensemble
        self.link = link
        self.warnings = warnings
    }
}

/// Stages are rounds of boosting; stage 0 is the base score.
extension BoostedTreesModel: StagedModel {
    var stageCount: Int { ensemble.roundCount }

    /// O(rows · splits), and rows × outputs × stages numbers.
    func predictStages(
        _ features: Table, rows: [Int32]?, stages: [Int], _ context: ExecutionContext
    ) throws(MetaLearnersError) -> [[Double]] {
        try check(features, rows)
        try requireAscending(stages)
        guard !stages.isEmpty else { return [] }
        let scores = try ensemble.scores(
            features, rows: rows, afterTrees: stages.map { ensemble.treeCount(ofRounds: $0) }, context)
        let size = scores.count / stages.count
        return stages.indices.map { linked(Array(scores[$0 * size..<($0 + 1) * size])) }
    }

    func truncated(to stage: Int) throws(MetaLearnersError) -> any StagedModel {
        try requireAscending([stage])
        if stage >= ensemble.roundCount { return self }
        return BoostedTreesModel(
            ensemble: ensemble.truncated(toRounds: stage), link: link, warnings: warnings)
    }
}

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
