import MetaLearnersCore

/// What the learner `ensemble` stacks: the `ensemble` section of a spec.
public struct EnsembleSpec: ParameterizedSpec {
    /// The members.
    public var members = [LearnerKind.s, .t, .x, .r, .dr].map { MemberSpec($0) }
    /// The loss that weights are found by: for the R-loss with a constant beside the outcome's and the effect's,
    /// Σ ((Y − m) − b − (W − ē)·(c + Σ_j a_j τ_j(X)))²; for the DR-loss Σ (ψ − c − Σ_j a_j τ_j(X))².
    public var loss = EffectLoss.r

    public init() {}

    public static let parameters: [Parameter<EnsembleSpec>] = [
        MemberSpec.list(
            "members", \.members, orNone: false, "learners, each by name or as {learner: NAME, models: {...}}"
        ),
        .choice("loss", \.loss, "loss that the members are weighted by"),
    ]
}

/// What the learner `auto` weighs beside its own candidates: the `auto` section of a spec.
public struct AutoSpec: ParameterizedSpec {
    /// More candidates: learners with base learners of any backend. Each is fitted as it would be by itself, on the same
    /// folds, and weighted like the others by its out-of-fold R-loss.
    public var also: [MemberSpec] = []

    public init() {}

    public static let parameters: [Parameter<AutoSpec>] = [
        MemberSpec.list(
            "also", \.also, orNone: true,
            "more candidates, each a learner by name or as {learner: NAME, models: {...}}")
    ]
}

/// A learner among others, with base learners of its own where they differ from the spec's.
public struct MemberSpec: Sendable, Equatable {
    /// The learner.
    public var learner: LearnerKind
    /// Keys of `models` that differ from the spec's.
    public var models: SpecObject

    /// Creates a member.
    public init(_ learner: LearnerKind, models: SpecObject = SpecObject()) {
        self.learner = learner
        self.models = models
    }

    /// Reads `NAME` or `{learner: NAME, models: {…}}`.
    init(_ value: SpecValue, at place: SpecPath) throws(MetaLearnersError) {
        var name = value.stringValue
        var models = SpecObject()
        if let object = value.objectValue {
            for (key, value) in object.entries where value != .null {
                switch key {
                case "learner": name = value.stringValue
                case "models":
                    guard let given = value.objectValue else {
                        throw place.appending(key).error("must be a mapping, not \(value.kindName)")
                    }
                    models = given
                default:
                    throw place.appending(key).error(
                        "unknown key",
                        remedy: SpellingSuggestion.clause(forName: key, in: ["learner", "models"]))
                }
            }
        }
        guard let name else { throw place.error("must be a learner or a mapping with one") }
        self.init(LearnerKind(rawValue: name), models: models)
    }

    /// The member as a spec has it.
    var specValue: SpecValue {
        models.isEmpty
            ? .string(learner.rawValue)
            : ["learner": .string(learner.rawValue), "models": .object(models)]
    }

    /// A key that lists members.
    static func list<Spec>(
        _ name: String, _ path: any WritableKeyPath<Spec, [MemberSpec]> & Sendable, orNone: Bool,
        _ summary: String
    ) -> Parameter<Spec> {
        Parameter(
            name, summary, range: "list of learners",
            read: { value, place, spec throws(MetaLearnersError) in
                guard let list = value.arrayValue, orNone || !list.isEmpty else {
                    throw place.error("must be a list of learners, not \(value.kindName)")
                }
                spec[keyPath: path] = try list.enumerated().map { index, entry throws(MetaLearnersError) in
                    try MemberSpec(entry, at: place.appending("\(index)"))
                }
            },
            write: { .array($0[keyPath: path].map(\.specValue)) })
    }
}

extension MetaLearnerSpec {
    /// The learner, and those that an ensemble stacks.
    package var combinedLearners: [LearnerKind] {
        learner == .ensemble ? [learner] + ensemble.members.map(\.learner) : [learner]
    }

    /// The spec of a member of a combination: this one with the member's learner and models, without what only the
    /// whole has.
    ///
    /// - Parameters:
    ///   - models: the keys of `models` that members have in common.
    /// - Throws: `invalidSpec`.
    package func member(
        _ member: MemberSpec, of whole: LearnerKind, models common: SpecObject, at place: SpecPath,
        _ registry: Registry
    ) throws(MetaLearnersError) -> MetaLearnerSpec {
        var spec = self
        spec.learner = try registry.learnerKind(named: member.learner.rawValue, at: place)
        guard spec.learner != whole else {
            throw place.error("\(whole.rawValue) cannot be a member of itself")
        }
        spec.ensemble = EnsembleSpec()
        spec.auto = AutoSpec()
        spec.keepTraining = false
        spec.averageEffects = false
        spec.overlap.check = false
        // What brings base learners of its own takes no others.
        let bringsModels = registry.traits(of: spec.learner)?.bringsModels ?? false
        var models = bringsModels ? calibrationAlone : common
        for (key, value) in member.models.entries { models[key] = value }
        spec.models = try ModelsSpec(.object(models), at: place.appending("models"))
        return spec
    }

    /// The section `models` for a learner that brings base learners of its own: the propensity's calibration.
    package var calibrationAlone: SpecObject {
        models.propensity.calibration == .none
            ? SpecObject()
            : SpecObject([("propensity", ["calibration": .string(models.propensity.calibration.rawValue)])])
    }
}
