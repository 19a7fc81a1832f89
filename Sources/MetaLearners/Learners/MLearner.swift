import MetaLearnersCore

/// The M-learner, also PW-learner: a regression of the inverse-probability-weighted outcome on the covariates (Curth &
/// van der Schaar 2021, arXiv 2101.10943).
///
/// The target is Y·1{W=k}/e_k − Y·1{W=0}/e_0, on all rows. With two arms it is that of the F-learner.
public struct MLearner: EffectRegressionLearner {
    public static let kind = LearnerKind.m

    public static let aliases = ["pw"]

    public static let reference = LearnerReference(
        target: "Y·1{W=k}/e_k − Y·1{W=0}/e_0, all rows; equals f with two arms",
        weight: "1", effect: "effect model",
        citation: "Curth & van der Schaar 2021, arXiv 2101.10943")

    public init(_ spec: MetaLearnerSpec) {}

    public init() {}

    public func nuisanceRoles(armCount: Int) -> [NuisanceRole] { [.propensity] }

    public func pseudoOutcome(_ role: EffectRole, _ dataset: CausalDataset, _ nuisances: NuisanceEstimates)
        throws(MetaLearnersError) -> PseudoOutcome
    {
        // The doubly robust score without outcome means.
        let zero = [Double](repeating: 0, count: dataset.rowCount)
        return PseudoOutcome(
            try nuisances.doublyRobustScores(
                of: role.arm, dataset.outcome.values, dataset.treatment.arms, means: (zero, zero)),
            rows: nuisances.rows(ofArms: nil, dataset))
    }
}
