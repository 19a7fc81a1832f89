import MetaLearnersCore

/// `ensemble`: several learners, stacked by their out-of-fold loss (Nie & Wager 2021, arXiv 1712.04912, section 4.2).
///
/// Its nuisances are those of the loss; the members' are their own affair.
struct EnsembleLearner: MetaLearner {
    static let kind = LearnerKind.ensemble

    static let reference = LearnerReference(
        target: "–", weight: "–",
        effect:
            "several learners, stacked by their out-of-fold R- or DR-loss with weights that are not negative",
        citation: "Nie & Wager 2021, arXiv 1712.04912, §4.2")

    var loss = EnsembleSpec.Loss.r

    func nuisanceRoles(armCount: Int) -> [NuisanceRole] {
        switch loss {
        case .r: (1..<armCount).map { .marginalOutcome(arm: $0) } + [.propensity]
        case .dr: (0..<armCount).map { .armOutcome($0) } + [.propensity]
        }
    }

    func predictionRoles(armCount: Int) -> [NuisanceRole] { [] }

    func effectRoles(armCount: Int) -> [EffectRole] { (1..<armCount).map { EffectRole(arm: $0) } }

    func pseudoOutcome(_ role: EffectRole, _ dataset: CausalDataset, _ nuisances: NuisanceEstimates)
        -> PseudoOutcome
    {
        switch loss {
        case .r: RLearner().pseudoOutcome(role, dataset, nuisances)
        case .dr: DRLearner().pseudoOutcome(role, dataset, nuisances)
        }
    }

    func effect(of arm: Int, _ nuisances: NuisanceEstimates, _ effects: [EffectRole: [Double]]) -> [Double] {
        effects[EffectRole(arm: arm)] ?? []
    }
}
