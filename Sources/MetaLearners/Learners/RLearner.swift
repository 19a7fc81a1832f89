import MetaLearnersCore

/// The R-learner: effects that explain what is left of the outcome by what is left of the treatment (Nie & Wager
/// 2021, arXiv 1712.04912).
///
/// On the rows of arm k and the control, τ_k minimises Σ ((Y − m) − (W − ē)·τ(X))², with m(x) = E[Y | X=x,
/// W∈{0,k}] and ē = e_k / (e_0 + e_k). The loss is minimised as it stands: nothing is divided by W − ē.
public struct RLearner: EffectRegressionLearner {
    public static let kind = LearnerKind.r

    public init() {}

    public func nuisanceRoles(armCount: Int) -> [NuisanceRole] {
        (1..<armCount).map { .marginalOutcome(arm: $0) } + [.propensity]
    }

    public func pseudoOutcome(_ role: EffectRole, _ dataset: CausalDataset, _ nuisances: NuisanceEstimates)
        -> PseudoOutcome
    {
        let mean = nuisances.marginalOutcome(role.arm)
        let share = nuisances.pairPropensity(of: role.arm)
        let arms = dataset.treatment.arms
        return PseudoOutcome(
            zip(dataset.outcome.values, mean).map { $0 - $1 },
            residualOf: arms.indices.map { (arms[$0] == role.arm ? 1 : 0) - share[$0] },
            rows: nuisances.rows(ofArms: [0, role.arm], dataset))
    }
}
