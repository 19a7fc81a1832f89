import MetaLearnersCore

/// Average effects by targeted maximum likelihood (van der Laan & Rubin 2006; Gruber & van der Laan 2010).
///
/// Outcomes and means are scaled to [0, 1] by the least and the largest outcome. Each arm's mean is moved along a logistic
/// curve, logit μ* = logit μ + ε, with ε by maximum likelihood on the rows of that arm, weighted by the clever covariate H:
///
/// - ate: H = 1/e_k on the rows of the arm, 1/e_0 on those of the control; the estimate is the mean of μ_k* − μ_0*.
/// - att: H = e_k/e_0 on the control; the estimate is the mean of Y − μ_0* in the arm.
/// - atc: H = e_0/e_k on the arm; the estimate is the mean of μ_k* − Y in the control.
///
/// Estimates are within the range of the outcomes. Errors are those of AIPW with the means that were moved.
public struct TMLEAnalysis: EffectEstimator {
    public static let name = "tmle"
    public static let title = "Targeted maximum likelihood (TMLE)"
    public static let summary =
        "Doubly robust average effects that stay within the range of the outcome, by moving the outcome means"
    public static let topic = AnalysisTopic.averageEffects
    public static let runsByDefault = false
    public static let parameters: [Parameter<TMLEAnalysis>] = Parameter.question
    static let estimands = [Estimand.ate, .att, .atc]

    /// What is asked.
    public var question = EffectQuestion()

    public init() {}

    init(_ question: EffectQuestion) { self.question = question }

    public var needs: StudyParts { .scores }

    /// The column to group by.
    public var dataColumns: [String] { question.by.map { [$0] } ?? [] }

    var assumptions: [String] { [Assumption.noConfounding, Assumption.overlap] }

    public func run(_ study: CausalStudy, _ scheduler: Scheduler) throws(MetaLearnersError) -> AnalysisResult
    {
        try answer(study, scheduler)
    }

    func estimation(_ sample: EffectSample) throws(MetaLearnersError) -> EffectEstimation {
        let used = sample.rows.map { sample.study.outcome[$0] }
        guard let least = used.min(), let largest = used.max(), least < largest else {
            throw MetaLearnersError(
                .invalidData, at: "outcome", "is the same in all rows: there is nothing to estimate")
        }
        return { estimand, arm throws(MetaLearnersError) in
            try sample.requireComparison(arm)
            let propensities = try sample.propensities(arm)
            var means = try sample.means(arm)
            let range = OutcomeRange(least: least, width: largest - least)
            func ratio(_ left: [Double], _ right: [Double]) -> [Double] { zip(left, right).map { $0 / $1 } }
            let ones = [Double](repeating: 1, count: sample.weights.count)
            switch estimand {
            case .ate, .ato:
                means.control = range.moved(means.control, sample, 0, ratio(ones, propensities.control))
                means.arm = range.moved(means.arm, sample, arm, ratio(ones, propensities.arm))
            case .att:
                means.control = range.moved(
                    means.control, sample, 0, ratio(propensities.arm, propensities.control))
            case .atc:
                means.arm = range.moved(
                    means.arm, sample, arm, ratio(propensities.control, propensities.arm))
            }
            return EffectEstimate(
                value: AugmentedInverseProbability.estimate(
                    estimand, of: arm, outcome: sample.study.outcome, arms: sample.study.arms,
                    propensities: propensities, means: means, weights: sample.weights,
                    clusters: sample.study.clusters),
                rows: AIPWAnalysis.rowCount(sample, arm, estimand))
        }
    }
}

/// The range that outcomes are scaled by.
private struct OutcomeRange {
    let least: Double
    let width: Double

    /// Scaled means are kept this far from 0 and 1, as in the R package tmle.
    private static let margin = 0.0005

    /// The means of an arm, moved along the logistic curve that fits the rows of the arm best.
    func moved(_ means: [Double], _ sample: EffectSample, _ arm: Int, _ clever: [Double]) -> [Double] {
        let offsets = means.map { mean -> Double in
            let share = min(max((mean - least) / width, Self.margin), 1 - Self.margin)
            return Double.log(share / (1 - share))
        }
        let rows = sample.rows(of: arm)
        let step = self.step(sample, rows, offsets, clever)
        return offsets.indices.map { row in
            least + width / (1 + Double.exp(-(offsets[row] + step)))
        }
    }

    /// The ε at which Σ w H (y − μ*) is 0, μ* = expit(logit μ + ε): H weights the rows. As a covariate, μ* = expit(logit μ + ε H), it
    /// would solve the same equation, but throw means of rows to an end of the range where their propensity is tiny. The sum decreases in
    /// ε, so that Newton's steps within a bracket find it.
    private func step(_ sample: EffectSample, _ rows: [Int], _ offsets: [Double], _ clever: [Double])
        -> Double
    {
        func score(_ step: Double) -> (value: Double, slope: Double) {
            var (value, slope) = (0.0, 0.0)
            for row in rows {
                let weight = sample.weights[row] * clever[row]
                let share = 1 / (1 + Double.exp(-(offsets[row] + step)))
                value += weight * ((sample.study.outcome[row] - least) / width - share)
                slope -= weight * share * (1 - share)
            }
            return (value, slope)
        }
        var (low, high) = (-1.0, 1.0)
        while score(low).value < 0, low > -1e3 { low *= 2 }
        while score(high).value > 0, high < 1e3 { high *= 2 }
        var step = 0.0
        for _ in 0..<100 {
            let (value, slope) = score(step)
            if value > 0 { low = step } else { high = step }
            var next = slope < 0 ? step - value / slope : .nan
            if !(next > low && next < high) { next = (low + high) / 2 }
            if abs(next - step) <= 1e-15 * max(1, abs(step)) { break }
            step = next
        }
        return step
    }
}
