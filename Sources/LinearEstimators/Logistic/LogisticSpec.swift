import MetaLearnersCore

/// The configuration of logistic regression.
public struct LogisticSpec: BaseEstimatorSpec {
    /// The penalty on half the squares of the standardised coefficients, beside the sum (not the mean) of the
    /// negative log-likelihood: scikit-learn's `1/C` after a `StandardScaler`.
    public var l2 = 1.0
    /// The most Newton steps.
    public var maxIterations = 100
    /// Converged is where a step changes no parameter by more than this, relative to one plus the largest.
    public var tolerance = 1e-8
    /// Whether numbers get curves, and columns products.
    public var expansion = FeatureExpansion.none

    /// The keys.
    public static let parameters: [Parameter<LogisticSpec>] = [
        .number(
            "l2", \.l2, in: 0...Double.infinity, exclusiveLower: true,
            "penalty on half the squared coefficients of standardised columns, beside the summed log-likelihood"
        ),
        .integer("max_iterations", \.maxIterations, in: 1...1_000_000, "most Newton steps"),
        .number(
            "tolerance", \.tolerance, in: 0...1, exclusiveLower: true,
            "largest change of a parameter in the last step, relative to one plus the largest parameter"),
        FeatureExpansion.parameter(\.expansion),
    ]

    /// Creates the configuration with its defaults.
    public init() {}

    /// Creates the configuration.
    public init(l2: Double, maxIterations: Int = 100, tolerance: Double = 1e-8) {
        self.l2 = l2
        self.maxIterations = maxIterations
        self.tolerance = tolerance
    }
}
