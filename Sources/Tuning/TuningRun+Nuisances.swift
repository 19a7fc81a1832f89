import MetaLearners
import MetaLearnersCore

/// The nuisances of the least loss.
struct NuisanceChoice: Sendable {
    /// By outcome group; a group whose settings all failed has none.
    var outcome: [Int: SpecObject] = [:]
    var propensity: SpecObject?
}

/// One setting of a nuisance on its way.
struct NuisanceItem: Sendable {
    let role: SearchSpace.Role
    let estimand: String
    let roles: [NuisanceRole]
    /// The setting, as the section `models` of a spec has it.
    let model: SpecObject
    let spec: MetaLearnerSpec

    /// What decides its scores, at a share of the resource.
    func key(_ share: Double) -> String {
        let roles = roles.map { $0.name([]) }.joined(separator: ",")
        return "\(role.rawValue)|\(roles)|\(SpecValue.object(model).json())|\(share)"
    }
}

/// What is known of a setting that was judged.
struct DoneNuisance: Sendable {
    let train: NuisanceScores?
    let validation: NuisanceScores?
    let seconds: Double
    let fits: Int
    let note: String?

    init(
        train: NuisanceScores? = nil, validation: NuisanceScores? = nil, seconds: Double = 0, fits: Int = 0,
        note: String? = nil
    ) {
        self.train = train
        self.validation = validation
        self.seconds = seconds
        self.fits = fits
        self.note = note
    }

    init(_ entry: SpecObject) {
        self.init(
            train: NuisanceScores(entry["train"]), validation: NuisanceScores(entry["validation"]),
            seconds: entry["seconds"]?.doubleValue ?? 0, fits: entry["fits"]?.integerValue ?? 0,
            note: entry["note"]?.stringValue)
    }

    func entry(_ key: String) -> SpecObject {
        [
            "kind": "nuisance", "key": .string(key), "train": train?.specValue ?? .null,
            "validation": validation?.specValue ?? .null, "seconds": .number(seconds),
            "fits": .integer(fits), "note": note.map { .string($0) } ?? .null,
        ]
    }
}

extension TuningRun {
    /// The settings of the propensity, then those of each outcome group.
    func nuisanceItems() throws(MetaLearnersError) -> [[NuisanceItem]] {
        var lists: [[NuisanceItem]] = []
        let needsPropensity = tuner.learners.contains { learner in
            tuner.metaLearner(learner)?.nuisanceRoles(armCount: training.armCount).contains(.propensity)
                ?? false
        }
        var propensities: [NuisanceItem] = []
        if needsPropensity, !knowsPropensities {
            for model in tuner.settings[.propensity] ?? [] {
                propensities.append(
                    NuisanceItem(
                        role: .propensity, estimand: "propensity", roles: [.propensity], model: model,
                        spec: tuner.bare(try tuner.spec(.dr, [.propensity: model]))))
            }
        }
        lists.append(propensities)
        for group in groups {
            var items: [NuisanceItem] = []
            for model in tuner.settings[.outcome] ?? [] {
                var spec = tuner.bare(try tuner.spec(.dr, [.outcome: model]))
                // Without propensities there is nothing to trim by.
                spec.overlap.policy = .clip
                items.append(
                    NuisanceItem(
                        role: .outcome, estimand: group.name, roles: group.roles, model: model, spec: spec))
            }
            lists.append(items)
        }
        return lists
    }

    /// Fits and judges every setting of every nuisance, each once, and chooses the best.
    func chooseNuisances() throws(MetaLearnersError) -> NuisanceChoice {
        let lists = try nuisanceItems()
        let shares = shares(lists)
        var alive = lists
        for (round, share) in shares.enumerated() {
            let isLast = round == shares.count - 1
            try judgeNuisances(alive.flatMap(\.self), share)
            guard !isLast else { break }
            alive = alive.map { list in
                Array(ranked(list, share).prefix(tuner.tuning.halving.survivors(of: list.count)))
            }
        }
        func best(_ list: [NuisanceItem]) -> SpecObject? {
            ranked(list, 1).first { known($0, 1)?.validation != nil }?.model
        }
        var choice = NuisanceChoice()
        choice.propensity = alive.first.flatMap(best)
        for index in groups.indices { choice.outcome[index] = best(alive[index + 1]) }
        return choice
    }

    /// The shares of the resource, round by round. All combinations need every setting in full.
    private func shares(_ lists: [[NuisanceItem]]) -> [Double] {
        guard tuner.tuning.method == .halving, tuner.tuning.strategy == .staged else { return [1] }
        return tuner.tuning.halving.shares(lists.map(\.count).max() ?? 0)
    }

    func known(_ item: NuisanceItem, _ share: Double) -> DoneNuisance? {
        done.withLock { $0.nuisances[item.key(share)] }
    }

    /// Settings from the least loss to the largest, then those without one; of equal ones the first.
    private func ranked(_ list: [NuisanceItem], _ share: Double) -> [NuisanceItem] {
        let losses = list.map { item -> Double in
            let loss = known(item, share)?.validation?.value(tuner.tuning.nuisanceScore) ?? .infinity
            return loss.isNaN ? .infinity : loss
        }
        return list.indices.sorted { (losses[$0], $0) < (losses[$1], $1) }.map { list[$0] }
    }

    /// Fits what is not known yet, all in one graph, and judges each setting as soon as it is fitted.
    private func judgeNuisances(_ items: [NuisanceItem], _ share: Double) throws(MetaLearnersError) {
        let missing = items.filter { known($0, share) == nil }
        guard !missing.isEmpty else { return }
        // At a part of the resource models are others, under the same name.
        let request =
            share < 1
            ? FitRequest(training, self.request.repeats, fingerprint: self.request.fingerprint) : self.request
        let registry = try registry(share)
        var plans: [(item: NuisanceItem, spec: MetaLearnerSpec, models: RoleModels, plan: NuisancePlan)] = []
        var resourced: [(item: NuisanceItem, spec: MetaLearnerSpec)] = []
        for item in missing { resourced.append((item, try self.resourced(item.spec, share))) }
        for item in try stagesLast(resourced) {
            let models = try RoleModels(item.spec, registry)
            let leader = plans.first { other in
                other.item.role == item.item.role && other.item.roles == item.item.roles
                    && isStage(item.spec, of: other.spec, item.item.role)
            }
            do throws(MetaLearnersError) {
                let plan = try NuisancePlan(
                    request, models, item.item.roles.map { ($0, nuisanceParts) },
                    following: leader?.models)
                plans.append((item.item, item.spec, models, plan))
            } catch {
                try keep(DoneNuisance(note: error.description), item.item.key(share))
            }
        }
        var graph = TaskGraph()
        var ranges: [Range<Int>] = []
        for entry in plans {
            let meter = TaskMeter()
            let start = graph.count
            graph.meter = meter
            entry.plan.schedule(in: &graph)
            graph.meter = nil
            _ = graph.add(
                "nuisances judged", after: graph.nodes(start..<graph.count), bytes: scoringBytes
            ) { [self] context throws(MetaLearnersError) in
                let scores = try scores(entry.item, entry.spec, entry.plan.fit(), context)
                try keep(
                    DoneNuisance(
                        train: scores.train, validation: scores.validation, seconds: meter.seconds,
                        fits: meter.fits), entry.item.key(share))
            }
            ranges.append(start..<graph.count)
        }
        let report = try limited(plans.map(\.item.spec)).run(graph, goingOn: true)
        request.graphHasRun()
        for (entry, range) in zip(plans, ranges) where known(entry.item, share) == nil {
            let error = report.failure(range)
            if let error, error.kind == .inputOutput { throw error }
            try keep(DoneNuisance(note: error?.description ?? "was not fitted"), entry.item.key(share))
        }
    }

    /// What judging takes: some lists of a number for each row.
    var scoringBytes: Int {
        let rows = training.rowCount + (validation?.rowCount ?? 0)
        return rows * 8 * 4 * training.armCount * training.outcome.kind.outputCount
    }

    private func scores(
        _ item: NuisanceItem, _ spec: MetaLearnerSpec, _ fit: NuisanceFit, _ context: ExecutionContext
    ) throws(MetaLearnersError) -> (train: NuisanceScores?, validation: NuisanceScores?) {
        var held = NuisanceLosses()
        var seen = NuisanceLosses()
        if let validation {
            held.add(
                item.roles, try fit.estimates(on: validation, spec, schema, .combined, context), validation
            ) { _ in true }
        } else {
            held.add(item.roles, fit.estimates, training) { _ in true }
        }
        guard tuner.tuning.trainScores else { return (nil, held.scores) }
        if validation != nil {
            seen.add(
                item.roles, try fit.estimates(on: training, spec, schema, .combined, context), training
            ) { _ in true }
        } else {
            for model in 0..<fit.foldCount {
                try context.checkCancellation()
                let estimates = try fit.estimates(on: training, spec, schema, .fold(model), context)
                let foldCount = request.folds.count
                let folds = request.repeats[model / foldCount].folds
                seen.add(item.roles, estimates, training) { folds[$0] != model % foldCount }
            }
        }
        return (seen.scores, held.scores)
    }

    /// The rows of the table of nuisances: each setting at the largest share at which it was judged.
    func nuisanceResults() -> [NuisanceResult] {
        let lists = (try? nuisanceItems()) ?? []
        let shares = shares(lists)
        return lists.flatMap(\.self).compactMap { item in
            guard let share = shares.last(where: { known(item, $0) != nil }), let known = known(item, share)
            else { return nil }
            let rounds = shares.compactMap { self.known(item, $0) }
            return NuisanceResult(
                role: item.role, estimand: item.estimand, model: item.model, resource: share,
                train: known.train, validation: known.validation,
                seconds: rounds.reduce(0) { $0 + $1.seconds }, fits: rounds.reduce(0) { $0 + $1.fits },
                note: known.note)
        }
    }
}
