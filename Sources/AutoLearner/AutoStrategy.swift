import MetaLearners
import MetaLearnersCore

/// `auto`: a strong estimate without tuning.
///
/// Nuisances are stacked out of trees, ridge and a lasso on curves and products; sixteen candidates for the effect (a
/// constant, S-, T-, R- and X-learners on these, and a Bayesian causal forest), whatever the spec adds under `auto.also`, and the best mixture of all
/// are combined by weights that fall exponentially with their out-of-fold R-loss (`ExponentialWeights`). `AutoMember.all` is the table of what is
/// fitted, `AutoEffect` makes candidates of it.
package struct AutoStrategy: FittingStrategy {
    package static let kind = LearnerKind.auto
    package static let traits = LearnerTraits(
        .combination, hasArmMeans: true, bringsModels: true, isComposite: true, allowsRepeats: false,
        isCollective: true)
    package static let predictors: [any EffectPredictor.Type] = [AutoPredictor.self]
    package static let ownModels: [String: OwnModelReader] = [BlendedModel.backendName: BlendedModel.decode]

    package static let reference = LearnerReference(
        target: "–", weight: "–",
        effect: "sixteen candidates (a constant, S, T, BCF, R and X), weighted by their out-of-fold R-loss",
        citation: "Nie & Wager 2021, arXiv 1712.04912, §4.2")

    private let spec: MetaLearnerSpec
    private let registry: Registry
    private let also: [MetaLearnerFitter]
    /// The numbers, where they are not those of the dataset's size.
    var settings: AutoSettings?

    package init(_ spec: MetaLearnerSpec, _ registry: Registry) throws(MetaLearnersError) {
        self.spec = spec
        self.registry = registry
        try Self.requireOwnModels(spec, registry)
        let place = SpecPath.root.appending("auto").appending("also")
        also = try spec.auto.also.enumerated().map { index, member throws(MetaLearnersError) in
            let place = place.appending("\(index)")
            let member = try spec.member(
                member, of: Self.kind, models: spec.calibrationAlone, at: place, registry)
            guard registry.traits(of: member.learner)?.isComposite == false else {
                throw place.error(
                    "\(member.learner.rawValue) combines learners itself", remedy: "name its members instead")
            }
            return try MetaLearnerFitter(member, registry: registry)
        }
        // What is missing is told before any data are read.
        _ = try AutoEstimators(AutoSettings(rowCount: 1), armCounts: [], registry)
    }

    package var completeSpec: SpecValue {
        var object = spec.archivedValue
        object["models"] = spec.calibrationAlone.isEmpty ? nil : .object(spec.calibrationAlone)
        return .object(object)
    }

    /// Checks that a spec asks for no base learners: they would not be used. The propensity's calibration it may choose.
    private static func requireOwnModels(_ spec: MetaLearnerSpec, _ registry: Registry)
        throws(MetaLearnersError)
    {
        let remedy = "leave it out, or name a learner that uses it, such as learner: dr"
        var given = try RoleModels(spec, registry).completeModels
        given.propensity.calibration = .none
        let standard = try RoleModels(MetaLearnerSpec(), registry).completeModels
        for (model, place) in given.everyModel
        where !standard.everyModel.contains(where: { $0.place == place && $0.model == model }) {
            // (An arm's models are named by the arm.)
            let arm = given.arms.first { place.description.hasPrefix("models.arms.\($0.label).") }
            let place = arm.map {
                SpecPath.root.appending("models").appending("arms").appending($0.label)
            }
            throw (place ?? SpecPath.root.appending("models").appending(Self.role(of: model, in: given)))
                .error(
                    "is given, and the learner auto brings models of its own", remedy: remedy)
        }
    }

    private static func role(of model: RoleModelSpec, in models: ModelsSpec) -> String {
        models.outcome == model ? "outcome" : models.propensity == model ? "propensity" : "effect"
    }

    package func nuisanceRoles(armCount: Int) -> [NuisanceRole] {
        (0..<armCount).map { .armOutcome($0) } + [.propensity]
    }

    package func check(_ request: FitRequest) throws(MetaLearnersError) {
        try requireTraits(spec, request, registry)
        for member in also { try member.check(request) }
    }

    package func footprint(_ dataset: CausalDataset) throws(MetaLearnersError) -> Int {
        let settings = settings(dataset)
        let estimators = try AutoEstimators(settings, armCounts: dataset.armCounts, registry)
        let members = AutoMember.all(settings, knowsPropensities: dataset.knownPropensities != nil)
        let design = type(of: estimators.design)
        let bound = AutoDesign.widthBound(dataset, estimators.design, settings)
        var bytes = min(
            design.designBytes(dataset.covariates, .splinesInteractions), 8 * bound * dataset.rowCount)
        // Boosted trees share their bins, and Bayesian trees have fewer.
        let isBoosted: (AutoMember) -> Bool = { if case .trees = $0.method { true } else { false } }
        let isBayesian: (AutoMember) -> Bool = { if case .bart = $0.method { true } else { false } }
        for member in [members.first(where: isBoosted), members.first(where: isBayesian)].compactMap(\.self) {
            bytes += try estimators.estimator(member, arm: 1).footprint(
                rows: dataset.rowCount, of: dataset.covariates, for: .regression
            ).shared
        }
        // Of every member the predictions out of fold.
        bytes += members.count * (dataset.armCount - 1) * 3 * dataset.rowCount * 8
        for member in also { bytes += try member.strategy.footprintKeepingTraining(dataset) }
        return bytes
    }

    func settings(_ dataset: CausalDataset) -> AutoSettings {
        settings ?? AutoSettings(dataset)
    }

    /// What decides the nuisances beside data and folds.
    private var origin: String { "auto \(spec.seed)" }

    package func reusable(_ nuisances: NuisanceFit, _ labels: [String]) -> NuisanceFit {
        nuisances.particular?.origin == origin ? nuisances : nuisances.selecting([])
    }

    package func planNuisances(_ request: FitRequest, _ roles: [NuisanceRole]?) throws(MetaLearnersError)
        -> any NuisanceSource
    {
        let own = nuisanceRoles(armCount: request.dataset.armCount)
        if let other = roles?.first(where: { !own.contains($0) }) {
            throw MetaLearnersError(
                .unsupported, at: "roles",
                "auto has no nuisance of the \(other.name(request.dataset.treatment.labels))",
                remedy: "leave the roles out, or fit them by a learner that has them")
        }
        return AutoNuisanceSource(whole: try autoFit(request, also: []))
    }

    package func plan(_ request: FitRequest, for purpose: FitPurpose) throws(MetaLearnersError) -> any FitPlan
    {
        var members: [(fitter: MetaLearnerFitter, plan: any FitPlan)] = []
        for member in also {
            members.append((member, try member.strategy.plan(request.ofMember, for: .model)))
        }
        return try autoFit(request, also: members)
    }

    private func autoFit(
        _ request: FitRequest, also: [(fitter: MetaLearnerFitter, plan: any FitPlan)]
    ) throws(MetaLearnersError) -> AutoFit {
        if let reused = request.reused, !reused.roles.isEmpty, reused.particular?.origin != origin {
            throw MetaLearnersError(
                .invalidArgument, at: "nuisances", "were not fitted by auto with this seed",
                remedy:
                    "auto stacks its nuisances itself: leave them out, or give those of an auto that was fitted to the same rows"
            )
        }
        let settings = settings(request.dataset)
        return AutoFit(
            request, spec, settings,
            try AutoEstimators(settings, armCounts: request.dataset.armCounts, registry), origin: origin,
            also: also)
    }
}
