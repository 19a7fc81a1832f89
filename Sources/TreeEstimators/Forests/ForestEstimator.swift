import MetaLearnersCore

/// Random forests on histograms of binned columns: the backend `forest`.
///
/// Each tree is grown from rows of its own by one thread (Breiman 2001; Geurts, Ernst & Wehenkel 2006 for
/// `extra_random`), on the bins that all tree backends share. Splits minimise weighted squared error, the Gini
/// impurity or the residual loss. Predictions are means over the trees; those for the residual loss weight rows as
/// a generalised random forest does (Athey, Tibshirani & Wager 2019, arXiv 1610.01271).
///
/// A weight acts as so many copies of a row would, but that `min_leaf_size` counts rows and each row is drawn as
/// one. Rows of weight 0 do not count. Where the task has clusters, whole clusters are drawn.
public struct ForestEstimator: BaseEstimator {
    /// The backend's name, version and capabilities.
    public static let backend = BackendDescription(
        name: "forest", summary: "random forests: bagged, honest or extremely randomised", version: "1",
        capabilities: [
            .regression, .binary, .multiclass, .weights, .missingValues, .categoricals, .residualLoss,
            .contributions, .variance, .collective,
        ])

    /// The checked configuration.
    public let spec: ForestSpec

    /// Creates the estimator.
    ///
    /// - Throws: `invalidSpec` for a value out of range.
    public init(_ spec: ForestSpec) throws(MetaLearnersError) { self.spec = try spec.validated() }

    /// Learns from the rows of `task`: a `FittedForest`.
    ///
    /// O(rows · columns tried · depth) per tree, and 2 bytes per cell of the features, once. Of rows that several processes hold
    /// each process keeps the bins of all, a byte per cell, and grows its share of the trees; the forest is to the byte that of
    /// one process.
    ///
    /// - Throws: `cancelled`, `outOfMemory`; `unsupported` for more than 62 classes, or more than 2³¹ − 1 rows in all processes.
    public func fit(_ task: TrainingTask, _ context: ExecutionContext) throws(MetaLearnersError)
        -> any FittedEstimator
    {
        try context.checkCancellation()
        try ForestRows.require(task)
        let store = try task.cache.value(of: BinStore.self, named: "trees") { () throws(MetaLearnersError) in
            BinStore(rowWeights: task.cache.rowWeights)
        }
        let matrix = try store.matrix(task.features, limits: .narrow(spec.maxBins), context)
        let plan = ForestSampler.Plan(
            seed: task.seed, rowSample: spec.rowSample, bootstrap: spec.bootstrap,
            honestyShare: spec.honest ? spec.honestyShare : nil, groupSize: spec.ciGroupSize)
        let rows = try ForestRows(task)
        let columns = try ForestColumns(matrix, of: task, context)
        let sampler = ForestSampler(rows, plan)
        let target = try ForestTarget(rows, training: sampler.rows)
        let distribution = task.features.distribution
        var grown: [GrownForestTree] = []
        if !target.isHopeless {
            switch target.output {
            case .mean, .ratio, .shares(classes: 2):
                grown = try grow(SIMD4<Double>.self, columns, target, sampler, distribution, context)
            case .shares(classes: 3...6):
                grown = try grow(SIMD8<Double>.self, columns, target, sampler, distribution, context)
            case .shares(classes: 7...14):
                grown = try grow(SIMD16<Double>.self, columns, target, sampler, distribution, context)
            case .shares:
                grown = try grow(SIMD64<Double>.self, columns, target, sampler, distribution, context)
            }
        }
        return FittedForest(
            grown, columns, target, plan: plan, fingerprint: ForestFingerprint(rows, trained: sampler.rows))
    }

    /// The bins, by columns and by rows, are shared. A fit has the targets of its rows, the rows and the nodes of the tree
    /// that each thread grows, and all trees: with room to grow, and twice while they are put together.
    ///
    /// Of rows that several processes hold each process has the bins, by columns, and the targets of all.
    public func footprint(rows: Int, of features: Table, for objective: TrainingTask.Objective) -> Footprint {
        let classes: Int? = if case .classification(let classes) = objective { classes } else { nil }
        let isRatio: Bool = if case .residual = objective { true } else { false }
        let values = isRatio ? 2 : max((classes ?? 2) - 1, 1)
        let all = features.distribution?.rowCount ?? features.rowCount
        // Of the rows of a fit those of other processes are not known yet: all of them at most.
        let fitted = features.distribution?.rowCount ?? rows
        let isShared = features.distribution != nil
        let leaves = spec.typicalLeaves(of: fitted)
        // Of a leaf and the split above it: two nodes, the values, and their weight.
        let leafBytes = 2 * MemoryLayout<ForestTree.Node>.stride + 4 * values + 4
        // While it grows: two nodes with the split that each may have, and the sums of their rows.
        let lanes = classes.map { $0 <= 2 ? 4 : $0 <= 6 ? 8 : $0 <= 14 ? 16 : 64 } ?? 4
        let growing = leaves * 2 * (160 + 8 * (lanes + 1)) + fitted * 16
        return Footprint(
            shared: BinFootprint(features, .narrow(spec.maxBins)).bytes
                + (isShared ? all * features.columns.count : 0),
            working: all * (isRatio ? 24 : 16) + fitted * 8 + growing
                + (isShared ? ForestRows.gatheredBytes(rows: all, hasRegressor: isRatio) : 0)
                + 3 * spec.treeCount * leaves * leafBytes)
    }

    private func grow<Sum: ForestSum>(
        _: Sum.Type, _ columns: ForestColumns, _ target: ForestTarget, _ sampler: ForestSampler,
        _ distribution: DistributedRows?, _ context: ExecutionContext
    ) throws(MetaLearnersError) -> [GrownForestTree] {
        let rules = ForestRules(
            spec, columns: columns.slotFeatures.count, isClassification: target.output.isClassification)
        let grower = ForestGrower<Sum>(columns: columns, target: target, rules: rules)
        guard let distribution else {
            return try grow(Array(0..<spec.treeCount), grower, sampler, context)
        }
        let growth = SharedGrowth(
            distribution: distribution, columns: columns.count, output: target.output, context: context)
        return try growth.grow(spec.treeCount) { numbers throws(MetaLearnersError) in
            try grow(numbers, grower, sampler, context)
        }
    }

    /// Grows the trees of some numbers, each by one thread.
    private func grow<Sum: ForestSum>(
        _ numbers: [Int], _ grower: ForestGrower<Sum>, _ sampler: ForestSampler, _ context: ExecutionContext
    ) throws(MetaLearnersError) -> [GrownForestTree] {
        var trees = [GrownForestTree](repeating: GrownForestTree(gains: []), count: numbers.count)
        let failure = Lock<MetaLearnersError?>(nil)
        trees.withUnsafeMutableBufferPointer { buffer in
            let trees = DisjointWrites(buffer)
            context.concurrently(numbers.count) { place in
                if failure.withLock({ $0 != nil }) { return }
                do throws(MetaLearnersError) {
                    try context.checkCancellation()
                    trees[place] = try grower.grow(
                        sampler.draw(tree: numbers[place]), sampler.stream(tree: numbers[place]), context)
                } catch {
                    failure.withLock { $0 = $0 ?? error }
                }
            }
        }
        if let error = failure.withLock({ $0 }) { throw error }
        return trees
    }

    /// Reads a fitted forest.
    ///
    /// - Throws: `corruptModel`; `incompatibleModel` for bytes of a newer version.
    public static func decode(from reader: inout BinaryReader) throws(MetaLearnersError)
        -> any FittedEstimator
    {
        try FittedForest(from: &reader)
    }
}
