import MetaLearnersCore

/// Ordinary least squares: minimises Σ w·(y − b − x·β)², or the residual loss Σ w·(t − r·(b + x·β))².
///
/// Categories enter as indicators against their heaviest level. Where columns depend on each other or outnumber
/// the rows, the coefficients are those of least norm on standardised columns, and a warning says so.
public struct OLSEstimator: BaseEstimator {
    /// The name and the capabilities.
    public static let backend = BackendDescription(
        name: "ols", summary: "ordinary least squares", version: "1", capabilities: .leastSquares)

    /// The checked configuration.
    public let spec: OLSSpec

    /// Creates the estimator.
    ///
    /// - Throws: `invalidSpec` for a value out of range.
    public init(_ spec: OLSSpec = OLSSpec()) throws(MetaLearnersError) { self.spec = try spec.validated() }

    /// Fits the rows of `task`, by the Gram matrix or, where that is ill-conditioned, by QR and SVD.
    ///
    /// - Throws: `unsupported` for a classification or too many columns, `invalidData` for infinite covariates or a
    ///   regressor that is zero everywhere, `numericalFailure` where sums overflow, `outOfMemory`, `cancelled`.
    /// - Complexity: O(rows × columns²), for more columns than rows O(rows² × columns).
    public func fit(_ task: TrainingTask, _ context: ExecutionContext) throws(MetaLearnersError)
        -> any FittedEstimator
    {
        var free = RidgeSpec(l2: 0)
        free.expansion = spec.expansion
        return try FittedLinearModel(fitting: task, free, backendName: Self.backend.name, context)
    }

    /// Sums of products of the encoded columns, not of the features, decide: a category of many levels counts as many.
    public func footprint(rows: Int, of features: Table, for objective: TrainingTask.Objective) -> Footprint {
        let design = DesignFootprint(features, rows: rows, spec.expansion)
        return Footprint(shared: 0, working: design.leastSquares(grams: 4))
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

extension Capabilities {
    /// What least squares can do.
    static let leastSquares: Capabilities = [
        .regression, .weights, .missingValues, .categoricals, .residualLoss, .sparse,
    ]
}
