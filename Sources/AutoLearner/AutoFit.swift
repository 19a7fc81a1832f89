import MetaLearners
import MetaLearnersCore

/// A fit of `auto` on its way through a task graph: members of nuisances, stacks, members of effects; everything that
/// waits for nothing side by side.
final class AutoFit: FitPlan {
    /// What a fit of nuisances leaves for the effects.
    private struct Nuisances: Sendable {
        let pairs: [AutoNuisances]
        let design: AutoDesign
    }

    private let request: FitRequest
    private let spec: MetaLearnerSpec
    private let settings: AutoSettings
    private let estimators: AutoEstimators
    private let origin: String
    private let also: [(fitter: MetaLearnerFitter, plan: any FitPlan)]
    private let pairs: [AutoPair]
    private let members: [AutoMember]

    private let design = ResultSlots<AutoDesign>(count: 1)
    private let shares: ResultSlots<(share: [Double], blends: [ShareBlend])>
    private let nuisances: ResultSlots<AutoNuisances>
    private let assembled = ResultSlots<NuisanceFit>(count: 1)
    private let residuals: ResultSlots<AutoPair.Residuals>
    private let effectRuns = ResultSlots<[[(AutoMember.Name, MemberRun)]]>(count: 1)

    init(
        _ request: FitRequest, _ spec: MetaLearnerSpec, _ settings: AutoSettings,
        _ estimators: AutoEstimators,
        origin: String, also: [(fitter: MetaLearnerFitter, plan: any FitPlan)]
    ) {
        self.request = request
        self.spec = spec
        self.settings = settings
        self.estimators = estimators
        self.origin = origin
        self.also = also
        let dataset = request.dataset
        pairs = (1..<dataset.armCount).map {
            AutoPair(dataset, arm: $0, settings, seed: UInt64(spec.seed))
        }
        members = AutoMember.all(settings, knowsPropensities: dataset.knownPropensities != nil)
        shares = ResultSlots(count: pairs.count)
        nuisances = ResultSlots(count: pairs.count)
        residuals = ResultSlots(count: pairs.count)
        if let known = request.reused?.particular?.value as? Nuisances, let reused = request.reused {
            design[0] = known.design
            for (index, pair) in known.pairs.enumerated() { nuisances[index] = pair }
            assembled[0] = reused
        }
    }

    // MARK: Tasks

    /// Adds everything to `graph`.
    func schedule(in graph: inout TaskGraph) throws(MetaLearnersError) {
        let ready = scheduleNuisances(in: &graph)
        var runs: [[(AutoMember.Name, MemberRun)]] = []
        for (index, pair) in pairs.enumerated() {
            let left = graph.add(nil, after: ready) { [self] _ throws(MetaLearnersError) in
                residuals[index] = pair.residuals(
                    try known(nuisances[index]), hasOverlap: try known(assembled[0]).estimates.hasOverlap)
            }
            runs.append(
                schedule(.effects, "effects", of: pair, in: &graph, after: [left]) {
                    [self] member throws(MetaLearnersError) in
                    try pair.problem(member, design[0], residuals: try known(residuals[index]))
                }.map { member in (member.name, member.run) })
        }
        effectRuns[0] = runs
        for member in also { try member.plan.schedule(in: &graph) }
    }

    /// Adds the nuisances to `graph`, where they are not there already.
    func scheduleNuisances(in graph: inout TaskGraph) -> [TaskGraph.Node] {
        guard assembled[0] == nil else { return [] }
        let dataset = request.dataset
        let encoded = graph.add(nil) { [self] context throws(MetaLearnersError) in
            design[0] = try AutoDesign(
                dataset, request.folds, estimators.design, settings, context)
        }
        var stacked: [TaskGraph.Node] = []
        for (index, pair) in pairs.enumerated() {
            let first = schedule(.nuisances, "nuisances", of: pair, in: &graph, after: [encoded]) {
                [self] member throws(MetaLearnersError) in try pair.problem(member, design[0])
            }
            let ofShare = first.filter { $0.isOfPropensity }
            let share = graph.add(nil, after: ofShare.flatMap(\.nodes) + [encoded]) {
                [self] _ throws(MetaLearnersError) in
                if let known = pair.knownShare {
                    shares[index] = (known, [])
                } else {
                    shares[index] = try pair.stackShare(
                        Self.results(ofShare.map { ($0.name, $0.run) }), width: width(),
                        folds: request.folds)
                }
            }
            let second = schedule(.modulated, "nuisances", of: pair, in: &graph, after: [share]) {
                [self] member throws(MetaLearnersError) in
                try pair.problem(member, design[0], share: try known(shares[index]).share)
            }
            let all = first + second
            stacked.append(
                graph.add(nil, after: all.flatMap(\.nodes) + [share]) { [self] _ throws(MetaLearnersError) in
                    let (share, blends) = try known(shares[index])
                    nuisances[index] = try pair.stackOutcomes(
                        Self.results(all.map { ($0.name, $0.run) }), share: share, blends: blends,
                        width: width(), folds: request.folds)
                })
        }
        return [
            graph.add(nil, after: stacked) { [self] _ throws(MetaLearnersError) in
                assembled[0] = try assemble()
            }
        ]
    }

    private typealias Scheduled = (
        name: AutoMember.Name, isOfPropensity: Bool, run: MemberRun, nodes: [TaskGraph.Node]
    )

    /// Adds the members of a step to `graph`.
    private func schedule(
        _ step: AutoMember.Step, _ stage: String, of pair: AutoPair, in graph: inout TaskGraph,
        after before: [TaskGraph.Node],
        _ problem: @escaping @Sendable (AutoMember) throws(MetaLearnersError) -> MemberRun.Problem
    ) -> [Scheduled] {
        let dataset = request.dataset
        let bound = AutoDesign.widthBound(dataset, estimators.design, settings)
        var scheduled: [Scheduled] = []
        for member in members where member.step == step {
            guard let estimator = try? estimators.estimator(member, arm: pair.arm) else { continue }
            let rows = pair.rows(of: member.rows).count
            let bytes =
                (estimator as? any SharedDesignEstimator)?.pathBytes(rows: rows, columns: bound)
                ?? estimator.footprint(rows: rows, of: dataset.covariates, for: member.plannedObjective)
                .working
            let run = MemberRun(member.name.rawValue, estimator, request.folds)
            let nodes = run.schedule(stage, in: &graph, after: before, bytes: bytes) {
                () throws(MetaLearnersError) in try problem(member)
            }
            scheduled.append((member.name, member.isOfPropensity, run, nodes))
        }
        return scheduled
    }

    private func known<Value>(_ value: Value?) throws(MetaLearnersError) -> Value {
        if let value { return value }
        throw MetaLearnersError(.internalFault, at: "auto", "a step began before what it needs was there")
    }

    private func width() throws(MetaLearnersError) -> Int { try known(design[0]).width }

    private static func results(_ runs: [(AutoMember.Name, MemberRun)]) throws(MetaLearnersError)
        -> AutoNuisances.Results
    {
        var results: AutoNuisances.Results = [:]
        for (name, run) in runs { results[name] = try run.result() }
        return results
    }

    // MARK: Results

    /// The nuisances.
    func nuisanceFit() throws(MetaLearnersError) -> NuisanceFit { try known(assembled[0]) }

    func result(_ context: ExecutionContext) throws(MetaLearnersError) -> FittedLearner {
        let nuisances = try nuisanceFit()
        let design = try known(design[0])
        let runs = try known(effectRuns[0])
        let results = try also.map { member throws(MetaLearnersError) in try member.plan.result(context) }
        let members = try zip(also, results).map { member, result throws(MetaLearnersError) in
            try CATEModel(member.fitter, request.dataset, result)
        }
        var effects: [AutoEffect] = []
        for (index, pair) in pairs.enumerated() {
            effects.append(
                try pair.combine(
                    try known(self.nuisances[index]), Self.results(runs[index]), try known(residuals[index]),
                    also: zip(members, results).map { ($0.candidateName, $1.trainingEffects[index]) },
                    width: design.width, folds: request.folds))
        }
        return FittedLearner(
            nuisances, keeping: nuisances.roles,
            predictor: AutoPredictor(
                effects, leastShare: request.dataset.knownPropensities == nil ? settings.leastShare : 0,
                design.columns, also: members.map(\.withoutTraining)),
            trainingEffects: effects.map(\.values), disagreements: effects.map(\.disagreement))
    }

    /// The nuisances as any learner has them, with their models.
    private func assemble() throws(MetaLearnersError) -> NuisanceFit {
        let dataset = request.dataset
        let isBinary = dataset.outcome.kind.isBinary
        let folds = request.folds.count
        let columns = try known(design[0]).columns
        let pairs = try nuisancesOfPairs()
        var components: [NuisanceComponent] = []
        func add(_ role: NuisanceRole, _ models: [any FittedEstimator], _ outOfFold: [Double]) {
            components.append(
                NuisanceComponent(
                    role: role, origin: origin,
                    models: CrossFittedModels(foldModels: models, fullModel: nil), outOfFold: [outOfFold]))
        }
        if dataset.knownPropensities == nil {
            add(
                .propensity,
                (0..<folds).map { fold in BlendedPropensity(pairs.map { $0.shareBlends[fold] }, columns) },
                armShares(ofPairs: pairs.map(\.share)))
        }
        for arm in 0..<dataset.armCount {
            // The control has an outcome in every pair: the first one's.
            let pair = pairs[max(arm - 1, 0)]
            let member = arm == 0 ? 0 : 1
            let models = pair.results.models
            let meanShare =
                try dataset.distribution.sum([pair.share.reduce(0, +)])[0] / Double(dataset.totalRowCount)
            add(
                .armOutcome(arm),
                (0..<folds).map { fold in
                    BlendedOutcome(
                        pair.meanFormulas[member][fold], models, fold: fold,
                        share: pair.shareBlends.isEmpty
                            ? .known(arm: max(arm, 1), mean: meanShare)
                            : .estimated(pair.shareBlends[fold]),
                        leastShare: settings.leastShare, isBinary: isBinary, columns)
                },
                isBinary ? pair.means[member].flatMap(BlendedOutcome.shares) : pair.means[member])
        }
        let propensities = try NuisanceAssembly(
            dataset: dataset, policy: spec.overlap, calibration: spec.models.propensity.calibration
        ).propensities(components.first { $0.role.isPropensity }?.outOfFold.first, request.folds)
        var estimates = NuisanceEstimates(rowCount: dataset.rowCount, armCount: dataset.armCount)
        estimates.store(
            components.filter { !$0.role.isPropensity }.map { ($0.role, $0.outOfFold) },
            of: dataset.outcome.kind)
        estimates.use(propensities)
        return NuisanceFit(
            estimates: estimates, propensities: propensities, request,
            aggregation: spec.crossFitting.aggregation, components: components,
            particular: StrategyNuisances(
                origin: origin, value: Nuisances(pairs: pairs, design: try known(design[0]))))
    }

    private func nuisancesOfPairs() throws(MetaLearnersError) -> [AutoNuisances] {
        try pairs.indices.map { index throws(MetaLearnersError) in try known(nuisances[index]) }
    }
}

/// The nuisances of a fit alone.
struct AutoNuisanceSource: NuisanceSource {
    let whole: AutoFit

    func schedule(in graph: inout TaskGraph) { _ = whole.scheduleNuisances(in: &graph) }

    func fit() throws(MetaLearnersError) -> NuisanceFit { try whole.nuisanceFit() }
}

extension CATEModel {
    /// What a candidate that the spec adds is called: its learner and the backend of its effects.
    fileprivate var candidateName: String {
        let backends = parts.effects.map(\.backend)
        return spec.learner.rawValue + (backends.first.map { " on " + $0 } ?? "") + ", as specified"
    }
}
