import MetaLearnersCore
import MetaLearners

/// Average effects by augmented inverse probability weighting, for everybody or for those in the arm.
public struct AIPWAnalysis: Analysis {
    public static let name = "aipw"
    public static let title = "Doubly robust average effects (AIPW)"
    public static let summary =
        "The average effect of each arm, right where either the outcome means or the propensities are"
    public static let topic = AnalysisTopic.averageEffects
    public static let parameters: [Parameter<AIPWAnalysis>] = [
        .choice("estimand", \.estimand, "over whom to average: all rows (ate) or those in the arm (att)"),
        .level(\.level), .arm(\.arm),
    ]

    /// Over whom to average.
    public var estimand = Estimand.ate
    /// The level of intervals.
    public var level = AverageEffect.standardLevel
    /// The arm that is asked about; nil for every one but the control.
    public var arm: String?

    public init() {}

    public var needs: StudyParts { .scores }

    public func run(_ study: CausalStudy, _ scheduler: Scheduler) throws(MetaLearnersError) -> AnalysisResult
    {
        var result = emptyResult
        var table = ResultTable(
            "estimates", "Average effects",
            [ResultTable.Column("arm", "arm", .text), ResultTable.Column("estimand", "estimand", .text)]
                + ResultTable.estimateColumns(level: level))
        for arm in try study.treatedArms(arm) {
            let estimate = try Self.estimate(study, arm, estimand)
            let interval = estimate.interval(level: level)
            table.append([
                .string(study.armLabels[arm]), .string(estimand.rawValue), .number(estimate.estimate),
                .number(estimate.stdError), .number(interval.lower), .number(interval.upper),
                .number(estimate.pValue),
            ])
        }
        result.tables = [table]
        result.assumptions = [
            "Given the covariates, who is in which arm does not depend on what would have happened (no unobserved confounding).",
            "Everybody could have been in either arm (overlap).",
        ]
        return result
    }

    /// The estimate of one arm.
    static func estimate(_ study: CausalStudy, _ arm: Int, _ estimand: Estimand) throws(MetaLearnersError)
        -> NormalEstimate
    {
        switch estimand {
        case .ate:
            return NormalEstimate(
                scores: try study.scores(arm), shares: [Double](repeating: 1, count: study.rowCount),
                weights: study.rowWeights, clusters: study.clusters)
        case .att:
            let ofArm = try study.propensity(arm)
            let ofControl = try study.propensity(0)
            let control = try study.armMean(0)
            let scores = study.outcome.indices.map { row in
                let residual = study.outcome[row] - control[row]
                if study.arms[row] == arm { return residual }
                return study.arms[row] == 0 ? -ofArm[row] / ofControl[row] * residual : 0
            }
            return NormalEstimate(
                scores: scores, shares: study.arms.map { $0 == arm ? 1 : 0 }, weights: study.rowWeights,
                clusters: study.clusters)
        }
    }
}
