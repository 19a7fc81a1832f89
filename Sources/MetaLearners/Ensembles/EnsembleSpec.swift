import MetaLearnersCore

/// What the learner `ensemble` stacks: the `ensemble` section of a spec.
public struct EnsembleSpec: ParameterizedSpec {
    /// The loss that weights are found by.
    public enum Loss: String, Sendable, CaseIterable {
        /// Σ ((Y − m) − b − (W − ē)·(c + Σ_j a_j τ_j(X)))², the R-learner's.
        case r
        /// Σ (ψ − c − Σ_j a_j τ_j(X))², ψ being the doubly robust scores.
        case dr
    }

    /// A learner, with base learners of its own where they differ from the spec's.
    public struct Member: Sendable, Equatable {
        /// The learner.
        public var learner: LearnerKind
        /// Keys of `models` that differ from the spec's.
        public var models: SpecObject

        /// Creates a member.
        public init(_ learner: LearnerKind, models: SpecObject = SpecObject()) {
            self.learner = learner
            self.models = models
        }
    }

    /// The members.
    public var members: [Member] = [Member(.s), Member(.t), Member(.x), Member(.r), Member(.dr)]
    /// The loss that weights are found by.
    public var loss = Loss.r

    public init() {}

    public static let parameters: [Parameter<EnsembleSpec>] = [
        Parameter(
            "members", "learners, each by name or as {learner: NAME, models: {...}}",
            range: "list of learners",
            read: { value, place, spec throws(MetaLearnersError) in
                guard let list = value.arrayValue, !list.isEmpty else {
                    throw place.error("must be a list of learners, not \(value.kindName)")
                }
                var members: [Member] = []
                for (index, entry) in list.enumerated() {
                    members.append(try Member(entry, at: place.appending("\(index)")))
                }
                spec.members = members
            },
            write: { .array($0.members.map(\.specValue)) }),
        .choice("loss", \.loss, "loss that the members are weighted by"),
    ]
}

extension EnsembleSpec.Member {
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
        let lowercased = name.lowercased()
        guard let kind = LearnerKind(rawValue: lowercased) ?? LearnerKind.aliases[lowercased] else {
            throw place.error(
                "unknown learner '\(name)'",
                remedy: SpellingSuggestion.clause(forName: name, in: LearnerKind.allCases.map(\.rawValue)))
        }
        guard kind != .ensemble else { throw place.error("an ensemble cannot be a member of another") }
        self.init(kind, models: models)
    }

    /// The member as a spec has it.
    var specValue: SpecValue {
        models.isEmpty
            ? .string(learner.rawValue)
            : ["learner": .string(learner.rawValue), "models": .object(models)]
    }
}

extension MetaLearnerSpec {
    /// The spec of a member of the ensemble: this one with the member's learner and models, without what only the
    /// whole has.
    ///
    /// - Throws: `invalidSpec`.
    func member(_ member: EnsembleSpec.Member, at place: SpecPath) throws(MetaLearnersError)
        -> MetaLearnerSpec
    {
        var spec = self
        spec.learner = member.learner
        spec.ensemble = EnsembleSpec()
        spec.keepTraining = false
        // `auto` brings base learners of its own.
        let common = member.learner == .auto ? ownModels : self.models.specValue
        var models = common?.objectValue ?? SpecObject()
        for (key, value) in member.models.entries { models[key] = value }
        spec.models = try ModelsSpec(.object(models), at: place.appending("models"))
        return spec
    }
}
