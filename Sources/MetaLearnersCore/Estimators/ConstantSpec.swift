/// The configuration of the baseline: there is nothing to configure.
public struct ConstantSpec: BaseEstimatorSpec {
    /// The keys.
    public static let parameters: [Parameter<ConstantSpec>] = []

    /// Creates the configuration.
    public init() {}
}
