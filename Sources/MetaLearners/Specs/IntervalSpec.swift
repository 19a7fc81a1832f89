import MetaLearnersCore

/// Confidence intervals of effects: the `intervals` section of a spec.
public struct IntervalSpec: ParameterizedSpec {
    /// Where intervals come from.
    public enum Method: String, Sendable, CaseIterable {
        /// Analytic or forest where learner and effect model allow it, since these cost next to nothing; else none, as for
        /// linear effect models with more than 256 coefficients where there are many levels.
        case auto
        /// None.
        case none
        /// The whole fit repeated on resamples of the rows, or of whole clusters.
        case bootstrap
        /// The robust covariance of the coefficients of a linear effect model of the R- or the DR-learner.
        case analytic
        /// The variance of an honest forest as the effect model.
        case forest
    }

    /// How resamples become an interval.
    public enum Kind: String, Sendable, CaseIterable {
        /// The quantiles of the resamples' effects.
        case percentile
        /// The effect ± quantile · standard deviation of the resamples' effects.
        case normal
    }

    /// Where intervals come from.
    public var method = Method.auto
    /// The share of intervals that should hold the truth.
    public var level = 0.95
    /// How many resamples there are.
    public var samples = 200
    /// How resamples become an interval.
    public var type = Kind.percentile
    /// The analytic covariance of independent rows; clusters have their own.
    public var covariance = RobustCovariance.hc1

    public init() {}

    public static let parameters: [Parameter<IntervalSpec>] = [
        .choice(
            "method", \.method, "auto: analytic or forest where the effect model allows it, otherwise none"),
        .number("level", \.level, in: 0.5...0.9999, "the share of intervals that should hold the truth"),
        .integer("samples", \.samples, in: 20...10_000, "bootstrap: how many resamples"),
        .choice("type", \.type, "bootstrap: quantiles of the resamples, or normal with their spread"),
        .choice("covariance", \.covariance, "analytic: small-sample correction where there are no clusters"),
    ]
}
