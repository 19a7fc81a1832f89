import MetaLearners
import MetaLearnersCore

extension TuningRun {
    /// The base learners at a share of the resource: where rows are spared, on that share of them.
    func registry(_ share: Double) throws(MetaLearnersError) -> Registry {
        guard share < 1, tuner.tuning.halving.resource == .rows else { return tuner.registry }
        let seed = RandomStream.derivedSeed(UInt64(tuner.tuning.seed), 0x726F_7773)
        return try tuner.registry.changingEstimators { $0.sharing(share, seed: seed) }
    }

    /// A spec at a share of the resource: where trees are spared, with that share of them in every model that has any.
    func resourced(_ spec: MetaLearnerSpec, _ share: Double) throws(MetaLearnersError) -> MetaLearnerSpec {
        guard share < 1, tuner.tuning.halving.resource == .trees else { return spec }
        var changed = spec
        for path in [
            \ModelsSpec.outcome.choice, \ModelsSpec.propensity.choice, \ModelsSpec.effect.choice,
        ] {
            guard let (key, count) = try stages(spec.models[keyPath: path]) else { continue }
            changed.models[keyPath: path].parameters[key] = .integer(
                max(1, Int((Double(count) * share).rounded())))
        }
        return changed
    }

    /// The parameter that says how many stages a base learner has, and how many these are; nil where it has none.
    private func stages(_ choice: EstimatorChoice) throws(MetaLearnersError) -> (key: String, count: Int)? {
        let estimator = try tuner.registry.estimators.makeEstimator(choice, at: .root)
        guard let staged = estimator as? any StagedEstimator, let key = type(of: staged).stageParameter,
            let count = estimator.completeChoice.parameters[key]?.integerValue
        else { return nil }
        return (key, count)
    }

    /// The model of a role.
    private func choice(_ spec: MetaLearnerSpec, _ role: SearchSpace.Role) -> RoleModelSpec {
        switch role {
        case .outcome: spec.models.outcome
        case .propensity: spec.models.propensity
        case .effect: spec.models.effect
        }
    }

    /// Whether the model of a role is a stage of another spec's: the same but for fewer trees.
    func isStage(_ spec: MetaLearnerSpec, of other: MetaLearnerSpec, _ role: SearchSpace.Role) -> Bool {
        let (own, leading) = (choice(spec, role), choice(other, role))
        guard own.columns == leading.columns, own != leading,
            let mine = try? tuner.registry.estimators.makeEstimator(own.choice, at: .root),
            let others = try? tuner.registry.estimators.makeEstimator(leading.choice, at: .root)
        else { return false }
        return mine.stage(along: others) != nil
    }

    /// The same settings, those with most stages first, so that the others can follow them.
    func stagesLast(_ items: [(item: NuisanceItem, spec: MetaLearnerSpec)]) throws(MetaLearnersError)
        -> [(item: NuisanceItem, spec: MetaLearnerSpec)]
    {
        var counts: [Int] = []
        for entry in items {
            counts.append(try stages(choice(entry.spec, entry.item.role).choice)?.count ?? 0)
        }
        return items.indices.sorted { (-counts[$0], $0) < (-counts[$1], $1) }.map { items[$0] }
    }

    /// How many stages the effect model of a spec has.
    func effectStages(_ spec: MetaLearnerSpec) throws(MetaLearnersError) -> Int {
        try stages(spec.models.effect.choice)?.count ?? 0
    }
}
