import MetaLearnersCore

/// The configuration of ridge regression.
public struct RidgeSpec: LinearSpec {
    /// The name and the capabilities.
    public static let backend = BackendDescription(
        name: "ridge", summary: "linear regression with an L2 penalty", version: "1",
        capabilities: .leastSquares)

    /// The penalty on the squares of the coefficients, beside the sum (not the mean) of squared errors:
    /// scikit-learn's `alpha`, numbers behind a `StandardScaler`. 0 is least squares. Of no effect where `selection`
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
            "penalty on the squared coefficients of encoded columns, beside the sum of squared errors"),
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

    public var method: LinearMethod { LinearMethod(kind: .squares(self)) }

    /// Creates the configuration with its defaults.
    public init() {}

    /// Creates the configuration.
    public init(l2: Double) { self.l2 = l2 }

    /// Creates the configuration of a penalty that the data choose.
    public init(selection: RidgeSelection) { self.selection = selection }
}

/// How ridge regression's penalty is chosen.
public enum RidgeSelection: String, Sendable, CaseIterable {
    /// It is given.
    case fixed
    /// By generalised cross-validation (Golub, Heath & Wahba 1979).
    case gcv
    /// By leaving each row out in turn, exactly.
    case loo
    /// By k-fold cross-validation, whole clusters in one fold.
    case cv
}

/// The configuration of ordinary least squares: what the columns are expanded to.
public struct OLSSpec: LinearSpec {
    /// The name and the capabilities.
    public static let backend = BackendDescription(
        name: "ols", summary: "ordinary least squares", version: "1",
        capabilities: .leastSquares)

    /// Whether numbers get curves, and columns products.
    public var expansion = FeatureExpansion.none

    /// The keys.
    public static let parameters: [Parameter<OLSSpec>] = [
        FeatureExpansion.parameter(\.expansion)
    ]

    /// Ridge without a penalty.
    public var method: LinearMethod {
        var free = RidgeSpec(l2: 0)
        free.expansion = expansion
        return free.method
    }

    /// Creates the configuration with its default.
    public init() {}

    /// Creates the configuration.
    public init(expansion: FeatureExpansion) { self.expansion = expansion }
}
