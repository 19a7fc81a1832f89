import MetaLearnersCore

/// The F-learner: a regression of the transformed outcome on the covariates (Künzel et al. 2019,
/// arXiv 1706.03461; Athey & Imbens 2016, arXiv 1504.01132).
///
/// On the rows of arm k and the control, with ē = e_k / (e_0 + e_k), the target is (Y − c)(1{W=k} − ē) / (ē(1 − ē)). The
/// constant c is the mean outcome of these rows (`NuisanceEstimates.outcomeCenter(ofPair:_:)`).
public struct FLearner: EffectRegressionLearner {
    public static let kind = LearnerKind.f

    public static let reference = LearnerReference(
        target: "(Y − c)(1{W=k} − ē)/(ē(1 − ē)) on the pair, c the mean of Y there",
        weight: "1", effect: "effect model",
        citation: "Künzel et al. 2019, arXiv 1706.03461; Athey & Imbens 2016, arXiv 1504.01132")

    public init(_ spec: MetaLearnerSpec) {}

    public init() {}

    public func nuisanceRoles(armCount: Int) -> [NuisanceRole] { [.propensity] }

    public func pseudoOutcome(_ role: EffectRole, _ dataset: CausalDataset, _ nuisances: NuisanceEstimates)
        throws(MetaLearnersError) -> PseudoOutcome
    {
        let share = try nuisances.pairPropensity(of: role.arm)
        let outcome = dataset.outcome.values
        let center = try nuisances.outcomeCenter(ofPair: role.arm, dataset)
        let arms = dataset.treatment.arms
        return PseudoOutcome(
            outcome.indices.map { row in
                let treated = arms[row] == role.arm ? 1.0 : 0.0
                return (outcome[row] - center) * (treated - share[row]) / (share[row] * (1 - share[row]))
            },
            rows: nuisances.rows(ofArms: [0, role.arm], dataset))
    }
}
