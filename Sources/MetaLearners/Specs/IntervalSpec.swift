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
        /// The whole fit repeated on halves of the rows, or of the clusters: what fewer rows change says how much is not learnt.
        case halfSampling = "half_sampling"
        /// The robust covariance of the coefficients of a linear effect model of the R- or the DR-learner.
        case analytic
        /// The variance of an honest forest as the effect model.
        case forest

        /// Whether the whole fit is repeated.
        var resamples: Bool { self == .bootstrap || self == .halfSampling }
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
    /// How many resamples there are; auto: 200 resamples of a bootstrap, 40 halves.
    public var samples = AutoCount.auto
    /// How resamples become an interval.
    public var type = Kind.percentile
    /// The analytic covariance of independent rows; clusters have their own.
    public var covariance = RobustCovariance.hc1

    /// The number of resamples or halves; of halves, which come in pairs, an even one.
    var sampleCount: Int {
        switch method {
        case .halfSampling: (samples.number ?? 40) / 2 * 2
        case .auto, .none, .bootstrap, .analytic, .forest: samples.number ?? 200
        }
    }

    public init() {}

    public static let parameters: [Parameter<IntervalSpec>] = [
        .choice(
            "method", \.method, "auto: analytic or forest where the effect model allows it, otherwise none"),
        .number("level", \.level, in: 0.5...0.9999, "the share of intervals that should hold the truth"),
        .integerOrAuto(
            "samples", \.samples, in: 20...10_000,
            "how many resamples or halves; auto: 200 of a bootstrap, 40 halves"),
        .choice("type", \.type, "bootstrap: quantiles of the resamples, or normal with their spread"),
        .choice("covariance", \.covariance, "analytic: small-sample correction where there are no clusters"),
    ]
}
