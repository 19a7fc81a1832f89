import MetaLearnersCore

/// The configuration of ridge regression.
public struct RidgeSpec: BaseEstimatorSpec {
    /// The penalty on the squares of the standardised coefficients, beside the sum (not the mean) of squared
    /// errors: scikit-learn's `alpha` after a `StandardScaler`. 0 is least squares.
    public var l2 = 1.0

    /// The keys.
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
