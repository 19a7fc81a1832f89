import MetaLearnersCore

/// The fit of one meta-learner: its nuisances out of fold, then its effect models.
struct PlainStrategy<Learner: MetaLearner>: FittingStrategy {
    static var kind: LearnerKind { Learner.kind }
    static var aliases: [String] { Learner.aliases }
    static var traits: LearnerTraits { Learner.traits }
    static var reference: LearnerReference { Learner.reference }
    static var predictors: [any EffectPredictor.Type] { [LearnerPredictor.self] }

    let learner: any MetaLearner
    private let spec: MetaLearnerSpec
    private let models: RoleModels
    private let registry: Registry

    init(_ spec: MetaLearnerSpec, _ registry: Registry) throws(MetaLearnersError) {
        learner = Learner(spec)
        self.spec = spec
        self.registry = registry
        models = try RoleModels(spec, registry)
    }

    var completeSpec: SpecValue {
        var complete = spec
        complete.models = models.completeModels
        return .object(complete.archivedValue)
    }

    func nuisanceRoles(armCount: Int) -> [NuisanceRole] {
        spec.withAverages(learner.nuisanceRoles(armCount: armCount), Self.traits, armCount: armCount)
    }

    func check(_ request: FitRequest) throws(MetaLearnersError) {
        try requireTraits(spec, request, registry)
        for role in learner.effectRoles(armCount: request.dataset.armCount) {
            try models.requireEffectModel(role, request.dataset)
        }
    }

    func footprint(_ dataset: CausalDataset) throws(MetaLearnersError) -> Int {
        try footprint(dataset, keepsTraining: spec.keepsTrainingResults)
    }

    func footprintKeepingTraining(_ dataset: CausalDataset) throws(MetaLearnersError) -> Int {
        try footprint(dataset, keepsTraining: true)
    }

    private func footprint(_ dataset: CausalDataset, keepsTraining: Bool) throws(MetaLearnersError) -> Int {
        let nuisances = nuisanceRoles(dataset)
        let effects = learner.effectRoles(armCount: dataset.armCount)
        let shared = try models.shared(nuisances, effects, dataset)
        // What models of folds predict, as it is predicted and as it is used, for whoever wants it.
        let kept =
            keepsTraining || !effects.isEmpty
            ? nuisances.count + effects.count
            : looksAtPropensities(dataset, repeats: spec.crossFitting.repeats) ? 1 : 0
        let lists = kept * dataset.armCount * 2
        let folds = spec.crossFitting.foldCount * spec.crossFitting.repeats
        let targets =
            EffectPlan.takesTargetsOfFolds(Self.traits, rows: dataset.totalRowCount, folds)
            ? effects.count * folds : 0
        return shared.values.reduce(0, +) + (lists + targets) * dataset.rowCount * 8
    }

    func planNuisances(_ request: FitRequest, _ roles: [NuisanceRole]?) throws(MetaLearnersError)
        -> any NuisanceSource
    {
        let wanted = (roles ?? nuisanceRoles(request.dataset)).filter {
            !$0.isPropensity || request.dataset.knownPropensities == nil
        }
        return try NuisancePlan(request, models, wanted.map { ($0, .folds) })
    }

    func reusable(_ nuisances: NuisanceFit, _ labels: [String]) -> NuisanceFit {
        models.reusable(nuisances, labels)
    }

    func plan(_ request: FitRequest, for purpose: FitPurpose) throws(MetaLearnersError) -> any FitPlan {
        try plan(request, for: purpose, following: nil)
    }

    func plan(_ request: FitRequest, for purpose: FitPurpose, following leader: (any FitPlan)?)
        throws(MetaLearnersError) -> any FitPlan
    {
        let armCount = request.dataset.armCount
        // Predicting new rows asks these models, refitted to all rows.
        let serving = Set(
            purpose == .newRows || purpose == .model && spec.prediction == .full
                ? learner.predictionRoles(armCount: armCount) : [])
        let ofEffects = Set(
            learner.effectRoles(armCount: armCount).isEmpty ? [] : learner.nuisanceRoles(armCount: armCount))
        var wanted: [(role: NuisanceRole, parts: CrossFitter.Parts)] = []
        // Trimming leaves rows out by their propensity, whatever the learner is made of.
        let trimming: [NuisanceRole] =
            spec.overlap.policy == .trim && !ofEffects.isEmpty ? [.propensity] : []
        let roles =
            switch purpose {
            case .model: nuisanceRoles(armCount: armCount)
            case .newRows: ofEffects.union(serving).union(trimming).sorted { $0.code < $1.code }
            case .trainingRows:
                ofEffects.union(learner.nuisanceRoles(armCount: armCount)).union(trimming).sorted {
                    $0.code < $1.code
                }
            }
        let keepsTraining = purpose != .model || request.isMember || spec.keepsTrainingResults
        for role in roles where !role.isPropensity || request.dataset.knownPropensities == nil {
            let isOfEffects = ofEffects.contains(role) || trimming.contains(role)
            let isAsked =
                keepsTraining || isOfEffects
                || role.isPropensity && looksAtPropensities(request.dataset, repeats: request.repeats.count)
            var parts: CrossFitter.Parts =
                purpose == .newRows && !isOfEffects ? [] : isAsked ? .folds : .foldModels
            if serving.contains(role) { parts.insert(.full) }
            // Trimming asks for propensities whatever the learner.
            let trims = role.isPropensity && spec.overlap.policy == .trim && !ofEffects.isEmpty
            if spec.crossFitting.inSample == .nested, trims || ofEffects.contains(role) {
                parts.insert(.pairs)
            }
            wanted.append((role, parts))
        }
        let nuisances = try NuisancePlan(
            request, models, wanted,
            keepsPredicted: keepsTraining || spec.crossFitting.inSample == .nested)
        return PlainPlan(
            learner: learner, traits: Self.traits, spec: spec, models: models, request: request,
            purpose: purpose, keepsTraining: keepsTraining,
            serving: serving, roles: wanted.map(\.role), nuisances: nuisances,
            effects: try EffectPlan(
                request, models, learner, Self.traits, nuisances,
                parts: effectParts(purpose, keepsTraining: keepsTraining),
                following: (leader as? PlainPlan)?.effects))
    }

    /// Whether a fit needs the propensity of each training row, even if nobody else does: whatever it takes to say how they stand
    /// to the bounds of the overlap policy beside counting them one by one.
    private func looksAtPropensities(_ dataset: CausalDataset, repeats: Int) -> Bool {
        spec.overlap.policy == .trim || spec.models.propensity.calibration != .none
            || repeats > 1
            // (Of covariates that are there as codes alone there is no second look.)
            || spec.overlap.check && !dataset.covariates.isCoded
    }

    /// Which fits of effect models are needed: for effects of the training rows, and for new rows.
    private func effectParts(_ purpose: FitPurpose, keepsTraining: Bool) -> CrossFitter.Parts {
        switch purpose {
        case .newRows: return .full
        case .trainingRows: return .folds
        case .model: break
        }
        let folds = keepsTraining ? CrossFitter.Parts.folds : .foldModels
        guard spec.prediction == .full else { return folds }
        return spec.crossFitting.inSample == .full ? .full : folds.union(.full)
    }
}

extension PlainStrategy: StageSharing {}

/// The fit of one meta-learner on its way.
private struct PlainPlan: FitPlan {
    let learner: any MetaLearner
    let traits: LearnerTraits
    let spec: MetaLearnerSpec
    let models: RoleModels
    let request: FitRequest
    let purpose: FitPurpose
    /// Whether the model has results for each training row.
    let keepsTraining: Bool
    let serving: Set<NuisanceRole>
    let roles: [NuisanceRole]
    let nuisances: NuisancePlan
    let effects: EffectPlan

    func schedule(in graph: inout TaskGraph) { effects.schedule(in: &graph) }

    func forget() { effects.forget() }

    func result(_ context: ExecutionContext) throws(MetaLearnersError) -> FittedLearner {
        let nuisances = try nuisances.fit()
        let effects = try effects.fits()
        let predictor = LearnerPredictor(learner: learner, effectModels: effects.map(\.fitted))
        guard purpose != .newRows else {
            let served = roles.filter(serving.contains)
            return FittedLearner(
                nuisances: nuisances, estimates: nuisances.estimates,
                fitted: FittedEffects(
                    nuisanceModels: nuisances.models(served, refitted: serving).map(\.withoutFolds),
                    predictor: predictor),
                trainingEffects: [], intervals: nil)
        }
        let dataset = request.dataset
        let estimates = nuisances.estimates(of: Set(roles))
        let fitted = FittedEffects(
            nuisanceModels: nuisances.models(roles, refitted: serving), predictor: predictor)
        let trainingEffects: [[Double]]
        if !keepsTraining {
            trainingEffects = []
        } else if spec.crossFitting.inSample == .full, purpose == .model {
            let serving = ModelServing(
                spec: spec, armLabels: dataset.treatment.labels, outcomeKind: dataset.outcome.kind,
                calibration: nuisances.calibration)
            trainingEffects = try serving.effects(
                fitted, dataset.covariates, .combined, context,
                propensities: dataset.knownPropensities == nil ? nil : estimates.propensities)
        } else {
            trainingEffects = try learner.everyEffect(
                estimates,
                EffectPredictions(
                    Dictionary(uniqueKeysWithValues: effects.map { ($0.fitted.role, $0.outOfFold) })),
                dataset.outcome.kind)
        }
        return FittedLearner(
            nuisances: nuisances, estimates: estimates, fitted: fitted, trainingEffects: trainingEffects,
            keepsTraining: keepsTraining,
            intervals: spec.prediction == .full && purpose == .model
                ? try FittedIntervals.made(
                    spec.intervals, traits, effects.map { ($0.task, $0.fitted.models.fullModel) },
                    areHonest: areHonest, context) : nil)
    }
}

extension PlainPlan {
    /// Whether the effect models of all arms keep the rows that place splits apart from those that give values.
    private var areHonest: Bool {
        learner.effectRoles(armCount: request.dataset.armCount).allSatisfy { role in
            models.parameter("honest", of: role, request.dataset.treatment.labels) == .boolean(true)
        }
    }
}

extension FittedRole {
    /// The model of all rows alone.
    fileprivate var withoutFolds: FittedRole {
        guard models.fullModel != nil else { return self }
        return FittedRole(
            role: role, models: CrossFittedModels(foldModels: [], fullModel: models.fullModel))
    }
}
