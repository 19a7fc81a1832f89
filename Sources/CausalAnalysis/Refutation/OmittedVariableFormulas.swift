import MetaLearnersCore

/// What a confounder that was left out of a linear model can do (Cinelli & Hazlett 2020, JRSS B 82, 39–67).
package enum OmittedVariableFormulas {
    /// The robustness value: the R² that a confounder must have with treatment and with outcome, both alike, to reduce the
    /// estimate by the share `q`.
    ///
    /// - Parameters:
    ///   - statistic: the t-statistic of the treatment.
    ///   - critical: to reduce it until an interval contains that value: the quantile of t with one degree of freedom less
    ///     than the fit has; nil for the estimate itself.
    package static func robustnessValue(
        statistic: Double, degreesOfFreedom: Double, q: Double = 1, critical: Double? = nil
    ) -> Double {
        let ratio = q * abs(statistic) / degreesOfFreedom.squareRoot()
        let least = critical.map { $0 / (degreesOfFreedom - 1).squareRoot() } ?? 0
        let excess = ratio - least
        guard excess > 0 else { return 0 }
        // Beyond this the bound on the outcome's side holds no more, and the treatment's R² alone decides.
        if least > 0, ratio > 1 / least { return (ratio * ratio - least * least) / (1 + ratio * ratio) }
        return atLeast(excess)
    }

    /// The R² of a confounder, alike with both, whose bias factor R²/√(1 − R²) is `factor`.
    static func atLeast(_ factor: Double) -> Double {
        let square = factor * factor
        return 0.5 * ((square * square + 4 * square).squareRoot() - square)
    }

    /// The strength of a confounder `multiple` times as strong as an observed covariate: its R² with the treatment and with
    /// the outcome; nil where no confounder can be as strong.
    static func strength(treatment: Double, outcome: Double, multiple: Double) -> (
        treatment: Double, outcome: Double
    )? {
        let ofTreatment = multiple * treatment / (1 - treatment)
        guard ofTreatment < 1, multiple * treatment < 1 else { return nil }
        let shared = multiple * treatment * treatment / ((1 - multiple * treatment) * (1 - treatment))
        guard shared < 1 else { return nil }
        let factor = (multiple.squareRoot() + shared.squareRoot()) / (1 - shared).squareRoot()
        return (ofTreatment, min(factor * factor * outcome / (1 - outcome), 1))
    }

    /// The estimate and its standard error once such a confounder is adjusted for, towards 0.
    static func adjusted(
        estimate: Double, stdError: Double, degreesOfFreedom: Double,
        strength: (treatment: Double, outcome: Double)
    ) -> (estimate: Double, stdError: Double) {
        let bias =
            (strength.outcome * strength.treatment / (1 - strength.treatment)).squareRoot() * stdError
            * degreesOfFreedom.squareRoot()
        let sign = estimate < 0 ? -1.0 : 1
        return (
            sign * (abs(estimate) - bias),
            ((1 - strength.outcome) / (1 - strength.treatment)).squareRoot() * stdError
                * (degreesOfFreedom / (degreesOfFreedom - 1)).squareRoot()
        )
    }
}

/// Bounds of a doubly robust average effect under a confounder that was left out (Chernozhukov, Cinelli, Newey, Sharma &
/// Syrgkanis 2022, "Long story short", arXiv 2112.13398).
///
/// The bias is at most ρ √(σ² ν²) √(c_y c_d / (1 − c_d)), where σ² is the variance that the arm means leave, ν² that of the
/// weights α = 1{W=k}/e_k − 1{W=0}/e_0, c_y the share of the outcome's remaining variance that the confounder explains, and
/// 1 − c_d the share of the true weights' variance that is there without it.
struct DoublyRobustBounds {
    /// The estimate without a confounder.
    let estimate: NormalEstimate
    /// √(σ² ν²).
    let largestBias: Double
    private let scores: [Double]
    private let biasInfluence: [Double]
    private let weights: [Double]
    private let clusters: [Int32]?

    init?(_ study: CausalStudy, arm: Int) throws(MetaLearnersError) {
        let scores = try study.scores(arm)
        let weights = study.rowWeights
        let ofArm = try study.propensity(arm)
        let ofControl = try study.propensity(0)
        var residuals = scores
        var squares = scores
        var means: [[Double]] = []
        for arm in 0..<study.armCount { means.append(try study.armMean(arm)) }
        for row in scores.indices {
            let own = Int(study.arms[row])
            let residual = study.outcome[row] - means[own][row]
            residuals[row] = residual * residual
            let weight = own == arm ? 1 / ofArm[row] : own == 0 ? -1 / ofControl[row] : 0
            // Debiased: E[2 m(α) − α²] is E[α²] to the second order in the error of the propensities.
            squares[row] = 2 * (1 / ofArm[row] + 1 / ofControl[row]) - weight * weight
        }
        let total = weights.reduce(0, +)
        let rows = scores.indices
        let variance = rows.reduce(0) { $0 + weights[$1] * residuals[$1] } / total
        let size = rows.reduce(0) { $0 + weights[$1] * squares[$1] } / total
        guard variance > 0, size > 0 else { return nil }
        let largest = (variance * size).squareRoot()
        self.scores = scores
        self.weights = weights
        clusters = study.clusters
        largestBias = largest
        biasInfluence = rows.map {
            (variance * (squares[$0] - size) + size * (residuals[$0] - variance)) / (2 * largest)
        }
        estimate = NormalEstimate(
            scores: scores, shares: [Double](repeating: 1, count: scores.count), weights: weights,
            clusters: study.clusters)
    }

    /// √(c_y c_d / (1 − c_d)) |ρ|.
    static func factor(outcome: Double, treatment: Double, correlation: Double) -> Double {
        abs(correlation) * (outcome * treatment / (1 - treatment)).squareRoot()
    }

    /// An end of the bounds with its standard error.
    ///
    /// - Parameter sign: −1 for the lower end, 1 for the upper one.
    func end(_ sign: Double, factor: Double) -> NormalEstimate {
        NormalEstimate(
            scores: scores.indices.map { scores[$0] + sign * factor * (largestBias + biasInfluence[$0]) },
            shares: [Double](repeating: 1, count: scores.count), weights: weights, clusters: clusters)
    }

    /// The share c, alike for both, from which on the bounds contain 0.
    func robustnessValue(correlation: Double) -> Double {
        OmittedVariableFormulas.atLeast(abs(estimate.estimate) / (abs(correlation) * largestBias))
    }

    /// The share c, alike for both, from which on the interval of the bounds contains 0; 0 where it does from the start.
    func robustnessValue(correlation: Double, level: Double) -> Double {
        let sign = estimate.estimate < 0 ? 1.0 : -1
        func excludes(_ share: Double) -> Bool {
            let end = end(
                sign, factor: Self.factor(outcome: share, treatment: share, correlation: correlation))
            let interval = end.interval(level: level)
            return sign < 0 ? interval.lower > 0 : interval.upper < 0
        }
        guard excludes(0) else { return 0 }
        var low = 0.0
        var high = robustnessValue(correlation: correlation)
        for _ in 0..<60 {
            let middle = (low + high) / 2
            if excludes(middle) { low = middle } else { high = middle }
        }
        return (low + high) / 2
    }
}
