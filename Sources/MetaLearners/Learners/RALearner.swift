import MetaLearnersCore

/// The RA-learner: a regression of imputed effects on the covariates, all rows in one model (Curth & van der Schaar
/// 2021, arXiv 2101.10943).
///
/// On the rows of arm k and the control the target is Y − μ_0 in arm k and μ_k − Y in the control.
public struct RALearner: EffectRegressionLearner {
    public static let kind = LearnerKind.ra

    public static let traits = LearnerTraits(hasArmMeans: true, imputesAcrossArms: true)

    public static let reference = LearnerReference(
        target: "on arm k: Y − μ_0; on the control: μ_k − Y; one model",
        weight: "1", effect: "effect model",
        citation: "Curth & van der Schaar 2021, arXiv 2101.10943")

    public init(_ spec: MetaLearnerSpec) {}

    public init() {}

    public func nuisanceRoles(armCount: Int) -> [NuisanceRole] { (0..<armCount).map { .armOutcome($0) } }

    public func pseudoOutcome(_ role: EffectRole, _ dataset: CausalDataset, _ nuisances: NuisanceEstimates)
        throws(MetaLearnersError) -> PseudoOutcome
    {
        let ofControl = try nuisances.armOutcome(0)
        let ofArm = try nuisances.armOutcome(role.arm)
        let outcome = dataset.outcome.values
        let arms = dataset.treatment.arms
        return PseudoOutcome(
            outcome.indices.map { row in
                arms[row] == role.arm ? outcome[row] - ofControl[row] : ofArm[row] - outcome[row]
            },
            rows: nuisances.rows(ofArms: [0, role.arm], dataset))
    }
}
