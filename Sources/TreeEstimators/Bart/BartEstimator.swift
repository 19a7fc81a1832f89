import MetaLearnersCore

/// Bayesian additive regression trees: the backend `bart`.
///
/// A function is a sum of many small trees, each of which a prior keeps small (Chipman, George & McCulloch 2010, Annals of Applied
/// Statistics 4, 266–298). Trees are drawn from the root, given all others, in sweeps over the whole sum (accelerated BART: He & Hahn 2021,
/// arXiv 2002.03375), and a prediction is the mean over the sweeps after the first. Beside an outcome it learns the coefficient of a regressor
/// as Bayesian causal forests do (Hahn, Murray & Carvalho 2020; Krantsevich, He & Hahn 2023, arXiv 2209.06998). Noise is normal, of one variance.
///
/// A row's noise has a variance that falls with its weight; weights are divided by what makes them say as much as they are rows (Kish).
/// Rows of weight 0 do not count.
public struct BartEstimator: BaseEstimator {
    /// The backend's name, version and capabilities.
    public static let backend = BackendDescription(
        name: "bart", summary: "Bayesian additive regression trees", version: "1",
        capabilities: [
            .regression, .weights, .missingValues, .categoricals, .residualLoss, .contributions,
            .collective, .coefficients,
        ])

    /// The checked configuration.
    public let spec: BartSpec

    /// Creates the estimator.
    ///
    /// - Throws: `invalidSpec` for a value out of range.
    public init(_ spec: BartSpec) throws(MetaLearnersError) { self.spec = try spec.validated() }

    /// Learns from the rows of `task`, in one thread: O(sweeps · trees · rows · columns · depth).
    ///
    /// - Throws: `cancelled`, `outOfMemory`, `unsupported`, `numericalFailure`.
    public func fit(_ task: TrainingTask, _ context: ExecutionContext) throws(MetaLearnersError)
        -> any FittedEstimator
    {
        switch task.objective {
        case .regression, .residual, .coefficient: break
        case .classification, .multiResidual, .multiRegression, .count, .quantile:
            throw task.unsupportedObjective(by: Self.backend)
        }
        try context.checkCancellation()
        let store = try task.cache.value(of: BinStore.self, named: "trees") { () throws(MetaLearnersError) in
            BinStore(rowWeights: task.cache.rowWeights)
        }
        let matrix = try store.matrix(task.features, limits: .narrow(spec.maxBins), context)
        return try BartSampler(task, spec, matrix).model(context)
    }

    /// The bins are shared. A fit has the bins of its rows and their leaves in each tree, and the trees that it keeps.
    public func footprint(rows: Int, of features: Table, for objective: TrainingTask.Objective) -> Footprint {
        let bins = BinFootprint(features, .narrow(spec.maxBins))
        let functions: Int
        switch objective {
        case .coefficient: functions = 2
        default: functions = 1
        }
        let trees = max(spec.trees, spec.effectTrees)
        let columns = features.columns.count
        let used = min(columns, spec.columnsPerSweep)
        // Bins by columns and, of those in use, by rows, where others are drawn those of two sweeps; leaves, lists of rows, numbers.
        let perRow = columns + used * (columns > used ? 2 : 1) + trees + 48
        // Histograms of six depths, beyond which trees hardly ever grow, and what is known of places.
        let cells = BartRows.cellStride * used
        // Trees have four leaves at most on average, with priors that let them grow no more than the defaults do.
        let leaves = min(4, max(1, rows / max(spec.minLeafSize, 1)))
        return Footprint(
            shared: bins.bytes,
            working: functions * (rows * perRow + cells * (6 * 16 + 2 * 24)) + 24 * rows
                + (spec.sweeps - spec.burnIn) * trees * leaves * EnsembleBuilder.bytesPerLeaf)
    }

    /// Reads a fitted model: a sum of trees, as boosted trees are.
    ///
    /// - Throws: `corruptModel`; `incompatibleModel` for bytes of a newer version.
    public static func decode(from reader: inout BinaryReader) throws(MetaLearnersError)
        -> any FittedEstimator
    {
        try BoostedTreesModel(from: &reader, origin: .drawn)
    }
}
