/// A base learner whose fit passes through a path of models, from simple to complex: rounds of boosting, or the
/// penalties of a regularisation path from strong to weak.
///
/// One fit gives the whole path, so that choosing how far to go along it (by out-of-fold loss, say) costs one fit.
/// Its backend has the capability `staged`.
public protocol StagedEstimator: BaseEstimator {
    /// Learns from the rows of `task` along the whole path.
    ///
    /// Stages count alike in every fit of one spec: stage s is as complex as spec and task make it, whatever the rows.
    /// What would end the path early by itself, such as early stopping, is not applied.
    ///
    /// - Throws: what `fit` throws.
    func fitPath(_ task: TrainingTask, _ context: ExecutionContext) throws(MetaLearnersError)
        -> any StagedModel
}

/// A fitted estimator that can also predict as the simpler models on the way to it did.
public protocol StagedModel: FittedEstimator {
    /// The last stage. Stages are 0 (the simplest: for boosting, no tree at all) to this one, the model itself.
    var stageCount: Int { get }

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
