import MetaLearnersCore

/// The R-learner: effects that explain what is left of the outcome by what is left of the treatment (Nie & Wager
/// 2021, arXiv 1712.04912).
///
/// On the rows of arm k and the control, τ_k minimises Σ ((Y − m) − (W − ē)·τ(X))², with m(x) = E[Y | X=x,
/// W∈{0,k}] and ē = e_k / (e_0 + e_k). Jointly, the τ_k minimise Σ (Y − m − Σ_k (1{W=k} − e_k)·τ_k(X))² on all rows,
/// with m(x) = E[Y | X=x]. The loss is minimised as it stands: nothing is divided by W − ē.
public struct RLearner: EffectRegressionLearner {
    public static let kind = LearnerKind.r

    public static let traits = LearnerTraits(hasAnalyticIntervals: true)

    public static let reference = LearnerReference(
        target:
            "(Y − m)/(W − ē) on the pair, as the loss Σ ((Y − m) − (W − ē)·τ(X))²; jointly Σ (Y − m − Σ_k (1{W=k} − e_k)·τ_k(X))², all rows",
        weight: "(W − ē)²", effect: "effect model",
        citation: "Nie & Wager 2021, arXiv 1712.04912")

    /// Whether the effects of several arms are fitted in one loss. With one arm beside the control it makes no
    /// difference, and the pairwise way is taken.
    public let isJoint: Bool

    public init(_ spec: MetaLearnerSpec) { isJoint = spec.multiArm == .joint }

    /// Creates the learner.
    public init(isJoint: Bool = false) { self.isJoint = isJoint }

    public func nuisanceRoles(armCount: Int) -> [NuisanceRole] {
        if isJoint, armCount > 2 { return [.marginalOutcome(arm: 0), .propensity] }
        return (1..<armCount).map { .marginalOutcome(arm: $0) } + [.propensity]
    }

    public func effectRoles(armCount: Int) -> [EffectRole] {
        if isJoint, armCount > 2 { return [EffectRole(arm: 1, part: .joint)] }
        return (1..<armCount).map { EffectRole(arm: $0) }
    }

    public func pseudoOutcome(_ role: EffectRole, _ dataset: CausalDataset, _ nuisances: NuisanceEstimates)
        throws(MetaLearnersError) -> PseudoOutcome
    {
        let arms = dataset.treatment.arms
        func left(of arm: Int, _ share: [Double]) -> [Double] {
            arms.indices.map { (arms[$0] == arm ? 1 : 0) - share[$0] }
        }
        if role.part == .joint {
            return PseudoOutcome(
                zip(dataset.outcome.values, try nuisances.marginalOutcome(0)).map { $0 - $1 },
                residualsOf: try (1..<dataset.armCount).map { arm throws(MetaLearnersError) in
                    left(of: arm, try nuisances.propensity(arm))
                },
                rows: nuisances.rows(ofArms: nil, dataset))
        }
        return PseudoOutcome(
            zip(dataset.outcome.values, try nuisances.marginalOutcome(role.arm)).map { $0 - $1 },
            residualOf: left(of: role.arm, try nuisances.pairPropensity(of: role.arm)),
            rows: nuisances.rows(ofArms: [0, role.arm], dataset))
    }

    public func effect(of arm: Int, _ nuisances: NuisanceEstimates, _ effects: EffectPredictions)
        throws(MetaLearnersError) -> [Double]
    {
        guard isJoint, nuisances.armCount > 2 else { return try effects(EffectRole(arm: arm)) }
        let joint = try effects(EffectRole(arm: 1, part: .joint))
        return stride(from: arm - 1, to: joint.count, by: nuisances.armCount - 1).map { joint[$0] }
    }
}
