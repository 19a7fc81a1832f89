import MetaLearnersCore

/// A meta-learner: which nuisances it needs, what its effect models are fitted to, and how effects follow.
///
/// A learner states these as data and arithmetic on whole columns. It neither fits models nor knows any
/// backend; folds, threads and the archive are no concern of its own.
public protocol MetaLearner: Sendable {
    /// The name in specs.
    static var kind: LearnerKind { get }

    /// The formula and where it is from, as the documentation has them.
    static var reference: LearnerReference { get }

    /// The nuisances that the learner needs, for arms 0..<`armCount`.
    func nuisanceRoles(armCount: Int) -> [NuisanceRole]

    /// Those of the nuisances that predicting new rows takes; they are fitted on all rows as well.
    func predictionRoles(armCount: Int) -> [NuisanceRole]

    /// The effect models, none for learners that only compare outcome models.
    func effectRoles(armCount: Int) -> [EffectRole]

    /// Those of the nuisances that the target of an effect model is made of: it is fitted as soon as they are there.
    func nuisanceRoles(of role: EffectRole, armCount: Int) -> [NuisanceRole]

    /// What the effect model of `role` is fitted to.
    ///
    /// - Parameters:
    ///   - nuisances: out of fold, one value for each row of `dataset`.
    func pseudoOutcome(_ role: EffectRole, _ dataset: CausalDataset, _ nuisances: NuisanceEstimates)
        -> PseudoOutcome

    /// The effect of `arm` against control for each row: τ_k(x).
    ///
    /// - Parameters:
    ///   - nuisances: those of `predictionRoles`.
    ///   - effects: the predictions of the effect models.
    func effect(of arm: Int, _ nuisances: NuisanceEstimates, _ effects: [EffectRole: [Double]]) -> [Double]
}

extension MetaLearner {
    public func nuisanceRoles(of role: EffectRole, armCount: Int) -> [NuisanceRole] {
        let all = nuisanceRoles(armCount: armCount)
        guard role.part != .joint else { return all }
        return all.filter { nuisance in
            switch nuisance {
            case .propensity, .joint: true
            case .armOutcome(let arm): arm == 0 || arm == role.arm
            case .marginalOutcome(let arm): arm == role.arm
            }
        }
    }
}

/// Which effect model: of which arm against control, and which part of the learner it is.
public struct EffectRole: Sendable, Hashable {
    /// The part of a learner.
    public enum Part: UInt8, Sendable, CaseIterable {
        /// The learner's only effect model.
        case effect = 0
        /// The X-learner's model on the rows of the arm.
        case armRows = 1
        /// The X-learner's model on the rows of the control.
        case controlRows = 2
        /// The one model of all arms' effects, with an output for each arm but the control.
        case joint = 3
    }

    /// The arm, from 1.
    public let arm: Int
    /// The part.
    public let part: Part

    /// Creates a role.
    public init(arm: Int, part: Part = .effect) {
        self.arm = arm
        self.part = part
    }

    /// The role's name in progress and error messages.
    public func name(_ labels: [String]) -> String {
        let arm = labels.indices.contains(arm) ? labels[arm] : String(arm)
        switch part {
        case .effect: return "effect of arm '\(arm)'"
        case .armRows: return "effect of arm '\(arm)' on its own rows"
        case .controlRows: return "effect of arm '\(arm)' on the control rows"
        case .joint: return "effects of all arms"
        }
    }
}
