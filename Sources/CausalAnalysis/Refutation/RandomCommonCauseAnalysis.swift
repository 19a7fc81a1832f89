import MetaLearnersCore

/// Does a covariate of pure noise change the answer?
public struct RandomCommonCauseAnalysis: Analysis {
    public static let name = "random_common_cause"
    public static let title = "Random common cause"
    public static let summary = "A covariate of pure noise must not change the effect"
    public static let topic = AnalysisTopic.refutation
    // No part of reports: it fits models many times.
    public static let isPartOfReports = false
    public static let parameters: [Parameter<RandomCommonCauseAnalysis>] = [
        .repeats(\.repeats), .level(\.level), .arm(\.arm), .seed(\.seed),
    ]

    /// How often it is repeated.
    public var repeats = 20
    /// The level of intervals.
    public var level = 0.95
    /// The arm that is asked about; nil for every one but the control.
    public var arm: String?
    /// The seed of the noise.
    public var seed = 1

    public init() {}

    public var needs: StudyParts { [.scores, .fitting] }

    public func run(_ study: CausalStudy, _ scheduler: Scheduler) throws(MetaLearnersError) -> AnalysisResult
    {
        let arms = try study.treatedArms(arm)
        let fit = try RefutationFit(study)
        let done = try RefutationFit.repeats("random common cause", repeats, scheduler) {
            index, options throws(MetaLearnersError) in
            var stream = RandomStream(seed: UInt64(seed), path: 0x434F_4D43, UInt64(index))
            let noise = (0..<fit.dataset.rowCount).map { _ in stream.standardNormal() }
            return try fit.estimate(fit.dataset.adding("random_common_cause", noise), options)
        }
        var result = RefutationReport(
            emptyResult, study, arms: arms, level: level, title: "Effects with a covariate of noise",
            original: fit.original, done, judge: judge
        ).result
        result.assumptions = [
            "It fails where the mean moves by more than one standard error of the estimate."
        ]
        return result
    }

    private func judge(_ summary: RefutationSummary) -> RefutationReport.Judgement {
        let passed = summary.shift <= 1
        return (
            passed,
            "with a covariate of noise the effect of '\(summary.arm)' is \(Sentence.number(summary.mean)) on average, without it \(Sentence.number(summary.original.estimate)): \(Sentence.number(summary.shift)) standard errors apart"
                + (passed ? "." : ", so that the fit is unstable.")
        )
    }
}
