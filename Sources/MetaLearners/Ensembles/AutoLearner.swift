import MetaLearnersCore

/// `auto`: a strong estimate without tuning.
///
/// Nuisances are stacked out of trees, ridge and a lasso on splines and products; fourteen candidates for the effect (a
/// constant, and S-, T-, R- and X-learners on these) are combined by weights that fall exponentially with their
/// out-of-fold R-loss (`ExponentialWeights`). What there is to fit is stated by `AutoPair`; this type says only which
/// nuisances a fitted model has.
struct AutoLearner: MetaLearner {
    static let kind = LearnerKind.auto

    static let reference = LearnerReference(
        target: "–", weight: "–",
        effect: "fourteen candidates (a constant, S, T, R and X), weighted by their out-of-fold R-loss",
        citation: "Nie & Wager 2021, arXiv 1712.04912, §4.2")

    func nuisanceRoles(armCount: Int) -> [NuisanceRole] {
        (0..<armCount).map { .armOutcome($0) } + [.propensity]
    }

    func predictionRoles(armCount: Int) -> [NuisanceRole] { [.propensity] }

    func effectRoles(armCount: Int) -> [EffectRole] { (1..<armCount).map { EffectRole(arm: $0) } }

    func pseudoOutcome(_ role: EffectRole, _ dataset: CausalDataset, _ nuisances: NuisanceEstimates)
        -> PseudoOutcome
    { .none }

    func effect(of arm: Int, _ nuisances: NuisanceEstimates, _ effects: [EffectRole: [Double]]) -> [Double] {
        effects[EffectRole(arm: arm)] ?? []
    }
}
