/// A base learner whose fit passes through a path of models, from simple to complex: rounds of boosting, or the
/// penalties of a regularisation path from strong to weak.
///
/// One fit gives the whole path, so that choosing how far to go along it (by out-of-fold loss, say) costs one fit.
/// Its backend has the capability `staged`.
public protocol StagedEstimator: BaseEstimator {
    /// The parameter that says how many stages a fit has; nil where none does.
    static var stageParameter: String? { get }

    /// Whether `fit` gives the last stage of `fitPath`, so that a fit with more stages holds this one; false where something,
    /// such as early stopping, may end it before.
    var fitsWholePath: Bool { get }

    /// Learns from the rows of `task` along the whole path.
    ///
    /// Stages count alike in every fit of one spec: stage s is as complex as spec and task make it, whatever the rows.
    /// What would end the path early by itself, such as early stopping, is not applied.
    ///
    /// - Throws: what `fit` throws.
    func fitPath(_ task: TrainingTask, _ context: ExecutionContext) throws(MetaLearnersError)
        -> any StagedModel
}

extension StagedEstimator {
    public static var stageParameter: String? { nil }
    public var fitsWholePath: Bool { false }
}

/// A staged base learner that may leave the number of its stages to rows held out: `trees: auto`.
///
/// Whoever holds rows out asks for each path and for the losses of those rows along it, adds the losses of all folds up and fits
/// models of the stage with the least sum. `fit` alone, for which nobody holds anything out, takes a number of stages of its own.
public protocol StageChoosingEstimator: StagedEstimator {
    /// Whether this estimator's spec leaves the number of stages open.
    var choosesStages: Bool { get }

    /// Learns along the path until its end, or until the loss of `judges` has not fallen for long.
    ///
    /// - Parameter judges: rows of the task's features that are not among its rows, ascending; their targets and weights count.
    /// - Throws: what `fit` throws.
    func fitPath(_ task: TrainingTask, judgedBy judges: [Int32], _ context: ExecutionContext)
        throws(MetaLearnersError) -> JudgedPath

    /// Learns so many stages, whatever the spec says of their number.
    ///
    /// - Throws: what `fit` throws.
    func fit(_ task: TrainingTask, stages: Int, _ context: ExecutionContext) throws(MetaLearnersError)
        -> any StagedModel
}

/// A path of models, and how well each stage of it predicts rows held out.
public struct JudgedPath: Sendable {
    /// The model at the end of the path.
    public let model: any StagedModel
    /// The total loss of the rows held out at stage 0, 1, …, up to a constant; as at the last for stages beyond the list. Empty
    /// where there are no such rows, or nothing but stage 0: the model is of no use then.
    public let losses: [Double]

    /// Creates a judged path.
    public init(model: any StagedModel, losses: [Double]) {
        self.model = model
        self.losses = losses
    }

    /// The stage at which the losses of several paths add up to least, the simplest of equal ones. Paths with a loss that is no
    /// finite number say nothing.
    public static func bestStage(of losses: [[Double]]) -> Int {
        let known = losses.filter { path in !path.isEmpty && path.allSatisfy { $0.isFinite } }
        var best = (stage: 0, loss: Double.infinity)
        for stage in 0..<(known.map(\.count).max() ?? 0) {
            let loss = known.reduce(0) { $0 + $1[min(stage, $1.count - 1)] }
            if loss < best.loss { best = (stage, loss) }
        }
        return best.stage
    }
}

extension BaseEstimator {
    /// Which stage of a fit of `other` to the same task this estimator's fit is: nil where it is none, because they differ in
    /// more than the number of stages, or `other` ends before.
    package func stage(along other: any BaseEstimator) -> Int? {
        guard let own = self as? any StagedEstimator, own.fitsWholePath,
            let other = other as? any StagedEstimator, other.fitsWholePath,
            backend.name == other.backend.name, let key = type(of: own).stageParameter,
            var mine = spec.specValue.objectValue, var others = other.spec.specValue.objectValue,
            let stage = mine[key]?.integerValue, let last = others[key]?.integerValue, stage <= last
        else { return nil }
        mine[key] = nil
        others[key] = nil
        return mine == others ? stage : nil
    }
}

/// A fitted estimator that can also predict as the simpler models on the way to it did.
public protocol StagedModel: FittedEstimator {
    /// The last stage. Stages are 0 (the simplest: for boosting, no tree at all) to this one, the model itself.
    var stageCount: Int { get }

    /// Whether stages say anything: false for a model that was made at once, and has no other stage than itself.
    var passedThroughStages: Bool { get }

    /// Predicts the named rows as each of several stages would, in one pass.
    ///
    /// - Parameters:
    ///   - features: columns by position, of the kinds trained on.
    ///   - rows: which rows, nil for all.
    ///   - stages: ascending, each once; stages beyond the last count as the last.
    ///   - context: threads to use, and whether to stop.
    /// - Returns: for each stage what `predict` would give of `truncated(to:)`, to the bit.
    /// - Throws: `invalidArgument` for stages that are negative or not ascending, and what `predict` throws.
    func predictStages(
        _ features: Table, rows: [Int32]?, stages: [Int], _ context: ExecutionContext
    ) throws(MetaLearnersError) -> [[Double]]

    /// The model as it was at `stage`; stages beyond the last are the model itself.
    ///
    /// - Throws: `invalidArgument` for a negative stage.
    func truncated(to stage: Int) throws(MetaLearnersError) -> any StagedModel
}

extension StagedModel {
    /// Models are made in stages, unless they say otherwise.
    public var passedThroughStages: Bool { true }

    /// Checks that `stages` can be predicted.
    ///
    /// - Throws: `invalidArgument` for stages that are negative or not ascending.
    public func requireAscending(_ stages: [Int]) throws(MetaLearnersError) {
        var previous = -1
        for stage in stages {
            guard stage > previous else {
                throw MetaLearnersError(
                    .invalidArgument, at: "stages", "must be ascending, each once, and not negative")
            }
            previous = stage
        }
    }
}
