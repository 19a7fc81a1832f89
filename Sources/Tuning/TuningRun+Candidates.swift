import MetaLearners
import MetaLearnersCore

/// One candidate: a learner with a setting of each role that it has.
struct CandidateItem: Sendable {
    let number: Int
    /// Nil for one effect for everybody.
    let learner: LearnerKind?
    let models: [SearchSpace.Role: SpecObject]
    /// The spec that it is fitted by; nil for the constant.
    let spec: MetaLearnerSpec?
    /// The settings of its nuisances, for what the table says of them.
    let nuisances: [NuisanceItem]
    /// Whether it is one method with base learners of the spec's, of which a part of the resource makes sense.
    let isPlain: Bool

    /// What decides its score, at a share of the resource.
    func key(_ share: Double) -> String {
        guard let learner else { return "constant" }
        var object = SpecObject()
        for role in SearchSpace.Role.allCases {
            if let model = models[role] { object[role.rawValue] = .object(model) }
        }
        return "\(learner.rawValue)|\(SpecValue.object(object).json())|\(share)"
    }
}

/// What is known of a candidate that was judged.
struct DoneCandidate: Sendable {
    let score: Double?
    let sample: [Double]
    let trainScore: Double?
    let spread: Double?
    let fitSeconds: Double
    let fits: Int
    let scoreSeconds: Double
    let note: String?

    init(
        score: Double? = nil, sample: [Double] = [], trainScore: Double? = nil, spread: Double? = nil,
        fitSeconds: Double = 0, fits: Int = 0, scoreSeconds: Double = 0, note: String? = nil
    ) {
        self.score = score
        self.sample = sample
        self.trainScore = trainScore
        self.spread = spread
        self.fitSeconds = fitSeconds
        self.fits = fits
        self.scoreSeconds = scoreSeconds
        self.note = note
    }

    init(_ entry: SpecObject) {
        self.init(
            score: entry["score"]?.doubleValue,
            sample: entry["sample"]?.arrayValue?.map { $0.doubleValue ?? .nan } ?? [],
            trainScore: entry["train_score"]?.doubleValue, spread: entry["spread"]?.doubleValue,
            fitSeconds: entry["fit_seconds"]?.doubleValue ?? 0, fits: entry["fits"]?.integerValue ?? 0,
            scoreSeconds: entry["score_seconds"]?.doubleValue ?? 0, note: entry["note"]?.stringValue)
    }

    func entry(_ key: String) -> SpecObject {
        func number(_ value: Double?) -> SpecValue { value.map { .number($0) } ?? .null }
        return [
            "kind": "candidate", "key": .string(key), "score": number(score),
            "sample": .array(sample.map { .number($0) }), "train_score": number(trainScore),
            "spread": number(spread), "fit_seconds": .number(fitSeconds), "fits": .integer(fits),
            "score_seconds": .number(scoreSeconds), "note": note.map { .string($0) } ?? .null,
        ]
    }

    var scored: ScoredSample? { score.map { ScoredSample(score: $0, sample: sample) } }
}

extension TuningRun {
    /// All candidates, the constant first.
    ///
    /// - Throws: `invalidSpec` for more than can be meant.
    func candidates(_ choice: NuisanceChoice) throws(MetaLearnersError) -> [CandidateItem] {
        var items = [
            CandidateItem(number: 0, learner: nil, models: [:], spec: nil, nuisances: [], isPlain: false)
        ]
        let known = try nuisanceItems()
        for learner in tuner.learners {
            guard let method = tuner.metaLearner(learner) else {
                items.append(
                    CandidateItem(
                        number: items.count, learner: learner, models: [:],
                        spec: try tuner.spec(learner, [:]),
                        nuisances: [], isPlain: false))
                continue
            }
            let armCount = training.armCount
            let hasEffects = !method.effectRoles(armCount: armCount).isEmpty
            let group = group(of: learner).flatMap { groups.firstIndex(of: $0) }
            let usesPropensity =
                method.nuisanceRoles(armCount: armCount).contains(.propensity) && !knowsPropensities
            // A learner that only compares outcomes is tuned by these alone, and nothing more needs to be fitted for that.
            let isJoint = tuner.tuning.strategy == .joint
            let outcomes = options(
                .outcome, group.map { choice.outcome[$0] }, all: isJoint || !hasEffects, isUsed: group != nil)
            let propensities = options(
                .propensity, choice.propensity, all: isJoint, isUsed: usesPropensity)
            let effects = options(.effect, nil, all: true, isUsed: hasEffects)
            let (first, overflow) = outcomes.count.multipliedReportingOverflow(
                by: propensities.count * effects.count)
            guard !overflow, items.count + first <= Tuner.candidateLimit else {
                throw MetaLearnersError(
                    .invalidSpec, at: "tuning",
                    "there are more than \(Tuner.candidateLimit) candidates",
                    remedy: "use strategy: staged, or method: random with fewer candidates")
            }
            for outcome in outcomes {
                for propensity in propensities {
                    for effect in effects {
                        var models: [SearchSpace.Role: SpecObject] = [:]
                        models[.outcome] = outcome
                        models[.propensity] = propensity
                        models[.effect] = effect
                        var nuisances = known[0].filter { $0.model == propensity }
                        if let group {
                            nuisances += known[group + 1].filter { $0.model == outcome }
                        }
                        items.append(
                            CandidateItem(
                                number: items.count, learner: learner, models: models,
                                spec: try tuner.spec(learner, models), nuisances: nuisances, isPlain: true))
                    }
                }
            }
        }
        return items
    }

    /// The settings of a role that candidates have: one without a model where a learner does not have the role.
    private func options(_ role: SearchSpace.Role, _ best: SpecObject??, all: Bool, isUsed: Bool)
        -> [SpecObject?]
    {
        guard isUsed else { return [nil] }
        let settings = tuner.settings[role] ?? []
        if all { return settings.map { $0 } }
        return [(best ?? nil) ?? settings.first]
    }

    /// What is known of a candidate at the largest share at which it was judged.
    func latest(_ item: CandidateItem) -> DoneCandidate? { latestShare(item).flatMap { known(item, $0) } }

    func latestShare(_ item: CandidateItem) -> Double? {
        shares.last { known(item, $0) != nil }
    }

    func known(_ item: CandidateItem, _ share: Double) -> DoneCandidate? {
        done.withLock { $0.candidates[item.key(share)] }
    }

    /// Judges one effect for everybody: on each row the best of the rows that a model would have been fitted to.
    func addConstant(_ scoring: Scoring) throws(MetaLearnersError) {
        let key = CandidateItem(
            number: 0, learner: nil, models: [:], spec: nil, nuisances: [], isPlain: false
        ).key(1)
        guard done.withLock({ $0.candidates[key] }) == nil else { return }
        func everywhere(_ values: [Double], _ count: Int) -> [[Double]] {
            values.map { [Double](repeating: $0, count: count) }
        }
        var effects: [[Double]]
        let whole = everywhere(scoring.training.constant(), training.rowCount)
        if let validation {
            effects = everywhere(scoring.training.constant(), validation.rowCount)
        } else {
            effects = whole
            let folds = request.folds
            for fold in 0..<folds.count {
                let values = scoring.training.constant { folds.folds[$0] != fold }
                for row in folds.rows(in: fold) {
                    for column in effects.indices { effects[column][Int(row)] = values[column] }
                }
            }
        }
        let sample = try scoring.effects.sample(of: effects)
        try keep(
            DoneCandidate(
                score: scoring.effects.value(of: effects), sample: sample,
                trainScore: tuner.tuning.trainScores ? scoring.training.value(of: whole) : nil, spread: 0),
            key)
    }

    /// The shares of the resource, round by round.
    var shares: [Double] {
        guard tuner.tuning.method == .halving else { return [1] }
        return tuner.tuning.halving.shares(plainCount)
    }

    /// Fits and judges candidates: all of them, or in rounds of which each leaves the better ones.
    func judge(_ items: [CandidateItem], _ choice: NuisanceChoice, _ scoring: Scoring)
        throws(MetaLearnersError)
    {
        var plain = items.filter(\.isPlain)
        let others = items.filter { !$0.isPlain && $0.spec != nil }
        for share in shares {
            try judge(share == 1 ? plain + others : plain, scoring, share)
            guard share < 1 else { break }
            let scores = plain.map { item -> Double in
                guard let score = known(item, share)?.score, !score.isNaN else { return .infinity }
                return scoring.effects.isGain ? -score : score
            }
            plain = plain.indices.sorted { (scores[$0], $0) < (scores[$1], $1) }
                .prefix(tuner.tuning.halving.survivors(of: plain.count)).map { plain[$0] }
        }
    }

    private struct Planned: Sendable {
        let item: CandidateItem
        let fitter: MetaLearnerFitter
        let plan: any FitPlan
    }

    /// Fits what is not known yet, all in one graph; each is judged as soon as it is fitted, and let go of once nobody follows
    /// it any more.
    private func judge(_ items: [CandidateItem], _ scoring: Scoring, _ share: Double)
        throws(MetaLearnersError)
    {
        let missing = items.filter { known($0, share) == nil }
        guard !missing.isEmpty else { return }
        let registry = try registry(share)
        // At a part of the resource nuisances are parts as well: they must not be taken for whole ones later.
        let request =
            share < 1
            ? FitRequest(training, self.request.repeats, fingerprint: self.request.fingerprint) : self.request
        // Candidates that differ in their effect models alone, by what they have in common.
        var families: [[Planned]] = []
        var related: [String: [Int]] = [:]
        for item in try stagesLast(missing) {
            do throws(MetaLearnersError) {
                if let failed = item.nuisances.lazy.compactMap({ self.known($0, 1)?.note }).first {
                    throw MetaLearnersError(.unsupported, failed)
                }
                guard let own = item.spec else { continue }
                let spec = tuner.bare(item.isPlain ? try resourced(own, share) : own)
                let fitter = try MetaLearnerFitter(spec, registry: item.isPlain ? registry : tuner.registry)
                try fitter.strategy.check(request.ofMember)
                var common = item.models
                common[.effect] = nil
                let name = CandidateItem(
                    number: 0, learner: item.learner, models: common, spec: nil, nuisances: [], isPlain: true
                ).key(1)
                let family = related[name]?.first { index in
                    item.isPlain && isStage(spec, of: families[index][0].fitter.spec, .effect)
                }
                let plan = try plan(item, fitter, request, following: family.map { families[$0][0].plan })
                let planned = Planned(item: item, fitter: fitter, plan: plan)
                if let family {
                    families[family].append(planned)
                } else {
                    related[name, default: []].append(families.count)
                    families.append([planned])
                }
            } catch {
                try keep(DoneCandidate(note: error.description), item.key(share))
            }
        }
        try run(families, request, scoring, share)
    }

    private func plan(
        _ item: CandidateItem, _ fitter: MetaLearnerFitter, _ request: FitRequest,
        following leader: (any FitPlan)?
    ) throws(MetaLearnersError) -> any FitPlan {
        var purpose = FitPurpose.model
        if item.isPlain {
            if validation == nil {
                purpose = .trainingRows
            } else if fitter.spec.prediction == .full {
                purpose = .newRows
            }
        }
        if let leader, let sharing = fitter.strategy as? any StageSharing {
            return try sharing.plan(request.ofMember, for: purpose, following: leader)
        }
        return try fitter.strategy.plan(request.ofMember, for: purpose)
    }

    private func run(
        _ families: [[Planned]], _ request: FitRequest, _ scoring: Scoring, _ share: Double
    ) throws(MetaLearnersError) {
        var graph = TaskGraph()
        var ranges: [(item: CandidateItem, tasks: Range<Int>)] = []
        for family in families {
            var judged: [TaskGraph.Node] = []
            for planned in family {
                let meter = TaskMeter()
                let start = graph.count
                graph.meter = meter
                try planned.plan.schedule(in: &graph)
                graph.meter = nil
                judged.append(
                    graph.add("candidates", after: graph.nodes(start..<graph.count), bytes: scoringBytes) {
                        [self] context throws(MetaLearnersError) in
                        try judge(planned, scoring, meter, share, context)
                    })
                ranges.append((planned.item, start..<graph.count))
            }
            _ = graph.add(nil, after: judged) { _ in for planned in family { planned.plan.forget() } }
        }
        let report = try limited(families.flatMap { $0.map(\.fitter.spec) }).run(graph, goingOn: true)
        request.graphHasRun()
        for (_, range) in ranges {
            if let error = report.failure(range), error.kind == .inputOutput { throw error }
        }
        for (item, range) in ranges where known(item, share) == nil {
            let error = report.failure(range)
            try keep(DoneCandidate(note: error?.description ?? "was not fitted"), item.key(share))
        }
    }

    private func judge(
        _ planned: Planned, _ scoring: Scoring, _ meter: TaskMeter, _ share: Double,
        _ context: ExecutionContext
    ) throws(MetaLearnersError) {
        let start = ContinuousClock.now
        let model = try CATEModel(planned.fitter, training, planned.plan.result(context))
        let effects: [[Double]]
        if let validation {
            effects = try model.effects(on: validation, .combined, context)
        } else {
            effects = model.trainingEffects
        }
        guard effects.allSatisfy({ $0.allSatisfy(\.isFinite) }) else {
            throw MetaLearnersError(.numericalFailure, "some effects are not finite")
        }
        let train = tuner.tuning.trainScores ? try trainScore(model, scoring, context) : nil
        let sample = try scoring.effects.sample(of: effects)
        let score = scoring.effects.value(of: effects)
        let (seconds, attoseconds) = (ContinuousClock.now - start).components
        try keep(
            DoneCandidate(
                score: score.isFinite ? score : nil, sample: sample, trainScore: train,
                spread: Self.spread(effects, (validation ?? training).weights), fitSeconds: meter.seconds,
                fits: meter.fits, scoreSeconds: Double(seconds) + Double(attoseconds) * 1e-18,
                note: score.isFinite ? nil : "its score is no finite number"),
            planned.item.key(share))
    }

    /// The score on rows that the models were fitted to: with validation that of the model of all rows, else the mean over the
    /// models of folds, each on the rows outside its fold.
    private func trainScore(_ model: CATEModel, _ scoring: Scoring, _ context: ExecutionContext)
        throws(MetaLearnersError) -> Double?
    {
        guard validation == nil else {
            return scoring.training.value(of: try model.effects(on: training, .combined, context))
        }
        let count = model.foldCount
        guard count > 0 else { return nil }
        var sum = 0.0
        for number in 0..<count {
            try context.checkCancellation()
            let effects = try model.effects(on: training, .fold(number), context)
            let foldCount = request.folds.count
            let folds = request.repeats[min(number / foldCount, request.repeats.count - 1)].folds
            sum += scoring.training.value(of: effects) { folds[$0] != number % foldCount }
        }
        return sum / Double(count)
    }

    /// The standard deviation of effects, the root of its mean square over arms and classes.
    private static func spread(_ effects: [[Double]], _ weights: [Double]?) -> Double {
        var variance = 0.0
        for list in effects {
            var (total, sum, squares) = (0.0, 0.0, 0.0)
            for (row, effect) in list.enumerated() {
                let weight = weights?[row] ?? 1
                total += weight
                sum += weight * effect
            }
            let mean = total > 0 ? sum / total : 0
            for (row, effect) in list.enumerated() {
                squares += (weights?[row] ?? 1) * (effect - mean) * (effect - mean)
            }
            variance += total > 0 ? squares / total / Double(effects.count) : 0
        }
        return variance.squareRoot()
    }

    private func stagesLast(_ items: [CandidateItem]) throws(MetaLearnersError) -> [CandidateItem] {
        var counts: [Int] = []
        for item in items {
            counts.append(
                try item.isPlain
                    ? item.spec.map { spec throws(MetaLearnersError) in
                        try effectStages(spec)
                    } ?? 0 : 0)
        }
        return items.indices.sorted { (-counts[$0], $0) < (-counts[$1], $1) }.map { items[$0] }
    }
}
