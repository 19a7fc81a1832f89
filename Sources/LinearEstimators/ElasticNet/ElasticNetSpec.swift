import MetaLearnersCore

/// The configuration of the elastic net.
public struct ElasticNetSpec: PenaltyPathSpec {
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
