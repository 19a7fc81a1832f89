import MetaLearnersCore

/// The X-learner: effects imputed in each arm by the other's outcome model (Künzel et al. 2019,
/// arXiv 1706.03461).
///
/// On the rows of arm k an effect model is fitted to Y − μ_0(X), on those of the control one to μ_k(X) − Y. With
/// ē = e_k / (e_0 + e_k), τ_k(x) = ē(x)·τ_control(x) + (1 − ē(x))·τ_arm(x).
public struct XLearner: MetaLearner {
    public static let kind = LearnerKind.x

    public static let traits = LearnerTraits(
        .combination, hasArmMeans: true, isCollective: true, imputesAcrossArms: true)

    public static let reference = LearnerReference(
        target: "on arm k: Y − μ_0; on the control: μ_k − Y",
        weight: "1", effect: "ē·τ_control + (1 − ē)·τ_arm",
        citation: "Künzel et al. 2019, arXiv 1706.03461")

    public init(_ spec: MetaLearnerSpec) {}

    public init() {}

    public func nuisanceRoles(armCount: Int) -> [NuisanceRole] {
        (0..<armCount).map { .armOutcome($0) } + [.propensity]
    }

    public func nuisanceRoles(of role: EffectRole, armCount: Int) -> [NuisanceRole] {
        [.armOutcome(role.part == .controlRows ? role.arm : 0)]
    }

    public func predictionRoles(armCount: Int) -> [NuisanceRole] { [.propensity] }

    public func effectRoles(armCount: Int) -> [EffectRole] {
        (1..<armCount).flatMap {
            [EffectRole(arm: $0, part: .armRows), EffectRole(arm: $0, part: .controlRows)]
        }
    }

    public func pseudoOutcome(_ role: EffectRole, _ dataset: CausalDataset, _ nuisances: NuisanceEstimates)
        throws(MetaLearnersError) -> PseudoOutcome
    {
        let outcome = dataset.outcome.values
        switch role.part {
        case .controlRows:
            let mean = try nuisances.armOutcome(role.arm)
            return PseudoOutcome(
                zip(mean, outcome).map { $0 - $1 }, rows: nuisances.rows(ofArms: [0], dataset))
        case .armRows, .effect, .joint:
            let mean = try nuisances.armOutcome(0)
            return PseudoOutcome(
                zip(outcome, mean).map { $0 - $1 }, rows: nuisances.rows(ofArms: [role.arm], dataset))
        }
    }

    public func effect(of arm: Int, _ nuisances: NuisanceEstimates, _ effects: EffectPredictions)
        throws(MetaLearnersError) -> [Double]
    {
        let share = try nuisances.pairPropensity(of: arm)
        let onArm = try effects(EffectRole(arm: arm, part: .armRows))
        let onControl = try effects(EffectRole(arm: arm, part: .controlRows))
        return share.indices.map { share[$0] * onControl[$0] + (1 - share[$0]) * onArm[$0] }
    }

    public func effectFormula(of arm: Int, _ nuisances: NuisanceFormulas, _ effects: EffectFormulas)
        throws(MetaLearnersError) -> Formula
    {
        let share = try nuisances.pairPropensity(of: arm)
        let onArm = try effects(EffectRole(arm: arm, part: .armRows))[0]
        let onControl = try effects(EffectRole(arm: arm, part: .controlRows))[0]
        let rest = Formula(.difference(.constant(1), share))
        return Formula(.sum([Formula(.product([share, onControl])), Formula(.product([rest, onArm]))]))
    }
}
