import MetaLearnersCore

/// The models that effects come from: those of a fit, or of one resample of its rows.
struct FittedEffects: Sendable {
    let nuisanceModels: [FittedRole<NuisanceRole>]
    let predictor: any EffectPredictor

    /// How many models of folds prediction can be asked for one by one; 0 where only models of all rows are kept.
    func foldCount(armCount: Int) -> Int {
        let roles = predictor.nuisanceRoles(armCount: armCount)
        let counts = nuisanceModels.filter { roles.contains($0.role) }.map(\.models.foldModels.count)
        return (counts + [predictor.foldCount]).filter { $0 > 0 }.min() ?? 0
    }

    /// Whether there is a model of the outcome in every arm.
    func hasArmMeans(armCount: Int) -> Bool {
        let roles = Set(nuisanceModels.map(\.role))
        return roles.contains(.joint) || (0..<armCount).allSatisfy { roles.contains(.armOutcome($0)) }
    }
}
