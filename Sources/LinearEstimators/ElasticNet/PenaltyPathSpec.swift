import MetaLearnersCore

/// What the lasso's and the elastic net's configurations have in common: how their penalty is chosen.
///
/// They minimise ½·Σ w·(y − b − z·β)²/Σ w + λ·(s·ratio·|β|₁ + (1 − ratio)/2·|β|₂²), s being the standard deviation of the
/// target; with the residual loss, the fit to t/r with weights w·r², computed without any division by r.
/// The penalty λ is that of scikit-learn's `alpha` after a `StandardScaler` for a target of standard deviation 1, beside
/// half the (weighted) mean of squared errors: the unit of the target changes nothing.
public protocol PenaltyPathSpec: LinearSpec {
    /// The penalty, as for a target of standard deviation 1; nil where cross-validation chooses it.
    var lambda: Double? { get set }
    /// How many folds cross-validation has.
    var folds: Int { get set }
    /// Which of the penalties compared is taken.
    var selection: LambdaSelection { get set }
    /// How many penalties are compared.
    var pathLength: Int { get set }
    /// The least of them relative to the largest, the least at which every coefficient is 0.
    var pathRatio: Double { get set }
    /// The share of the penalty that is on absolute values, the rest being on squares.
    var l1Ratio: Double { get }
    /// Whether numbers get curves, and columns products.
    var expansion: FeatureExpansion { get set }
}

extension PenaltyPathSpec {
    public var method: LinearMethod { LinearMethod(kind: .path(self)) }

    /// The keys in common.
    static var pathParameters: [Parameter<Self>] {
        [
            Parameter(
                "lambda",
                "penalty beside half the mean of squared errors, of standardised columns and target; cross-validated where absent",
                range: "number > 0, or absent"
            ) { value, place, spec throws(MetaLearnersError) in
                guard let number = value.doubleValue else {
                    throw place.error("must be a number, not \(value.kindName)")
                }
                guard number.isFinite, number > 0 else {
                    throw place.error("is \(value.json()), must be: number > 0", remedy: "ols has no penalty")
                }
                spec.lambda = number
            } write: {
                $0.lambda.map { .number($0) } ?? .null
            },
            .integer("folds", \.folds, in: 2...1000, "folds of the cross-validation; clusters stay whole"),
            .choice(
                "selection", \.selection,
                "min: the penalty of least error; one_se: the largest within one standard error of it"),
            .integer("path_length", \.pathLength, in: 2...1000, "how many penalties are compared"),
            .number(
                "path_ratio", \.pathRatio, in: 0...1, exclusiveLower: true,
                "least penalty compared, relative to the one at which every coefficient is 0"),
            FeatureExpansion.parameter(\.expansion),
        ]
    }
}

/// Which penalty of those compared by cross-validation is taken.
public enum LambdaSelection: String, Sendable, CaseIterable {
    /// The one with the least error.
    case min
    /// The largest one whose error is within one standard error of the least.
    case oneStandardError = "one_se"
}

/// The configuration of the elastic net.
public struct ElasticNetSpec: PenaltyPathSpec {
    /// The name and the capabilities.
    public static let backend = BackendDescription(
        name: "elastic_net", summary: "linear regression with penalties on absolute values and squares",
        version: "1", capabilities: .leastSquares)

    public var l1Ratio = 0.5
    public var lambda: Double?
    public var folds = 5
    public var selection = LambdaSelection.min
    public var pathLength = 100
    public var pathRatio = 1e-3
    public var expansion = FeatureExpansion.none

    /// The keys.
    public static let parameters: [Parameter<ElasticNetSpec>] =
        [
            .number(
                "l1_ratio", \.l1Ratio, in: 0...1, exclusiveLower: true,
                "share of the penalty on absolute values, the rest on squares; 1 is the lasso")
        ] + pathParameters

    /// Creates the configuration with its defaults.
    public init() {}

    /// Creates the configuration.
    public init(
        l1Ratio: Double = 0.5, lambda: Double? = nil, folds: Int = 5, selection: LambdaSelection = .min
    ) {
        self.l1Ratio = l1Ratio
        self.lambda = lambda
        self.folds = folds
        self.selection = selection
    }
}

/// The configuration of the lasso.
public struct LassoSpec: PenaltyPathSpec {
    /// The name and the capabilities.
    public static let backend = BackendDescription(
        name: "lasso", summary: "linear regression with a penalty on absolute values",
        version: "1", capabilities: .leastSquares)

    public var lambda: Double?
    public var folds = 5
    public var selection = LambdaSelection.min
    public var pathLength = 100
    public var pathRatio = 1e-3
    public var expansion = FeatureExpansion.none

    /// All of the penalty is on absolute values.
    public var l1Ratio: Double { 1 }

    /// The keys.
    public static let parameters: [Parameter<LassoSpec>] = pathParameters

    /// Creates the configuration with its defaults.
    public init() {}

    /// Creates the configuration.
    public init(lambda: Double? = nil, folds: Int = 5, selection: LambdaSelection = .min) {
        self.lambda = lambda
        self.folds = folds
        self.selection = selection
    }
}
