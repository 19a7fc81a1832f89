import MetaLearnersCore

/// Gradient-boosted trees by XGBoost, found at run time: the backend `xgboost`.
///
/// XGBoost (Chen & Guestrin 2016, arXiv 1603.02754) grows the trees, through its C API; gradients, sampling of
/// rows and early stopping are computed here, so that the same task and spec give the same trees whatever the
/// number of threads (on the processor; a graphics card makes no such promise), and so that the R-learner's loss
/// is minimised without dividing by its regressor.
public struct XGBoostEstimator: BaseEstimator {
    /// The backend's name and capabilities, and XGBoost's version and path; asking for these looks for it.
    public static let backend = BackendDescription(
        name: "xgboost", summary: "gradient-boosted trees by XGBoost, found at run time",
        capabilities: [
            .regression, .binary, .multiclass, .weights, .missingValues, .categoricals, .residualLoss,
            .contributions,
        ]
    ) { XGBoostLibrary.engine }

    /// Whether XGBoost was found.
    public static var isAvailable: Bool { (try? XGBoostLibrary.found.get()) != nil }

    /// Whether a library at `path` would do, or, where that is nil, one that the system knows.
    ///
    /// - Throws: `unsupported`, saying what to install.
    package static func requireLibrary(at path: String?) throws(MetaLearnersError) {
        _ = try XGBoostLibrary.find(XGBoostPlaces(named: path))
    }

    /// The checked configuration.
    public let spec: XGBoostSpec
    private let library: XGBoostLibrary

    /// Creates the estimator.
    ///
    /// - Throws: `invalidSpec` for a value out of range; `unsupported`, saying what to install, where XGBoost is
    ///   not found.
    public init(_ spec: XGBoostSpec) throws(MetaLearnersError) {
        self.spec = try spec.validated()
        library = try XGBoostLibrary.found.get()
    }

    /// Learns from the rows of `task`.
    ///
    /// - Throws: `cancelled`; `invalidSpec` for a parameter under `engine` that XGBoost does not know;
    ///   `invalidData` for a regressor that is not finite; `numericalFailure`, `outOfMemory`.
    /// - Complexity: O(rows · columns · depth) per tree; 2 bytes per cell of the features for the bins, which fits on
    ///   the same rows share, and 24 bytes per row.
    public func fit(_ task: TrainingTask, _ context: ExecutionContext) throws(MetaLearnersError)
        -> any FittedEstimator
    {
        try context.checkCancellation()
        let roles = RowRoles(task, spec)
        let fit = XGBoostFit(
            library: library, spec: spec, task: task, roles: roles, context: context)
        guard let distribution = task.features.distribution else { return try Self.fit(fit) }
        try requireCollective(task.objective)
        return try JoinedProcesses.with(library, distribution) { () throws(MetaLearnersError) in
            try Self.fit(fit)
        }
    }

    private static func fit(_ fit: XGBoostFit) throws(MetaLearnersError) -> XGBoostModel {
        switch fit.task.objective {
        case .regression, .residual:
            return try fit.quadratic(fit.roles.warnings)
        case .classification(let classes):
            return try fit.classification(classes, fit.roles.warnings)
        case .coefficient, .multiResidual, .multiRegression, .count, .quantile:
            throw fit.task.unsupportedObjective(by: Self.backend)
        }
    }

    /// Rows that several processes hold serve trees on histograms, grown on the processor.
    ///
    /// - Throws: `unsupported` for a library that cannot join processes (before 3.0), early stopping, other tree methods and
    ///   boosters, and graphics cards.
    public func requireCollective(_ objective: TrainingTask.Objective) throws(MetaLearnersError) {
        _ = try library.requireCollective()
        var place: String?
        if spec.earlyStopping > 0 { place = "early_stopping" }
        if !BoosterParameters.isQuantised(spec) {
            place = spec.engine["booster"] == nil ? "engine.tree_method" : "engine.booster"
        }
        if let device = spec.engine["device"], device.stringValue != "cpu" { place = "engine.device" }
        guard let place else { return }
        throw MetaLearnersError(
            .unsupported, at: place, "takes no part in a collective fit yet", remedy: "leave it out")
    }

    /// What is shared are the quantised matrices of the sets of rows that fits are made to (`MatrixStore`). A fit has the
    /// features of its rows while they are quantised, margins, gradients and XGBoost's own numbers for each row, a
    /// histogram for each node, and the trees.
    public func footprint(rows: Int, of features: Table, for objective: TrainingTask.Objective) -> Footprint {
        let columns = features.columns.count
        let outputs = if case .classification(let classes) = objective, classes > 2 { classes } else { 1 }
        let bins = columns * (min(spec.maxBins, rows) + 1)
        let depthLeaves = spec.maxDepth > 0 && spec.maxDepth < 20 ? 1 << spec.maxDepth : Int.max
        let leaves = min(spec.maxLeaves > 0 ? spec.maxLeaves : .max, depthLeaves, max(rows, 1))
        let isQuantised = BoosterParameters.isQuantised(spec)
        let features = isQuantised ? MatrixStore.limit(features) : 0
        let copy = 4 * MatrixBatches.bufferCells(rows: rows, columns: columns)
        // XGBoost 1.7 takes a third more than 3.2 while it quantises: what it was measured to take counts.
        let matrix = isQuantised ? copy + 12 * rows * columns : 12 * rows * columns
        let histograms = (2 * leaves + 1) * bins * 16
        // Two nodes a leaf, and as much again for the bytes of the model and for the booster that reads them.
        let trees = spec.trees * outputs * leaves * 2 * 3 * 64
        return Footprint(shared: features, working: matrix + rows * (80 + 24 * outputs) + histograms + trees)
    }

    /// Reads a model that its `encode` wrote.
    ///
    /// - Throws: `corruptModel`; `unsupported` where XGBoost is not found; `incompatibleModel` for a format or
    ///   trees of a newer version.
    public static func decode(from reader: inout BinaryReader) throws(MetaLearnersError)
        -> any FittedEstimator
    {
        try XGBoostModel(from: &reader)
    }
}
