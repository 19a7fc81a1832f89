import MetaLearnersCore

/// The configuration of the lasso.
public struct LassoSpec: PenaltyPathSpec {
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
