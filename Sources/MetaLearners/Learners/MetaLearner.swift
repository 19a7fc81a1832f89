import MetaLearnersCore

/// A meta-learner: which nuisances it needs, what its effect models are fitted to, and how effects follow.
///
/// A learner states these as data and arithmetic on whole columns. It neither fits models nor knows any backend; folds,
/// threads and the archive are no concern of its own. One that only compares outcome models or regresses one target
/// conforms to `OutcomeComparisonLearner` or `EffectRegressionLearner` and states nothing twice.
public protocol MetaLearner: DescribedLearner {
    /// The learner as a spec configures it.
    init(_ spec: MetaLearnerSpec)

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
        throws(MetaLearnersError) -> PseudoOutcome

    /// The effect of `arm` against control for each row: τ_k(x).
    ///
    /// - Parameters:
    ///   - nuisances: those of `predictionRoles`.
    ///   - effects: the predictions of the effect models, one list for each of `effectRoles`.
    /// - Throws: `internalFault` where a prediction that the effect is made of is not there.
    func effect(of arm: Int, _ nuisances: NuisanceEstimates, _ effects: EffectPredictions)
        throws(MetaLearnersError) -> [Double]

    /// The same as a formula. A learner that compares outcomes or regresses effects has it by its form.
    ///
    /// - Throws: `unsupported` where the learner states none.
    func effectFormula(of arm: Int, _ nuisances: NuisanceFormulas, _ effects: EffectFormulas)
        throws(MetaLearnersError) -> Formula
}

/// What the effect models of a learner predict.
public struct EffectPredictions: Sendable {
    private let values: [EffectRole: [Double]]

    /// Creates predictions: one list for each role.
    public init(_ values: [EffectRole: [Double]]) { self.values = values }

    /// The predictions of a role's model.
    ///
    /// - Throws: `internalFault` where there are none.
    public func callAsFunction(_ role: EffectRole) throws(MetaLearnersError) -> [Double] {
        if let known = values[role] { return known }
        throw MetaLearnersError(
            .internalFault, at: role.name([]), "an effect is made of this model, and it has predicted nothing"
        )
    }
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

    /// The effects of every arm against control: by arm from 1 and, for an outcome of several classes, within an arm
    /// by class.
    func everyEffect(
        _ nuisances: NuisanceEstimates, _ effects: EffectPredictions, _ kind: Outcome.Kind
    ) throws(MetaLearnersError) -> [[Double]] {
        let byClass =
            kind.effectClasses.isEmpty ? [nuisances] : kind.effectClasses.indices.map(nuisances.ofClass)
        var all: [[Double]] = []
        for arm in 1..<nuisances.armCount {
            for nuisances in byClass { all.append(try effect(of: arm, nuisances, effects)) }
        }
        return all
    }
}

/// A learner without effect models, which compares outcomes predicted under each arm: S and T.
public protocol OutcomeComparisonLearner: MetaLearner {}

extension OutcomeComparisonLearner {
    public static var traits: LearnerTraits {
        LearnerTraits(.comparison, hasArmMeans: true, servesClasses: true)
    }

    public func predictionRoles(armCount: Int) -> [NuisanceRole] { nuisanceRoles(armCount: armCount) }

    public func effectRoles(armCount: Int) -> [EffectRole] { [] }

    public func pseudoOutcome(_ role: EffectRole, _ dataset: CausalDataset, _ nuisances: NuisanceEstimates)
        throws(MetaLearnersError) -> PseudoOutcome
    { .none }

    public func effect(of arm: Int, _ nuisances: NuisanceEstimates, _ effects: EffectPredictions)
        throws(MetaLearnersError) -> [Double]
    {
        try nuisances.outcomeDifference(of: arm)
    }
}

/// A learner that fits one effect model for each arm, which then is the effect: F, M, U, R, RA and DR.
public protocol EffectRegressionLearner: MetaLearner {}

extension EffectRegressionLearner {
    public static var traits: LearnerTraits { LearnerTraits() }

    public func predictionRoles(armCount: Int) -> [NuisanceRole] { [] }

    public func effectRoles(armCount: Int) -> [EffectRole] { (1..<armCount).map { EffectRole(arm: $0) } }

    public func effect(of arm: Int, _ nuisances: NuisanceEstimates, _ effects: EffectPredictions)
        throws(MetaLearnersError) -> [Double]
    {
        try effects(EffectRole(arm: arm))
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
