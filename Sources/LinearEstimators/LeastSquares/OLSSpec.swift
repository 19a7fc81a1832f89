import MetaLearnersCore

/// The configuration of ordinary least squares: there is nothing to configure.
public struct OLSSpec: BaseEstimatorSpec {
    /// The keys.
    public static let parameters: [Parameter<OLSSpec>] = []

    /// Creates the configuration.
    public init() {}
}
