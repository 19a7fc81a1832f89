import MetaLearnersCore

/// The configuration of ridge regression.
public struct RidgeSpec: BaseEstimatorSpec {
    /// The penalty on the squares of the standardised coefficients, beside the sum (not the mean) of squared
    /// errors: scikit-learn's `alpha` after a `StandardScaler`. 0 is least squares. Of no effect where `selection`
    /// chooses it.
    public var l2 = 1.0
    /// How the penalty is chosen.
    public var selection = RidgeSelection.fixed
    /// How many folds cross-validation by folds has.
    public var folds = 5
    /// How many penalties are compared.
    public var pathLength = 100
    /// The least of them relative to the largest, which is 100 times the largest eigenvalue of the Gram matrix.
    public var pathRatio = 1e-8
    /// Whether numbers get curves, and columns products.
    public var expansion = FeatureExpansion.none

    /// The keys.
    public static let parameters: [Parameter<RidgeSpec>] = [
        .number(
            "l2", \.l2, in: 0...Double.infinity,
            "penalty on the squared coefficients of standardised columns, beside the sum of squared errors"),
        .choice(
            "selection", \.selection,
            "fixed: the penalty is l2; gcv, loo, cv: chosen by generalised, leave-one-out or k-fold cross-validation"
        ),
        .integer("folds", \.folds, in: 2...1000, "folds of cv; clusters stay whole"),
        .integer("path_length", \.pathLength, in: 2...1000, "how many penalties gcv, loo and cv compare"),
        .number(
            "path_ratio", \.pathRatio, in: 0...1, exclusiveLower: true,
            "least penalty compared, relative to the largest, which leaves next to nothing of the coefficients"
        ),
        FeatureExpansion.parameter(\.expansion),
    ]

    /// Creates the configuration with its defaults.
    public init() {}

    /// Creates the configuration.
    public init(l2: Double) { self.l2 = l2 }

    /// Creates the configuration of a penalty that the data choose.
    public init(selection: RidgeSelection) { self.selection = selection }
}
