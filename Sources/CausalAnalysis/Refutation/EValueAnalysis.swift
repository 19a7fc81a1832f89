#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif
import MetaLearnersCore

/// How strong must a confounder be, on the scale of risk ratios, to explain the effect away?
public struct EValueAnalysis: Analysis {
    public static let name = "e_value"
    public static let title = "E-value"
    public static let summary =
        "By what risk ratio must a hidden confounder go with both treatment and outcome to explain the effect away?"
    public static let topic = AnalysisTopic.refutation
    public static let parameters: [Parameter<EValueAnalysis>] = [
        .choice(
            "scale", \.scale,
            "auto: the ratio of means for binary outcomes, standardised differences for others"),
        .level(\.level), .arm(\.arm),
    ]

    /// How the effect becomes a risk ratio.
    public enum Scale: String, Sendable, CaseIterable {
        /// The ratio for binary outcomes, else standardised.
        case auto
        /// E[Y(k)] / E[Y(0)].
        case ratio
        /// exp(0.91 d) of the effect d in standard deviations of the outcome.
        case standardized
    }

    /// How the effect becomes a risk ratio.
    public var scale = Scale.auto
    /// The level of intervals.
    public var level = 0.95
    /// The arm that is asked about; nil for every one but the control.
    public var arm: String?

    public init() {}

    public var needs: StudyParts { .scores }

    public func run(_ study: CausalStudy, _ scheduler: Scheduler) throws(MetaLearnersError) -> AnalysisResult
    {
        var result = emptyResult
        var table = ResultTable(
            "e_values", "E-values",
            [
                .init("arm", "arm", .text), .init("risk_ratio", "risk ratio", .number),
                .init("lower", "from", .number), .init("upper", "to", .number),
                .init("e_value", "E-value", .number), .init("e_value_interval", "of the interval", .number),
                .init("note", "note", .text),
            ])
        let isRatio = scale == .ratio || scale == .auto && study.isBinary
        for arm in try study.treatedArms(arm) {
            let label = study.armLabels[arm]
            guard let ratio = try isRatio ? self.ratio(study, arm) : standardized(study, arm) else {
                let note = isRatio ? "a mean is not above 0" : "the outcome does not vary"
                table.append(
                    [.string(label)] + [SpecValue](repeating: .null, count: 5) + [.string(note)])
                result.findings.append("There is no E-value of '\(label)': \(note).")
                continue
            }
            let value = Self.value(ratio.estimate)
            let nearest = ratio.lower > 1 ? ratio.lower : ratio.upper < 1 ? ratio.upper : 1
            let ofInterval = Self.value(nearest)
            table.append([
                .string(label), .number(ratio.estimate), .number(ratio.lower), .number(ratio.upper),
                .number(value), .number(ofInterval),
            ])
            result.findings.append(
                "To explain the effect of '\(label)' away (risk ratio \(Sentence.number(ratio.estimate))), a confounder must go with both treatment and outcome by risk ratios of \(Sentence.number(value)) each, beyond the covariates"
                    + (nearest == 1
                        ? "; its interval contains no effect as it is (E-value 1)."
                        : "; \(Sentence.number(ofInterval)) each would do for the interval."))
        }
        result.tables = [table]
        result.assumptions = [
            isRatio
                ? "The risk ratio is that of the doubly robust means of the arms; its interval is by the delta method on the logarithm."
                : "The effect in standard deviations d of the outcome stands for the risk ratio exp(0.91 d), and so do the ends of its interval (VanderWeele & Ding 2017): an approximation that supposes a normal outcome."
        ]
        return result
    }

    /// The E-value of a risk ratio (VanderWeele & Ding 2017, Annals of Internal Medicine 167, 268–274).
    package static func value(_ ratio: Double) -> Double {
        let above = ratio < 1 ? 1 / ratio : ratio
        return above + (above * (above - 1)).squareRoot()
    }

    private typealias RiskRatio = (estimate: Double, lower: Double, upper: Double)

    private func ratio(_ study: CausalStudy, _ arm: Int) throws(MetaLearnersError) -> RiskRatio? {
        let treated = try study.armScores(arm)
        let control = try study.armScores(0)
        let weights = study.rowWeights
        let ones = [Double](repeating: 1, count: study.rowCount)
        func mean(_ scores: [Double]) -> Double {
            NormalEstimate(scores: scores, shares: ones, weights: weights, clusters: nil).estimate
        }
        let means = (treated: mean(treated), control: mean(control))
        guard means.treated > 0, means.control > 0 else { return nil }
        let logarithm = NormalEstimate(
            scores: treated.indices.map { treated[$0] / means.treated - control[$0] / means.control },
            shares: ones, weights: weights, clusters: study.clusters)
        let interval = logarithm.interval(level: level)
        let estimate = means.treated / means.control
        return (estimate, estimate * exp(interval.lower), estimate * exp(interval.upper))
    }

    private func standardized(_ study: CausalStudy, _ arm: Int) throws(MetaLearnersError) -> RiskRatio? {
        let effect = try AIPWAnalysis.estimate(study, arm, .ate)
        let weights = study.rowWeights
        var moments = WeightedMoments()
        for (row, outcome) in study.outcome.enumerated() { moments.add(outcome, weight: weights[row]) }
        guard let variance = moments.variance, variance > 0 else { return nil }
        let deviation = variance.squareRoot()
        let interval = effect.interval(level: level)
        return (
            exp(0.91 * effect.estimate / deviation), exp(0.91 * interval.lower / deviation),
            exp(0.91 * interval.upper / deviation)
        )
    }
}
