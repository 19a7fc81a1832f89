import MetaLearnersCore

/// `auto`: a strong estimate without tuning.
///
/// Nuisances are stacked out of trees, ridge and a lasso on splines and products; fourteen candidates for the effect (a
/// constant, and S-, T-, R- and X-learners on these) are combined by weights that fall exponentially with their
/// out-of-fold R-loss (`ExponentialWeights`). What there is to fit is stated by `AutoPair`; this type says only which
/// nuisances a fitted model has.
struct AutoLearner: OutcomeComparisonLearner {
    static let kind = LearnerKind.auto

    func nuisanceRoles(armCount: Int) -> [NuisanceRole] {
        (0..<armCount).map { .armOutcome($0) } + [.propensity]
    }
}
