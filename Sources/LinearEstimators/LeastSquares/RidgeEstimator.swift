import MetaLearnersCore

/// Ridge regression: minimises Σ w·(y − b − z·β)² + l2·|β|², or Σ w·(t − r·(b + z·β))² + l2·|β|² for the
/// residual loss, over standardised columns z; the intercept b is not penalised.
///
/// The penalty is given, or chosen by generalised or leave-one-out cross-validation from one eigen-decomposition.
/// Categories enter with an indicator for each level, so that no level is special.
public struct RidgeEstimator: BaseEstimator {
    /// The name and the capabilities.
    public static let backend = BackendDescription(
        name: "ridge", summary: "linear regression with an L2 penalty", version: "1",
        capabilities: .leastSquares)

    /// The checked configuration.
    public let spec: RidgeSpec

    /// Creates the estimator.
    ///
    /// - Throws: `invalidSpec` for a value out of range.
    public init(_ spec: RidgeSpec = RidgeSpec()) throws(MetaLearnersError) {
        self.spec = try spec.validated()
    }

    /// Fits the rows of `task`, by the Gram matrix or, where that is ill-conditioned, by QR and SVD.
    ///
    /// - Throws: `unsupported` for a classification or too many columns, `invalidData` for infinite covariates or a
    ///   regressor that is zero everywhere, `numericalFailure` where sums overflow, `outOfMemory`, `cancelled`.
    /// - Complexity: O(rows × columns²), for more columns than rows O(rows² × columns).
    public func fit(_ task: TrainingTask, _ context: ExecutionContext) throws(MetaLearnersError)
        -> any FittedEstimator
    {
        try FittedLinearModel(fitting: task, spec, backendName: Self.backend.name, context)
    }

    /// Sums of products of the encoded columns, not of the features, decide: a category of many levels counts as many.
    public func footprint(rows: Int, of features: Table, for objective: TrainingTask.Objective) -> Footprint {
        let design = DesignFootprint(features, rows: rows, spec.expansion)
        let grams =
            switch spec.selection {
            case .fixed: 4
            case .gcv, .loo: 7
            case .cv: 8 + 2 * spec.folds
            }
        return Footprint(shared: 0, working: design.leastSquares(grams: grams))
    }

    /// Reads a model that its `encode` wrote.
    ///
    /// - Throws: `corruptModel`.
    public static func decode(from reader: inout BinaryReader) throws(MetaLearnersError)
        -> any FittedEstimator
    {
        try FittedLinearModel(from: &reader, backendName: backend.name)
    }
}
