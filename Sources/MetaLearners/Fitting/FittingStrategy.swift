import MetaLearnersCore

/// How a checked spec becomes a fitted model: everything there is to fit, as tasks of one graph.
///
/// A `MetaLearner` is fitted by `PlainStrategy`: nuisances, then effect models. `ensemble` and `auto` are strategies of
/// their own, and an app may register more (`Registry.registering(_:)`). Memory, threads, progress and cancellation are the
/// graph's concern, files and predictions that of the predictor.
public protocol FittingStrategy: DescribedLearner {
    /// The kinds of predictor that its models have, by which files are read.
    static var predictors: [any EffectPredictor.Type] { get }

    /// How models that no backend fitted are read from files, by the name that stands for a backend's.
    static var ownModels: [String: OwnModelReader] { get }

    /// Takes over a checked spec and finds the base learners.
    ///
    /// - Throws: `invalidSpec`, naming the key.
    init(_ spec: MetaLearnerSpec, _ registry: Registry) throws(MetaLearnersError)

    /// The spec with every default of every base learner.
    var completeSpec: SpecValue { get }

    /// The nuisances that a fit to data of so many arms has, propensities included.
    func nuisanceRoles(armCount: Int) -> [NuisanceRole]

    /// Checks that data and folds are such that all can be fitted, before anything is.
    ///
    /// - Throws: `unsupported`, `invalidSpec`, `invalidData`.
    func check(_ request: FitRequest) throws(MetaLearnersError)

    /// What the fits share and leave behind, in bytes, about.
    func footprint(_ dataset: CausalDataset) throws(MetaLearnersError) -> Int

    /// The same where results for each training row are needed whatever the spec says: of a member of a combination, or of nuisances
    /// that somebody asks for.
    func footprintKeepingTraining(_ dataset: CausalDataset) throws(MetaLearnersError) -> Int

    /// The nuisances alone.
    ///
    /// - Parameter roles: which; nil for all of the strategy.
    func planNuisances(_ request: FitRequest, _ roles: [NuisanceRole]?) throws(MetaLearnersError)
        -> any NuisanceSource

    /// Of nuisances that were fitted before, those that the strategy would fit in just the same way.
    func reusable(_ nuisances: NuisanceFit, _ labels: [String]) -> NuisanceFit

    /// Everything.
    ///
    /// - Throws: `unsupported` where a backend cannot do what its role asks, `invalidArgument` for reused nuisances of
    ///   other models or another seed.
    func plan(_ request: FitRequest, for purpose: FitPurpose) throws(MetaLearnersError) -> any FitPlan
}

/// Reads a model that no backend fitted.
public typealias OwnModelReader =
    @Sendable (inout BinaryReader, Registry) throws(MetaLearnersError) -> any FittedEstimator

extension FittingStrategy {
    public static var ownModels: [String: OwnModelReader] { [:] }

    public func footprintKeepingTraining(_ dataset: CausalDataset) throws(MetaLearnersError) -> Int {
        try footprint(dataset)
    }

    public func reusable(_ nuisances: NuisanceFit, _ labels: [String]) -> NuisanceFit {
        nuisances.selecting([])
    }
}

extension MetaLearnerSpec {
    /// The nuisances that a learner needs and those that average effects take beside them: the propensity, which also
    /// says how much overlap there is, and a model of the outcome in every arm.
    func withAverages(_ needed: [NuisanceRole], _ traits: LearnerTraits, armCount: Int) -> [NuisanceRole] {
        let ofArms: [NuisanceRole] =
            averageEffects && !traits.hasArmMeans ? (0..<armCount).map { .armOutcome($0) } : []
        return needed.filter { !$0.isPropensity } + ofArms.filter { !needed.contains($0) } + [.propensity]
    }
}

/// What a fit is for.
public enum FitPurpose: Sendable {
    /// A whole model.
    case model
    /// Effects of new rows and no more: a resample of a bootstrap, or a candidate that is judged by rows of its own.
    case newRows
    /// Effects of the training rows out of fold and no more: a candidate that is judged by them.
    case trainingRows
}

/// A strategy whose effect models may be stages of those of another plan, which has more of them.
package protocol StageSharing: FittingStrategy {
    /// What `plan(_:for:)` gives, without fitting what another plan of the same learner and nuisances has among its stages.
    ///
    /// - Parameter leader: a plan of the same request and purpose, scheduled before in the same graph.
    func plan(_ request: FitRequest, for purpose: FitPurpose, following leader: (any FitPlan)?)
        throws(MetaLearnersError) -> any FitPlan
}

/// One fit on its way through a task graph.
public protocol FitPlan: Sendable {
    /// Adds everything there is to fit to `graph`.
    func schedule(in graph: inout TaskGraph) throws(MetaLearnersError)

    /// What came out, once the graph has run.
    func result(_ context: ExecutionContext) throws(MetaLearnersError) -> FittedLearner

    /// Lets go of the effect models, once nobody asks for the result any more; nuisances that others may need stay.
    func forget()
}

extension FitPlan {
    public func forget() {}
}

/// What a fit gave.
public struct FittedLearner: Sendable {
    /// The nuisances: those of the strategy, and those that were reused.
    public let nuisances: NuisanceFit
    /// Of these, what belongs to the training rows in the model.
    public let estimates: NuisanceEstimates
    /// The models that effects of new rows come from.
    let fitted: FittedEffects
    /// For each arm but the control (and within an arm for each class), the effect for each training row; none for a fit
    /// to predict new rows.
    public let trainingEffects: [[Double]]
    /// Whether there are results for each training row: the spec may say that nobody wants any.
    let keepsTraining: Bool
    let intervals: FittedIntervals?
    /// For each arm but the control, how far the methods disagree that the learner weighs against one another: the mean square of the
    /// difference between the effects of a row by two of them; empty for a learner that is one method.
    let disagreements: [Double]

    /// Puts the result of a strategy together.
    ///
    /// - Parameters:
    ///   - roles: the nuisances whose models the model keeps.
    ///   - trainingEffects: out of fold.
    ///   - disagreements: for each arm but the control, the mean square of the difference between the effects of a row by two of
    ///     the methods that the strategy weighs; empty where it is one method.
    public init(
        _ nuisances: NuisanceFit, keeping roles: [NuisanceRole], predictor: any EffectPredictor,
        trainingEffects: [[Double]], disagreements: [Double] = []
    ) {
        self.init(
            nuisances: nuisances, estimates: nuisances.estimates(of: Set(roles)),
            fitted: FittedEffects(
                nuisanceModels: nuisances.models(roles, refitted: []), predictor: predictor),
            trainingEffects: trainingEffects, intervals: nil, disagreements: disagreements)
    }

    init(
        nuisances: NuisanceFit, estimates: NuisanceEstimates, fitted: FittedEffects,
        trainingEffects: [[Double]], keepsTraining: Bool = true, intervals: FittedIntervals?,
        disagreements: [Double] = []
    ) {
        self.nuisances = nuisances
        self.estimates = estimates
        self.fitted = fitted
        self.trainingEffects = trainingEffects
        self.keepsTraining = keepsTraining
        self.intervals = intervals
        self.disagreements = disagreements
    }
}

extension FittingStrategy {
    /// The nuisances of a fit to `dataset`: known propensities are not fitted.
    func nuisanceRoles(_ dataset: CausalDataset) -> [NuisanceRole] {
        nuisanceRoles(armCount: dataset.armCount)
            .filter { !$0.isPropensity || dataset.knownPropensities == nil }
    }

    /// Checks what the traits say that the strategy does not have.
    ///
    /// - Throws: `invalidSpec`, `unsupported`.
    package func requireTraits(_ spec: MetaLearnerSpec, _ request: FitRequest, _ registry: Registry)
        throws(MetaLearnersError)
    {
        let traits = Self.traits
        let name = Self.kind.rawValue
        let kind = request.dataset.outcome.kind
        if traits.isComposite {
            guard request.repeats.allSatisfy(\.isCrossFitted) else {
                throw MetaLearnersError(
                    .invalidSpec, at: "cross_fitting.folds",
                    "is 1, and \(name) weights its members by held-out rows",
                    remedy: "use 2 folds or more")
            }
            guard spec.crossFitting.inSample == .outOfFold else {
                throw MetaLearnersError(
                    .unsupported, at: "cross_fitting.in_sample",
                    "with \(name) the effects of training rows are always out of fold",
                    remedy: "use in_sample: out_of_fold")
            }
            guard [.none, .auto, .bootstrap, .halfSampling].contains(spec.intervals.method) else {
                throw MetaLearnersError(
                    .unsupported, at: "intervals.method",
                    "\(name) has no \(spec.intervals.method.rawValue) intervals",
                    remedy: "use half_sampling")
            }
        }
        if !traits.isComposite, [.analytic, .forest].contains(spec.intervals.method) {
            let method = spec.intervals.method
            let has = { (traits: LearnerTraits) in
                traits.form == .regression && (method == .forest || traits.hasAnalyticIntervals)
            }
            guard has(traits) else {
                throw MetaLearnersError(
                    .unsupported, at: "intervals.method",
                    "the learner '\(name)' has no \(method.rawValue) intervals",
                    remedy: "these have: " + registry.learnerNames(where: has) + "; or use half_sampling")
            }
            guard spec.prediction == .full else {
                throw MetaLearnersError(
                    .unsupported, at: "intervals.method",
                    "\(method.rawValue) intervals are those of models of all rows, and prediction is "
                        + "'\(spec.prediction.rawValue)'",
                    remedy: "use prediction: full, or intervals.method: half_sampling")
            }
        }
        guard spec.intervals.method != .halfSampling || spec.effectScale == .difference else {
            throw MetaLearnersError(
                .unsupported, at: "intervals.method", "half_sampling is for differences",
                remedy: "use bootstrap, or effect_scale: difference")
        }
        guard traits.allowsRepeats || request.repeats.count == 1 else {
            throw MetaLearnersError(
                .unsupported, at: "cross_fitting.repeats", "\(name) has no repeats",
                remedy: "use more folds: cross_fitting.folds: 10")
        }
        guard kind.effectClasses.isEmpty || traits.servesClasses else {
            throw MetaLearnersError(
                .unsupported, at: "learner",
                "the learner '\(name)' has no effects for an outcome of \(kind.classCount) classes",
                remedy: "these have: " + registry.learnerNames(where: \.servesClasses))
        }
        try spec.effectScale.require(kind)
        guard spec.effectScale == .difference || traits.isComposite || traits.hasArmMeans else {
            throw MetaLearnersError(
                .unsupported, at: "effect_scale",
                "the learner '\(name)' has no outcome model of each arm, which "
                    + "\(spec.effectScale.rawValue)s need",
                remedy: "these have: " + registry.learnerNames(where: \.hasArmMeans))
        }
    }
}
