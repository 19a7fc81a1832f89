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
    /// - Complexity: O(rows · columns · depth) a tree; 2 bytes a cell of the features for the bins, which fits on
    ///   the same rows share, and 24 bytes a row.
    public func fit(_ task: TrainingTask, _ context: ExecutionContext) throws(MetaLearnersError)
        -> any FittedEstimator
    {
        try context.checkCancellation()
        let roles = RowRoles(task, spec)
        var warnings: [String] = []
        if spec.earlyStopping > 0, roles.heldOut.isEmpty {
            warnings.append("early stopping needs two rows (or clusters) at least; all trees were grown")
        }
        let fit = XGBoostFit(
            library: library, spec: spec, task: task, roles: roles, context: context)
        switch task.objective {
        case .regression, .residual:
            return try fit.quadratic(warnings)
        case .classification(let classes):
            return try fit.classification(classes, warnings)
        case .multiResidual, .multiRegression, .count, .quantile:
            throw task.unsupportedObjective(by: Self.backend)
        }
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
