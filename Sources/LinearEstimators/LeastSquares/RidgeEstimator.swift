import MetaLearnersCore

/// Ridge regression: minimises Σ w·(y − b − z·β)² + l2·|β|², or Σ w·(t − r·(b + z·β))² + l2·|β|² for the
/// residual loss, over standardised columns z; the intercept b is not penalised.
///
/// Categories enter with an indicator for each level, so that no level is special.
public struct RidgeEstimator: BaseEstimator {
    public static let backend = BackendDescription(
        name: "ridge", summary: "linear regression with an L2 penalty", version: "1",
        capabilities: .leastSquares)

    public let spec: RidgeSpec

    public init(_ spec: RidgeSpec = RidgeSpec()) throws(MetaLearnersError) { self.spec = try spec.validated() }

    public func fit(_ task: TrainingTask, _ context: ExecutionContext) throws(MetaLearnersError)
        -> any FittedEstimator
    {
        try FittedLinearModel(fitting: task, l2: spec.l2, backendName: Self.backend.name, context)
    }

    public static func decode(from reader: inout BinaryReader) throws(MetaLearnersError) -> any FittedEstimator {
        try FittedLinearModel(from: &reader, backendName: backend.name)
    }
}

/// The configuration of ridge regression.
public struct RidgeSpec: BaseEstimatorSpec {
    /// The penalty on the squares of the standardised coefficients, beside the sum (not the mean) of squared
    /// errors: scikit-learn's `alpha` after a `StandardScaler`. 0 is least squares.
    public var l2 = 1.0

    public static let parameters: [Parameter<RidgeSpec>] = [
        .number(
            "l2", \.l2, in: 0...Double.infinity,
            "penalty on the squared coefficients of standardised columns, beside the sum of squared errors")
    ]

    /// Creates the configuration with its default.
    public init() {}

    /// Creates the configuration.
    public init(l2: Double) { self.l2 = l2 }
}
