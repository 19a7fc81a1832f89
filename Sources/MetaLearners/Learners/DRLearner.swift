import MetaLearnersCore

/// The DR-learner: a regression of doubly robust scores on the covariates (Kennedy 2023, arXiv 2004.14497).
///
/// The score of arm k is μ_k − μ_0 + 1{W=k}(Y − μ_k)/e_k − 1{W=0}(Y − μ_0)/e_0, on all rows.
public struct DRLearner: EffectRegressionLearner {
    public static let kind = LearnerKind.dr

    public static let traits = LearnerTraits(hasArmMeans: true, hasAnalyticIntervals: true)

    public static let reference = LearnerReference(
        target: "μ_k − μ_0 + 1{W=k}(Y − μ_k)/e_k − 1{W=0}(Y − μ_0)/e_0, all rows",
        weight: "1", effect: "effect model",
        citation: "Kennedy 2023, arXiv 2004.14497")

    public init(_ spec: MetaLearnerSpec) {}

    public init() {}

    public func nuisanceRoles(armCount: Int) -> [NuisanceRole] {
        (0..<armCount).map { .armOutcome($0) } + [.propensity]
    }

    public func pseudoOutcome(_ role: EffectRole, _ dataset: CausalDataset, _ nuisances: NuisanceEstimates)
        throws(MetaLearnersError) -> PseudoOutcome
    {
        PseudoOutcome(
            try nuisances.doublyRobustScores(
                of: role.arm, dataset.outcome.values, dataset.treatment.arms,
                means: (try nuisances.armOutcome(0), try nuisances.armOutcome(role.arm))),
            rows: nuisances.rows(ofArms: nil, dataset))
    }
}
