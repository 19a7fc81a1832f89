import MetaLearnersCore

/// The lasso (Tibshirani 1996): minimises ½·Σ w·(y − b − z·β)²/Σ w + λ·|β|₁
/// over standardised columns z; the intercept b is not penalised.
///
/// With the residual loss it is the fit to t/r with weights w·r², computed without any division by r. λ is given,
/// or chosen by cross-validation along a path of penalties. Categories enter with an indicator for each level, so
/// that no level is special.
public struct LassoEstimator: BaseEstimator {
    /// The name and the capabilities.
    public static let backend = BackendDescription(
        name: "lasso", summary: "linear regression with a penalty on absolute values", version: "1",
        capabilities: .leastSquares)

    /// The checked configuration.
    public let spec: LassoSpec

    /// Creates the estimator.
    ///
    /// - Throws: `invalidSpec` for a value out of range.
    public init(_ spec: LassoSpec = LassoSpec()) throws(MetaLearnersError) {
        self.spec = try spec.validated()
    }

    /// Fits the rows of `task` by coordinate descent.
    ///
    /// - Throws: `unsupported` for a classification or too many columns, `invalidData` for infinite covariates or a
    ///   regressor that is zero everywhere, `numericalFailure` where sums overflow, `outOfMemory`, `cancelled`.
    /// - Complexity: O(rows × columns²) for the sums of products, once however many penalties and folds there are; for
    ///   more columns than rows O(rows × columns) for each column that is ever active.
    public func fit(_ task: TrainingTask, _ context: ExecutionContext) throws(MetaLearnersError)
        -> any FittedEstimator
    {
        try ElasticNetFit(task, spec, backendName: Self.backend.name, context).model
    }

    /// Sums of products of the encoded columns over each fold decide.
    public func footprint(rows: Int, of features: Table, for objective: TrainingTask.Objective) -> Footprint {
        let design = DesignFootprint(features, rows: rows, spec.expansion)
        return Footprint(
            shared: 0, working: design.penaltyPath(folds: spec.lambda == nil ? spec.folds : 1))
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
