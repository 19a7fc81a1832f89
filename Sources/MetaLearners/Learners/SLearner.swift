import MetaLearnersCore

/// The S-learner: one outcome model with the treatment among its features (Künzel et al. 2019, arXiv 1706.03461).
///
/// τ_k(x) = μ(x, k) − μ(x, 0).
public struct SLearner: MetaLearner {
    public static let kind = LearnerKind.s

    public init() {}

    public func nuisanceRoles(armCount: Int) -> [NuisanceRole] { [.joint] }

    public func predictionRoles(armCount: Int) -> [NuisanceRole] { [.joint] }

    public func effectRoles(armCount: Int) -> [EffectRole] { [] }

    public func pseudoOutcome(_ role: EffectRole, _ dataset: CausalDataset, _ nuisances: NuisanceEstimates)
        -> PseudoOutcome
    { .none }

    public func effect(of arm: Int, _ nuisances: NuisanceEstimates, _ effects: [EffectRole: [Double]])
        -> [Double]
    {
        nuisances.outcomeDifference(of: arm)
    }
}
