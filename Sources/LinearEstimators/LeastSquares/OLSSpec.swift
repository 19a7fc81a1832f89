import MetaLearnersCore

/// The configuration of ordinary least squares: what the columns are expanded to.
public struct OLSSpec: BaseEstimatorSpec {
    /// Whether numbers get curves, and columns products.
    public var expansion = FeatureExpansion.none

    /// The keys.
    public static let parameters: [Parameter<OLSSpec>] = [
        FeatureExpansion.parameter(\.expansion)
    ]

    /// Creates the configuration with its default.
    public init() {}

    /// Creates the configuration.
    public init(expansion: FeatureExpansion) { self.expansion = expansion }
}
