import CausalAnalysis
import MetaLearners
import MetaLearnersCore

/// One search on one dataset: nuisances first, then candidates.
///
/// What is done is kept by what decides it (`DoneNuisance`, `DoneCandidate`), in memory and in the journal, so that rounds of
/// halving, an interruption and the table all read the same.
final class TuningRun: @unchecked Sendable {  // What changes while graphs run is behind `done`.
    let tuner: Tuner
    /// Those of the spec that was given.
    private let givenBounds: [Double]?
    let training: CausalDataset
    let validation: CausalDataset?
    let whole: CausalDataset
    let journal: TuningJournal?
    let scheduler: Scheduler
    let request: FitRequest
    let schema: CovariateSchema
    let done = Lock(Done())
    private let options: ExecutionOptions
    /// How many candidates there are that rounds of halving are counted by.
    var plainCount = 0
    private(set) var groups: [OutcomeGroup] = []
    private(set) var warnings: [String] = []
    private var scoringModels: [SearchSpace.Role: SpecObject] = [:]

    /// What is done already, by what decides it.
    struct Done: Sendable {
        var nuisances: [String: DoneNuisance] = [:]
        var candidates: [String: DoneCandidate] = [:]
    }

    /// The outcome nuisances that some learners have in common.
    struct OutcomeGroup: Sendable, Equatable {
        let roles: [NuisanceRole]
        /// What tables call them.
        var name: String {
            switch roles.first {
            case .joint: "joint outcome"
            case .marginalOutcome: "marginal outcome"
            default: "arm outcomes"
            }
        }
    }

    init(
        _ tuner: Tuner, _ dataset: CausalDataset, _ validation: CausalDataset?, _ journal: TuningJournal?,
        _ options: ExecutionOptions
    ) throws(MetaLearnersError) {
        // All candidates, and what judges them, have the bounds of propensities that these rows ask for.
        var tuner = tuner
        givenBounds = tuner.spec.overlap.bounds
        if let resolved = try tuner.spec.resolved(for: dataset, keepsFolds: true) { tuner.spec = resolved }
        // They share their folds, so that the number is said where the chosen one would have another by itself.
        let alone = try tuner.spec.resolved(for: dataset, keepsFolds: false)
        if let alone, alone.crossFitting.folds != tuner.spec.crossFitting.folds {
            tuner.spec.crossFitting.folds = .exactly(tuner.spec.crossFitting.foldCount)
        }
        self.tuner = tuner
        self.journal = journal
        self.options = options
        let tuning = tuner.tuning
        whole = dataset
        if tuning.validationShare > 0 {
            guard validation == nil else {
                throw MetaLearnersError(
                    .invalidArgument, at: "tuning.validation_share", "is given, and so are rows to judge by",
                    remedy: "give one of the two")
            }
            let parts = try Tuner.split(
                dataset, share: tuning.validationShare, seed: UInt64(tuning.seed))
            training = parts.training
            self.validation = parts.validation
        } else {
            training = dataset
            self.validation = validation
        }
        if let validation = self.validation {
            try Self.requireSameKind(training, validation)
            if tuning.validationShare == 0,
                let text = try Self.warningOfSameRows(training, validation)
            {
                warnings.append(text)
            }
        }
        try EffectScoring.requireScore(tuning.score, training.outcome.kind)
        scheduler = Scheduler(options)
        request = try FitRequest(tuner.spec, training, nil, nil, scheduler.context)
        schema = CovariateSchema(training.covariates, unseenLevels: tuner.spec.data.unseenLevels)
        guard self.validation != nil || request.folds.isCrossFitted else {
            throw MetaLearnersError(
                .invalidSpec, at: "cross_fitting.folds", "is 1, and candidates are judged out of fold",
                remedy: "use 2 folds or more, or hold rows out: tuning.validation_share: 0.2")
        }
        guard self.validation != nil || tuner.spec.crossFitting.inSample != .full else {
            throw MetaLearnersError(
                .unsupported, at: "cross_fitting.in_sample",
                "is 'full', and candidates are judged out of fold",
                remedy: "use out_of_fold, or hold rows out: tuning.validation_share: 0.2")
        }
        if training.knownPropensities != nil, tuning.models.roles[.propensity] != nil {
            warnings.append("the propensities are known: the settings of their model are not tried")
        }
    }

    /// Rows that candidates are fitted to cannot judge them: those that fit noise best would win.
    private static func warningOfSameRows(_ training: CausalDataset, _ validation: CausalDataset)
        throws(MetaLearnersError) -> String?
    {
        guard
            let share = RowsMetAgain.share(
                of: validation.treatment.arms, validation.treatment.labels, validation.outcome.values,
                among: training.treatment.arms, training.treatment.labels, training.outcome.values)
        else { return nil }
        let shares =
            "\(NumberText.percent(share)) % of the rows have the very outcome and arm of a row to learn from"
        guard share < 1 else {
            throw MetaLearnersError(
                .invalidData, at: "validation", "\(shares): they are those rows",
                remedy: "give rows that take no part in the search, or use tuning.validation_share")
        }
        return
            "validation: \(shares): candidates that fit noise best seem best as far as these are the same rows"
    }

    private static func requireSameKind(_ training: CausalDataset, _ validation: CausalDataset)
        throws(MetaLearnersError)
    {
        guard validation.treatment.labels == training.treatment.labels else {
            throw MetaLearnersError(
                .invalidData, at: "validation",
                "has the arms \(validation.treatment.labels.joined(separator: ", ")), the rows to learn from "
                    + training.treatment.labels.joined(separator: ", "),
                remedy: "set data.control, or give rows of the same arms")
        }
        guard validation.outcome.kind == training.outcome.kind else {
            throw MetaLearnersError(
                .invalidData, at: "validation",
                "has an outcome that is \(validation.outcome.kind.name), with other values than that of the rows to learn from",
                remedy: "set data.outcome_type, and give rows with the same classes")
        }
        guard (validation.knownPropensities == nil) == (training.knownPropensities == nil) else {
            throw MetaLearnersError(
                .invalidData, at: "validation",
                "and the rows to learn from do not both have known propensities",
                remedy: "give them for both")
        }
    }

    // MARK: The search

    func run() throws(MetaLearnersError) -> TuningResult {
        if let journal {
            for entry in try journal.begin(fingerprint) { take(entry) }
        }
        for learner in tuner.learners {
            guard let group = group(of: learner), !groups.contains(group) else { continue }
            groups.append(group)
        }
        var isComplete = true
        var nuisances = NuisanceChoice()
        var items: [CandidateItem] = []
        var statistics: ScoreStatistics?
        do throws(MetaLearnersError) {
            nuisances = try chooseNuisances()
            items = try candidates(nuisances)
            plainCount = items.count(where: \.isPlain)
            let scoring = try scoring(nuisances)
            let known = scoring.effects.statistics
            statistics = known
            try addConstant(scoring)
            try judge(items, nuisances, scoring)
        } catch {
            guard error.kind == .cancelled, statistics != nil,
                items.contains(where: { latest($0)?.score != nil })
            else { throw error }
            isComplete = false
        }
        return try result(items, nuisances, statistics, isComplete: isComplete)
    }

    /// What a journal must agree with: everything that decides a score.
    private var fingerprint: String {
        let data = validation.map { $0.fingerprint(scheduler.context) } ?? 0
        let parts: SpecValue = [
            "version": .string(Version.current), "spec": tuner.spec.specValue,
            "tuning": tuner.tuning.specValue,
            "data": .array([.string(String(request.fingerprint)), .string(String(data))]),
        ]
        // FNV-1a, of which 64 bits are enough to tell mistakes from the same search.
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in parts.json().utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        return String(hash, radix: 16)
    }

    private func take(_ entry: SpecObject) {
        guard let key = entry["key"]?.stringValue else { return }
        done.withLock { done in
            if entry["kind"] == "nuisance" {
                done.nuisances[key] = DoneNuisance(entry)
            } else {
                done.candidates[key] = DoneCandidate(entry)
            }
        }
    }

    func keep(_ nuisance: DoneNuisance, _ key: String) throws(MetaLearnersError) {
        try journal?.append(nuisance.entry(key))
        done.withLock { $0.nuisances[key] = nuisance }
    }

    func keep(_ candidate: DoneCandidate, _ key: String) throws(MetaLearnersError) {
        try journal?.append(candidate.entry(key))
        done.withLock { $0.candidates[key] = candidate }
    }

    // MARK: Roles

    var knowsPropensities: Bool { training.knownPropensities != nil }

    /// The outcome nuisances of a learner; nil where it has none, or brings its own.
    func group(of learner: LearnerKind) -> OutcomeGroup? {
        guard let method = tuner.metaLearner(learner) else { return nil }
        let roles = method.nuisanceRoles(armCount: training.armCount).filter { !$0.isPropensity }
        return roles.isEmpty ? nil : OutcomeGroup(roles: roles)
    }

    /// Which fits of a nuisance are needed: out of fold, and on all rows where those of validation are predicted.
    var nuisanceParts: CrossFitter.Parts {
        validation != nil && tuner.spec.prediction == .full ? [.folds, .full] : .folds
    }

    /// The scheduler, once what all fits share and leave behind is taken from its memory.
    func limited(_ specs: [MetaLearnerSpec]) throws(MetaLearnersError) -> Scheduler {
        var shared = 0
        for spec in specs {
            shared = max(
                shared, try MetaLearnerFitter(spec, registry: tuner.registry).strategy.footprint(training))
        }
        let settings = groups.count * (tuner.settings[.outcome]?.count ?? 0)
        let lists =
            settings * training.armCount + (tuner.settings[.propensity]?.count ?? 0) * training.armCount
        return try scheduler.limited(
            by: shared + lists * training.rowCount * 8 * training.outcome.kind.outputCount)
    }

    // MARK: Scoring

    /// How effects of all candidates are judged.
    struct Scoring: Sendable {
        /// On rows that models have not seen: those of validation, or of training out of fold.
        let effects: EffectScoring
        /// On the rows of training.
        let training: EffectScoring
    }

    /// Fits the nuisances that all candidates are judged with, as far as they are not there.
    private func scoring(_ choice: NuisanceChoice) throws(MetaLearnersError) -> Scoring {
        let tuning = tuner.tuning
        let score = EffectScoring.resolved(tuning.score, training.outcome.kind)
        let wanted = scoringGroup(score)
        var models: [SearchSpace.Role: SpecObject] = [:]
        if tuning.scoringNuisances == .best {
            let group = groups.firstIndex(of: wanted) ?? (groups.isEmpty ? nil : 0)
            models[.outcome] = group.flatMap { choice.outcome[$0] }
            models[.propensity] = choice.propensity
        }
        // (Any learner with base learners of the spec's will do.)
        var spec = tuner.bare(try tuner.spec(.dr, models))
        if spec.overlap.policy == .fail { spec.overlap.policy = .clip }
        for role in [SearchSpace.Role.outcome, .propensity] {
            scoringModels[role] = spec.models.specValue.objectValue?[role.rawValue]?.objectValue
        }
        var roles = wanted.roles
        if !knowsPropensities {
            roles.append(.propensity)
        } else {
            scoringModels[.propensity] = nil
        }
        let plan = try NuisancePlan(
            request, RoleModels(spec, tuner.registry), roles.map { ($0, nuisanceParts) })
        var graph = TaskGraph()
        plan.schedule(in: &graph)
        try limited([spec]).run(graph)
        request.graphHasRun()
        let fit = try plan.fit()
        var own = fit.estimates
        if score == .rLoss { own.completeMarginalOutcomes() }
        let seed = RandomStream.derivedSeed(UInt64(tuning.seed), 0x7363_6F72)
        let onTraining = try EffectScoring(
            score, training, own, repeats: request.repeats, seed: seed)
        guard let validation else { return Scoring(effects: onTraining, training: onTraining) }
        var held = try fit.estimates(on: validation, spec, schema, .combined, scheduler.context)
        if score == .rLoss { held.completeMarginalOutcomes() }
        return Scoring(
            effects: try EffectScoring(score, validation, held, repeats: [], seed: seed), training: onTraining
        )
    }

    /// The outcome nuisances of a score: m for the R-loss where some learner has it anyway, else those of the arms, by the
    /// S-learner's model where that is the only one.
    private func scoringGroup(_ score: TuningSpec.Score) -> OutcomeGroup {
        if score == .rLoss,
            let marginal = groups.first(where: { group in
                group.roles.allSatisfy { if case .marginalOutcome = $0 { true } else { false } }
            })
        {
            return marginal
        }
        let arms = OutcomeGroup(roles: (0..<training.armCount).map { .armOutcome($0) })
        let joint = OutcomeGroup(roles: [.joint])
        return !groups.contains(arms) && groups.contains(joint) ? joint : arms
    }

    // MARK: Results

    private func result(
        _ items: [CandidateItem], _ choice: NuisanceChoice, _ statistics: ScoreStatistics?, isComplete: Bool
    ) throws(MetaLearnersError) -> TuningResult {
        let table = CandidateTable(self, items, statistics)
        let best = table.best(tuner.tuning.choose)
        let heldWarnings =
            tuner.tuning.validationShare > 0 ? [] : (validation?.warnings ?? []).map { "validation: " + $0 }
        var bestSpec: MetaLearnerSpec?
        if let best, let learner = best.learner {
            var models = best.models
            // Where nuisances were chosen by themselves, averages take them too. (Trimming leaves rows out by the propensity: there it is
            // the one that the candidate was judged with.)
            if tuner.tuning.strategy == .staged, tuner.spec.overlap.policy != .trim,
                models[.propensity] == nil, let known = choice.propensity
            {
                models[.propensity] = known
            }
            bestSpec = try tuner.spec(learner, models)
            bestSpec?.plugins = tuner.plugins
            bestSpec?.overlap.bounds = givenBounds
        }
        return TuningResult(
            tuning: tuner.tuning, score: EffectScoring.resolved(tuner.tuning.score, training.outcome.kind),
            candidates: table.rows, nuisances: nuisanceResults(), best: best, bestSpec: bestSpec,
            scoringModels: scoringModels,
            rows: (training.rowCount, validation?.rowCount ?? 0),
            findings: table.findings(best, isComplete: isComplete) { learner in
                validation == nil && tuner.registry.traits(of: learner)?.isComposite ?? false
            },
            warnings: training.warnings + heldWarnings + warnings,
            isComplete: isComplete, dataset: whole, registry: tuner.registry)
    }
}
