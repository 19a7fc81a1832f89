import MetaLearnersCore

/// The U-learner: a regression of the ratio of residuals on the covariates (Künzel et al. 2019, arXiv 1706.03461;
/// Nie & Wager 2021, arXiv 1712.04912).
///
/// On the rows of arm k and the control the target is (Y − m)/(W − ē), unweighted; the R-learner is the same with the
/// weights (W − ē)² that keep small residuals from ruling the fit.
public struct ULearner: EffectRegressionLearner {
    public static let kind = LearnerKind.u

    public static let reference = LearnerReference(
        target: "(Y − m)/(W − ē) on the pair",
        weight: "1", effect: "effect model",
        citation: "Künzel et al. 2019, arXiv 1706.03461; Nie & Wager 2021, arXiv 1712.04912")

    public init(_ spec: MetaLearnerSpec) {}

    public init() {}

    public func nuisanceRoles(armCount: Int) -> [NuisanceRole] {
        (1..<armCount).map { .marginalOutcome(arm: $0) } + [.propensity]
    }

    public func pseudoOutcome(_ role: EffectRole, _ dataset: CausalDataset, _ nuisances: NuisanceEstimates)
        throws(MetaLearnersError) -> PseudoOutcome
    {
        let mean = try nuisances.marginalOutcome(role.arm)
        let share = try nuisances.pairPropensity(of: role.arm)
        let outcome = dataset.outcome.values
        let arms = dataset.treatment.arms
        // Propensities are within (0, 1), so that no row of the pair has a residual of zero.
        return PseudoOutcome(
            outcome.indices.map { row in
                let treated = arms[row] == role.arm ? 1.0 : 0.0
                return (outcome[row] - mean[row]) / (treated - share[row])
            },
            rows: nuisances.rows(ofArms: [0, role.arm], dataset))
    }
}
