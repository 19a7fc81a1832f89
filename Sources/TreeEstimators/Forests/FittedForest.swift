import MetaLearnersCore

/// A forest, fitted: predictions, their variances, and predictions of training rows by the trees that did not see
/// them.
///
/// Values are immutable and may be used from several threads at once.
public struct FittedForest: FittedEstimator, Equatable {
    let featureCount: Int
    let output: ForestOutput
    /// The columns that some split uses, ascending.
    let usedFeatures: [Int]
    /// How the values of these columns become bins.
    let binnings: [ColumnBinning]
    /// What the splits by each of these columns gained, over all trees.
    let gains: [Double]
    /// Their splits name columns by their place in `usedFeatures`.
    let trees: [ForestTree]
    let plan: ForestSampler.Plan
    let fingerprint: ForestFingerprint
    public let warnings: [String]

    public var backendName: String { ForestEstimator.backend.name }
    public var outputCount: Int { output.outputCount }
    /// How many trees there are; 0 where the target is constant.
    public var treeCount: Int { trees.count }

    init(
        featureCount: Int, output: ForestOutput, usedFeatures: [Int], binnings: [ColumnBinning],
        gains: [Double], trees: [ForestTree], plan: ForestSampler.Plan, fingerprint: ForestFingerprint,
        warnings: [String]
    ) {
        self.featureCount = featureCount
        self.output = output
        self.usedFeatures = usedFeatures
        self.binnings = binnings
        self.gains = gains
        self.trees = trees
        self.plan = plan
        self.fingerprint = fingerprint
        self.warnings = warnings
    }

    /// Puts grown trees together; columns that no split uses are left out.
    init(
        _ grown: [GrownForestTree], _ matrix: BinnedMatrix, _ target: ForestTarget,
        plan: ForestSampler.Plan, fingerprint: ForestFingerprint
    ) {
        var isUsed = [Bool](repeating: false, count: matrix.columns.count)
        var total = [Double](repeating: 0, count: matrix.columns.count)
        for tree in grown {
            for node in tree.tree.nodes where node.kind != .leaf { isUsed[Int(node.place)] = true }
            for (feature, gain) in tree.gains.enumerated() { total[feature] += gain }
        }
        let used = isUsed.indices.filter { isUsed[$0] }
        var places = [UInt16](repeating: 0, count: matrix.columns.count)
        for (place, feature) in used.enumerated() { places[feature] = UInt16(truncatingIfNeeded: place) }
        let trees = grown.map { grown in
            var tree = grown.tree
            for index in tree.nodes.indices where tree.nodes[index].kind != .leaf {
                tree.nodes[index].place = places[Int(tree.nodes[index].place)]
            }
            return tree
        }
        self.init(
            featureCount: matrix.columns.count, output: target.output, usedFeatures: used,
            binnings: used.map { matrix.columns[$0].binning }, gains: used.map { total[$0] }, trees: trees,
            plan: plan, fingerprint: fingerprint, warnings: target.warnings)
    }
}
