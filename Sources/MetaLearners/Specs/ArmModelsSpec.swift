import MetaLearnersCore

/// Base learners of one arm where they differ from those of the others: an entry of `models.arms`.
public struct ArmModelsSpec: Sendable, Equatable {
    /// The arm's label.
    public var label: String
    /// The model of the arm's outcome (and of the outcome of the arm and the control); nil for the common one.
    public var outcome: RoleModelSpec?
    /// The model of the arm's effect; nil for the common one.
    public var effect: RoleModelSpec?

    /// Creates the models of an arm.
    public init(_ label: String, outcome: RoleModelSpec? = nil, effect: RoleModelSpec? = nil) {
        self.label = label
        self.outcome = outcome
        self.effect = effect
    }

    /// Reads `{outcome: …, effect: …}`.
    ///
    /// - Throws: `invalidSpec`.
    init(_ label: String, _ value: SpecValue, at place: SpecPath) throws(MetaLearnersError) {
        guard let object = value.objectValue else {
            throw place.error("must be a mapping, not \(value.kindName)")
        }
        self.label = label
        for (key, value) in object.entries where value != .null {
            let place = place.appending(key)
            switch key {
            case "outcome":
                outcome = try RoleModelSpec(
                    value, at: place, standard: RoleModelSpec(ModelsSpec.standardOutcome))
            case "effect":
                effect = try RoleModelSpec(
                    value, at: place, standard: RoleModelSpec(ModelsSpec.standardEffect))
            default:
                throw place.error(
                    "unknown key", remedy: SpellingSuggestion.clause(forName: key, in: ["outcome", "effect"]))
            }
        }
    }

    /// The entry as a spec has it.
    var specValue: SpecValue {
        var object = SpecObject()
        if let outcome { object["outcome"] = outcome.specValue() }
        if let effect { object["effect"] = effect.specValue() }
        return .object(object)
    }
}
