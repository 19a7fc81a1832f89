import MetaLearnersCore

/// Ordinary least squares: minimises Σ w·(y − b − x·β)², or the residual loss Σ w·(t − r·(b + x·β))².
///
/// Categories enter as indicators against their heaviest level. Where columns depend on each other or outnumber
/// the rows, the coefficients are those of least norm on standardised columns, and a warning says so.
public struct OLSEstimator: BaseEstimator {
    public static let backend = BackendDescription(
        name: "ols", summary: "ordinary least squares", version: "1", capabilities: .leastSquares)

    public let spec: OLSSpec

    public init(_ spec: OLSSpec = OLSSpec()) throws(MetaLearnersError) { self.spec = try spec.validated() }

    public func fit(_ task: TrainingTask, _ context: ExecutionContext) throws(MetaLearnersError)
        -> any FittedEstimator
    {
        try FittedLinearModel(fitting: task, l2: 0, backendName: Self.backend.name, context)
    }

    public static func decode(from reader: inout BinaryReader) throws(MetaLearnersError) -> any FittedEstimator {
        try FittedLinearModel(from: &reader, backendName: backend.name)
    }
}

/// The configuration of ordinary least squares: there is nothing to configure.
public struct OLSSpec: BaseEstimatorSpec {
    public static let parameters: [Parameter<OLSSpec>] = []

    /// Creates the configuration.
    public init() {}
}

extension Capabilities {
    /// What least squares can do.
    static let leastSquares: Capabilities = [
        .regression, .weights, .missingValues, .categoricals, .residualLoss,
    ]
}
