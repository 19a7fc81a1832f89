import CausalAnalysis
import MetaLearners
import MetaLearnersCore

/// Searches learners, base learners and their parameters: a checked spec with its search space, ready for any dataset.
///
/// The structure of meta-learners is used. A nuisance is fitted once for each of its settings, whichever learners and effect
/// models it is combined with; settings that differ in the number of trees alone are stages of one fit; all fits share one
/// set of bins, one fold assignment, one scheduler and its memory limit. Each candidate's effects are those that its spec
/// fitted alone would have, to the bit.
///
/// All candidates are judged with one set of nuisances: losses on the nuisances of each candidate would not be comparable, since
/// a candidate with bad nuisances would be judged by bad standards.
public struct Tuner: Sendable {
    /// The spec that everything that is not searched is taken from.
    public internal(set) var spec: MetaLearnerSpec
    /// What is searched, and how.
    public let tuning: TuningSpec
    let registry: Registry
    /// The shared libraries that the spec names.
    let plugins: [String]
    let learners: [LearnerKind]
    /// The base learners of each role that are tried, as the section `models` of a spec has them.
    let settings: [SearchSpace.Role: [SpecObject]]

    /// More candidates than this are refused before anything is fitted.
    static let candidateLimit = 20_000

    /// Checks a spec and a search space, and draws the settings.
    ///
    /// - Throws: `invalidSpec`, naming the key.
    public init(_ spec: MetaLearnerSpec, _ tuning: TuningSpec, registry: Registry) throws(MetaLearnersError) {
        let place = SpecPath.root.appending("tuning")
        var spec = try spec.validated()
        let tuning = try tuning.validated(at: place)
        let registry = spec.plugins.isEmpty ? registry : try registry.loadingPlugins(at: spec.plugins)
        plugins = spec.plugins
        spec.plugins = []
        let names = tuning.learners.isEmpty ? [spec.learner.rawValue] : tuning.learners
        var learners: [LearnerKind] = []
        for name in names {
            let kind = try registry.learnerKind(named: name, at: place.appending("learners"))
            if !learners.contains(kind) { learners.append(kind) }
        }
        self.spec = spec
        self.tuning = tuning
        self.registry = registry
        self.learners = learners
        let base = spec.models.specValue.objectValue ?? SpecObject()
        var settings: [SearchSpace.Role: [SpecObject]] = [:]
        for role in SearchSpace.Role.allCases {
            let own = base[role.rawValue]?.objectValue ?? SpecObject()
            let spaces = tuning.models.roles[role] ?? [BackendSpace(nil)]
            try Self.check(
                spaces, role, own, registry, at: place.appending("models").appending(role.rawValue))
            let drawn: [SpecObject]
            if tuning.drawn > 0, tuning.models.roles[role] != nil {
                let number = UInt64(SearchSpace.Role.allCases.firstIndex(of: role) ?? 0)
                let seed = RandomStream.derivedSeed(UInt64(tuning.seed), 0x7475_6E65, number)
                drawn = CandidateSampler(sampling: tuning.sampling, seed: seed).draw(spaces, tuning.drawn)
            } else {
                let count = spaces.reduce(0) { sum, space in
                    min(sum + min(space.gridCount ?? .max, Self.candidateLimit + 1), Self.candidateLimit + 1)
                }
                guard count <= Self.candidateLimit else {
                    throw place.appending("models").appending(role.rawValue).error(
                        "has more than \(Self.candidateLimit) combinations",
                        remedy: "name fewer values, or use method: random")
                }
                drawn = spaces.flatMap(\.grid)
            }
            var models: [SpecObject] = []
            var known: Set<String> = []
            for setting in drawn {
                let model = Self.model(setting, own)
                if known.insert(SpecValue.object(model).json()).inserted { models.append(model) }
            }
            settings[role] = models
        }
        self.settings = settings
        // No learner has more candidates than there are combinations of its roles.
        var most = 1
        for role in SearchSpace.Role.allCases where tuning.strategy == .joint || role == .effect {
            let (product, overflow) = most.multipliedReportingOverflow(by: max(settings[role]?.count ?? 0, 1))
            most = overflow ? .max : product
        }
        guard most <= Self.candidateLimit else {
            throw place.error(
                "there are more than \(Self.candidateLimit) candidates",
                remedy: "use strategy: staged, or method: random with fewer candidates")
        }
        // Every setting is one that its backend takes, before anything is fitted.
        for role in SearchSpace.Role.allCases {
            for model in settings[role] ?? [] {
                let models = try ModelsSpec(
                    .object(SpecObject([(role.rawValue, .object(model))])), at: place.appending("models"))
                let choice =
                    switch role {
                    case .outcome: models.outcome.choice
                    case .propensity: models.propensity.choice
                    case .effect: models.effect.choice
                    }
                _ = try registry.estimators.makeEstimator(
                    choice, at: place.appending("models").appending(role.rawValue))
            }
        }
    }

    /// A model of a spec: without a backend of its own a setting changes the spec's; columns and calibration are the spec's
    /// unless it says otherwise.
    private static func model(_ setting: SpecObject, _ own: SpecObject) -> SpecObject {
        var model = setting["backend"] == nil ? own : SpecObject()
        for (key, value) in setting.entries { model[key] = value }
        for key in ["columns", "calibration"] where model[key] == nil { model[key] = own[key] }
        if model["calibration"] == "none" { model["calibration"] = nil }
        return model
    }

    /// Checks that backends have the parameters that a space names.
    private static func check(
        _ spaces: [BackendSpace], _ role: SearchSpace.Role, _ own: SpecObject, _ registry: Registry,
        at place: SpecPath
    ) throws(MetaLearnersError) {
        for space in spaces {
            let backend = space.backend ?? own["backend"]?.stringValue ?? ""
            guard registry.estimators.descriptions.contains(where: { $0.name == backend }) else {
                // (The registry's own error, with the nearest name and all that there are.)
                _ = try registry.estimators.makeEstimator(EstimatorChoice(backend), at: place)
                continue
            }
            let known = try registry.estimators.parameters(of: backend)
            let names = known.map(\.name) + ["columns"] + (role == .propensity ? ["calibration"] : [])
            for (name, _) in space.parameters where !names.contains(name) {
                throw place.appending(name).error(
                    "the backend '\(backend)' has no such parameter",
                    remedy: SpellingSuggestion.clause(
                        forName: name, in: known.filter { $0.range != "unsupported" }.map(\.name)))
            }
        }
    }

    /// Searches.
    ///
    /// - Parameters:
    ///   - dataset: the rows to learn from; with `validation_share` some of them are held out.
    ///   - validation: rows to judge by, which take no part in any fit; nil to judge out of fold.
    ///   - journal: where what is done is kept, and what an interrupted search has done is taken from.
    ///   - options: how to run. Where the work is cancelled, what is done is a result.
    /// - Throws: `invalidData`, `unsupported`, `cancelled` where nothing is done yet, `outOfMemory`, `inputOutput` for the
    ///   journal. A candidate that cannot be fitted has a note in place of a score.
    public func run(
        _ dataset: CausalDataset, validation: CausalDataset? = nil, journal: TuningJournal? = nil,
        _ options: ExecutionOptions = ExecutionOptions()
    ) throws(MetaLearnersError) -> TuningResult {
        guard dataset.partition == nil, validation?.partition == nil, options.collective == nil else {
            throw MetaLearnersError(
                .unsupported, at: "collective", "searches take no part in collective work yet",
                remedy: "search on a sample of the rows in one process, and fit the best spec to all")
        }
        guard !dataset.covariates.isCoded, validation?.covariates.isCoded != true else {
            throw MetaLearnersError(
                .unsupported, at: "dataset", "searches take no rows that were read batch by batch yet",
                remedy: "search on a table of a sample of the rows, and fit the best spec to all")
        }
        return try TuningRun(self, dataset, validation, journal, options).run()
    }

    // MARK: Candidates

    /// The spec with another learner and other models; nil keeps a role's own.
    func spec(_ learner: LearnerKind, _ models: [SearchSpace.Role: SpecObject]) throws(MetaLearnersError)
        -> MetaLearnerSpec
    {
        var changed = spec
        changed.learner = learner
        var object = spec.models.specValue.objectValue ?? SpecObject()
        if registry.traits(of: learner)?.bringsModels == true {
            object = spec.calibrationAlone
        } else {
            for (role, model) in models { object[role.rawValue] = .object(model) }
        }
        changed.models = try ModelsSpec(
            .object(object), at: SpecPath.root.appending("tuning").appending("models"))
        return changed
    }

    /// A spec as candidates are fitted by: with nothing that effects do not depend on.
    func bare(_ spec: MetaLearnerSpec) -> MetaLearnerSpec {
        var bare = spec
        bare.averageEffects = false
        bare.overlap.check = false
        bare.intervals = IntervalSpec()
        bare.intervals.method = .none
        bare.keepTraining = true
        return bare
    }

    /// The learner where it is one method with the spec's base learners; nil for combinations and those that bring their own.
    func metaLearner(_ kind: LearnerKind) -> (any MetaLearner)? {
        var own = spec
        own.learner = kind
        return registry.metaLearner(of: own)
    }

    /// Some rows held out, stratified by arm and class, whole clusters together: the folds of a draw of as many as come nearest to
    /// the share.
    ///
    /// - Throws: `invalidData` where there are too few rows or clusters.
    static func split(_ dataset: CausalDataset, share: Double, seed: UInt64) throws(MetaLearnersError) -> (
        training: CausalDataset, validation: CausalDataset
    ) {
        var best = (count: 2, held: 1, error: Double.infinity)
        for count in 2...20 {
            let held = min(max(Int((share * Double(count)).rounded()), 1), count - 1)
            let error = abs(Double(held) / Double(count) - share)
            if error < best.error - 1e-9 { best = (count, held, error) }
        }
        let folds = try FoldAssignment(
            dataset, count: best.count, seed: RandomStream.derivedSeed(seed, 0x686F_6C64)
        ).folds
        func rows(_ isHeld: Bool) -> [Int32] {
            folds.indices.filter { (Int(folds[$0]) < best.held) == isHeld }.map { Int32($0) }
        }
        return (try dataset.selecting(rows: rows(false)), try dataset.selecting(rows: rows(true)))
    }
}
