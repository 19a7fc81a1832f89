import MetaLearners
import MetaLearnersCore

/// Average effects by augmented inverse probability weighting: the formulas are `AugmentedInverseProbability`'s.
public struct AIPWAnalysis: EffectEstimator {
    public static let name = "aipw"
    public static let title = "Doubly robust average effects (AIPW)"
    public static let summary =
        "The average effect of each arm, right where either the outcome means or the propensities are"
    public static let topic = AnalysisTopic.averageEffects
    public static let runsByDefault = false
    public static let parameters: [Parameter<AIPWAnalysis>] = Parameter.question
    static let estimands = Estimand.allCases

    /// What is asked.
    public var question = EffectQuestion()

    public init() {}

    public var needs: StudyParts { .scores }

    /// The column to group by.
    public var dataColumns: [String] { question.by.map { [$0] } ?? [] }

    var assumptions: [String] { [Assumption.noConfounding, Assumption.overlap] }

    public func run(_ study: CausalStudy, _ scheduler: Scheduler) throws(MetaLearnersError) -> AnalysisResult
    {
        try answer(study, scheduler)
    }

    func estimation(_ sample: EffectSample) throws(MetaLearnersError) -> EffectEstimation {
        { estimand, arm throws(MetaLearnersError) in
            try sample.requireComparison(arm)
            return EffectEstimate(
                value: try Self.estimate(sample, arm, estimand), rows: Self.rowCount(sample, arm, estimand))
        }
    }

    /// The estimate of one arm over a study.
    static func estimate(_ study: CausalStudy, _ arm: Int, _ estimand: Estimand) throws(MetaLearnersError)
        -> NormalEstimate
    {
        try estimate(EffectSample(study), arm, estimand)
    }

    private static func estimate(_ sample: EffectSample, _ arm: Int, _ estimand: Estimand)
        throws(MetaLearnersError) -> NormalEstimate
    {
        AugmentedInverseProbability.estimate(
            estimand, of: arm, outcome: sample.study.outcome, arms: sample.study.arms,
            propensities: try sample.propensities(arm), means: try sample.means(arm),
            weights: sample.weights, clusters: sample.study.clusters)
    }

    /// Over everybody the rows of every arm count; over others those of the arm and the control.
    static func rowCount(_ sample: EffectSample, _ arm: Int, _ estimand: Estimand) -> Int {
        let counts = sample.counts(arm)
        return estimand == .ate ? sample.rows.count : counts.control + counts.arm
    }
}
