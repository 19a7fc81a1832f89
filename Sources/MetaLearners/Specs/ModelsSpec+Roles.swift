import MetaLearnersCore

extension ModelsSpec {
    /// A role's model with its place in the spec.
    package typealias Placed = (model: RoleModelSpec, place: SpecPath)

    /// The model of a nuisance: that of its arm where the spec has one, else the common one.
    func model(of role: NuisanceRole, _ labels: [String]) -> Placed {
        switch role {
        case .propensity: return (propensity, Self.place("propensity"))
        case .joint: return (outcome, Self.place("outcome"))
        case .armOutcome(let arm), .marginalOutcome(let arm):
            if labels.indices.contains(arm), let own = arms.first(where: { $0.label == labels[arm] })?.outcome
            {
                return (own, Self.place("arms", labels[arm], "outcome"))
            }
            return (outcome, Self.place("outcome"))
        }
    }

    /// The model of an effect: that of its arm where the spec has one, else the common one.
    func model(of role: EffectRole, _ labels: [String]) -> Placed {
        if labels.indices.contains(role.arm),
            let own = arms.first(where: { $0.label == labels[role.arm] })?.effect
        {
            return (own, Self.place("arms", labels[role.arm], "effect"))
        }
        return (effect, Self.place("effect"))
    }

    /// Every model with its place, each once.
    package var everyModel: [Placed] {
        var all = [
            (outcome, Self.place("outcome")), (propensity, Self.place("propensity")),
            (effect, Self.place("effect")),
        ]
        for arm in arms {
            if let own = arm.outcome { all.append((own, Self.place("arms", arm.label, "outcome"))) }
            if let own = arm.effect { all.append((own, Self.place("arms", arm.label, "effect"))) }
        }
        return all
    }

    private static func place(_ keys: String...) -> SpecPath {
        keys.reduce(SpecPath.root.appending("models")) { $0.appending($1) }
    }

    /// Those columns of `covariates` that `placed` sees.
    ///
    /// - Throws: `invalidSpec` for a column that is not there.
    static func features(_ placed: Placed, in covariates: Table) throws(MetaLearnersError) -> Table {
        try placed.model.columns(of: covariates, at: placed.place).map { covariates.selecting(columns: $0) }
            ?? covariates
    }

    /// Checks that every arm with models of its own is an arm of the data.
    func requireArms(_ labels: [String]) throws(MetaLearnersError) {
        for arm in arms {
            let place = Self.place("arms", arm.label)
            guard let index = labels.firstIndex(of: arm.label) else {
                throw place.error(
                    "no arm has this label", remedy: SpellingSuggestion.clause(for: arm.label, in: labels))
            }
            guard index > 0 || arm.effect == nil else {
                throw place.appending("effect").error("the control has no effect of its own")
            }
        }
    }
}
