import MetaLearnersCore

/// The T-learner: an outcome model for each arm (Künzel et al. 2019, arXiv 1706.03461).
///
/// τ_k(x) = μ_k(x) − μ_0(x).
public struct TLearner: MetaLearner {
    public static let kind = LearnerKind.t

    public init() {}

    public func nuisanceRoles(armCount: Int) -> [NuisanceRole] { (0..<armCount).map { .armOutcome($0) } }

    public func predictionRoles(armCount: Int) -> [NuisanceRole] { nuisanceRoles(armCount: armCount) }

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
