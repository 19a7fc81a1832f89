import MetaLearnersCore

/// A learner that fits one effect model an arm, which then is the effect: F, M, U, R, RA and DR.
public protocol EffectRegressionLearner: MetaLearner {}

extension EffectRegressionLearner {
    public func predictionRoles(armCount: Int) -> [NuisanceRole] { [] }

    public func effectRoles(armCount: Int) -> [EffectRole] { (1..<armCount).map { EffectRole(arm: $0) } }

    public func effect(of arm: Int, _ nuisances: NuisanceEstimates, _ effects: [EffectRole: [Double]])
        -> [Double]
    {
        effects[EffectRole(arm: arm)] ?? []
    }
}
