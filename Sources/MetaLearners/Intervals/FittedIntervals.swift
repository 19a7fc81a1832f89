import MetaLearnersCore

/// What the intervals of a model's effects are made of.
enum FittedIntervals: Sendable {
    /// The models of each resample of the rows.
    case bootstrap([FittedEffects])
    /// The covariance of the coefficients of the effect model of each arm, from 1, as `CovarianceEstimating` has it.
    case analytic([[Double]])
    /// The effect models' own variances.
    case forest

    /// The method's name.
    var method: IntervalSpec.Method {
        switch self {
        case .bootstrap: .bootstrap
        case .analytic: .analytic
        case .forest: .forest
        }
    }

    /// What an interval of the given level promises, in words.
    func meaning(_ spec: MetaLearnerSpec, level: Double, isClustered: Bool) -> String {
        let percent = SpecValue.number((level * 1e6).rounded() / 1e4).json() + " %"
        switch self {
        case .bootstrap(let samples):
            let units = isClustered ? "clusters" : "rows"
            let shape =
                spec.intervals.type == .percentile
                ? "The middle \(percent) of the effects"
                : "The normal \(percent) interval by the spread of the effects"
            return shape
                + " that the learner finds in \(samples.count) resamples of the \(units). They show how much "
                + "the whole fit varies from sample to sample; they do not correct what the learner smooths away, so "
                + "that flexible effect models hold the true effect less often than that."
        case .analytic:
            let robust =
                isClustered
                ? "cluster-robust (CR1)"
                : "heteroscedasticity-robust (\(spec.intervals.covariance.rawValue.uppercased()))"
            return
                "Holds the best linear approximation of the effect in \(percent) of samples, in large ones: "
                + "\(robust) covariance of the coefficients of the final regression. It rests on nuisances that are "
                + "estimated well, and says nothing of how far the true effect is from linear."
        case .forest:
            return
                "Holds the true effect in \(percent) of samples, in large ones and where the effect is smooth: the "
                + "variance of an honest forest by little bags. It leaves out what the nuisances add, and the bias that "
                + "few rows near a point leave."
        }
    }
}
