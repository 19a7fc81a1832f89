import MetaLearnersCore

/// Does the method find an effect on an outcome that has nothing to do with the treatment?
public struct DummyOutcomeAnalysis: Analysis {
    public static let name = "dummy_outcome"
    public static let title = "Dummy outcome"
    public static let summary = "With the outcome permuted at random the effect must vanish"
    public static let topic = AnalysisTopic.refutation
    // No part of reports: it fits models many times.
    public static let isPartOfReports = false
    public static let parameters: [Parameter<DummyOutcomeAnalysis>] = [
        .repeats(\.repeats), .level(\.level), .arm(\.arm), .seed(\.seed),
    ]

    /// How often it is repeated.
    public var repeats = 20
    /// The level of intervals.
    public var level = 0.95
    /// The arm that is asked about; nil for every one but the control.
    public var arm: String?
    /// The seed of the permutations.
    public var seed = 1

    public init() {}

    public var needs: StudyParts { [.scores, .fitting] }

    public func run(_ study: CausalStudy, _ scheduler: Scheduler) throws(MetaLearnersError) -> AnalysisResult
    {
        let arms = try study.treatedArms(arm)
        let fit = try RefutationFit(study)
        let propensities = study.propensities ?? []
        let done = try RefutationFit.repeats("dummy outcome", repeats, scheduler) {
            index, options throws(MetaLearnersError) in
            var stream = RandomStream(seed: UInt64(seed), path: 0x4455_4D4D, UInt64(index))
            var values = fit.dataset.outcome.values
            stream.shuffle(&values)
            let dataset = try fit.dataset.replacing(
                outcome: Outcome(values, kind: fit.dataset.outcome.kind))
            // Who was treated does not change, and so its model is not fitted again.
            return try fit.estimate(dataset, known: (propensities, study.hasOverlap), options)
        }
        var result = RefutationReport(
            emptyResult, study, arms: arms, level: level, title: "Effects on permuted outcomes",
            original: fit.original, done, judge: judge
        ).result
        result.assumptions = [
            "It fails where the mean is more than 3 standard errors from 0, or where more than a quarter of the intervals leave 0 out.",
            "The propensities are those of the study: the permutation does not change them.",
        ]
        return result
    }

    private func judge(_ summary: RefutationSummary) -> RefutationReport.Judgement {
        let count = summary.repeats.count
        let significant = summary.significant(level: level)
        let isBiased = count > 1 && summary.distance(from: 0) > 3
        let passed = !isBiased && 4 * significant <= count
        return (
            passed,
            "on permuted outcomes '\(summary.arm)' has an effect of \(Sentence.number(summary.mean)) on average (standard deviation \(Sentence.number(summary.deviation))), on the real one \(Sentence.number(summary.original.estimate)); \(significant) of \(count) intervals leave 0 out"
                + (passed ? "." : ": weights and models make effects of noise.")
        )
    }
}
