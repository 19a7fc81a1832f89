import MetaLearnersCore

extension MetaLearner {
    /// The effects of every arm against control: by arm from 1 and, for an outcome of several classes, within an arm
    /// by class.
    func everyEffect(
        _ nuisances: NuisanceEstimates, _ effects: [EffectRole: [Double]], _ kind: Outcome.Kind
    ) -> [[Double]] {
        let arms = 1..<nuisances.armCount
        guard !kind.effectClasses.isEmpty else { return arms.map { effect(of: $0, nuisances, effects) } }
        let byClass = kind.effectClasses.indices.map(nuisances.ofClass)
        return arms.flatMap { arm in byClass.map { effect(of: arm, $0, effects) } }
    }
}

extension LearnerKind {
    /// The names of the learners that `condition` holds for, as error messages list them.
    static func names(where condition: (LearnerKind) -> Bool) -> String {
        allCases.filter(condition).map(\.rawValue).joined(separator: ", ")
    }

    /// Whether the learner estimates the outcome's mean in each arm.
    var hasArmMeans: Bool {
        learner.nuisanceRoles(armCount: 2).contains { $0 == .joint || $0 == .armOutcome(0) }
    }

    /// Whether the learner serves outcomes of several classes: those that compare outcome models do.
    var servesClasses: Bool { learner.effectRoles(armCount: 2).isEmpty }
}
