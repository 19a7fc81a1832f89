import MetaLearnersCore

/// A learner without effect models, which compares outcomes predicted under each arm: S and T.
public protocol OutcomeComparisonLearner: MetaLearner {}

extension OutcomeComparisonLearner {
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
