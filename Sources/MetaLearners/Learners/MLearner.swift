import MetaLearnersCore

/// The M-learner, also PW-learner: a regression of the inverse-probability-weighted outcome on the covariates (Curth &
/// van der Schaar 2021, arXiv 2101.10943).
///
/// The target is (Y − c)·1{W=k}/e_k − (Y − c)·1{W=0}/e_0, on all rows; with two arms it is that of the F-learner. The constant
/// c is the mean outcome of the rows of arm k and the control (`NuisanceEstimates.outcomeCenter(ofPair:_:)`).
public struct MLearner: EffectRegressionLearner {
    public static let kind = LearnerKind.m

    public static let aliases = ["pw"]

    public static let reference = LearnerReference(
        target: "(Y − c)(1{W=k}/e_k − 1{W=0}/e_0), all rows, c as in f, which it equals with two arms",
        weight: "1", effect: "effect model",
        citation: "Curth & van der Schaar 2021, arXiv 2101.10943")

    public init(_ spec: MetaLearnerSpec) {}

    public init() {}

    public func nuisanceRoles(armCount: Int) -> [NuisanceRole] { [.propensity] }

    public func pseudoOutcome(_ role: EffectRole, _ dataset: CausalDataset, _ nuisances: NuisanceEstimates)
        throws(MetaLearnersError) -> PseudoOutcome
    {
        // The doubly robust score with one constant for both outcome means.
        let center = [Double](
            repeating: try nuisances.outcomeCenter(ofPair: role.arm, dataset), count: dataset.rowCount)
        return PseudoOutcome(
            try nuisances.doublyRobustScores(
                of: role.arm, dataset.outcome.values, dataset.treatment.arms, means: (center, center)),
            rows: nuisances.rows(ofArms: nil, dataset))
    }
}
