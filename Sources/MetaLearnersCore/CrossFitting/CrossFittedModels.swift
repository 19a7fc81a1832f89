/// The models of one role: one per fold and repeat, each fitted without that fold, and one of all rows where that was
/// wanted.
public struct CrossFittedModels: Sendable {
    /// The models of the folds: those of the first repeat in the order of its folds, then those of the next.
    public let foldModels: [any FittedEstimator]
    /// The model of all rows; nil where there is none.
    public let fullModel: (any FittedEstimator)?

    /// Creates a set of models.
    public init(foldModels: [any FittedEstimator], fullModel: (any FittedEstimator)?) {
        self.foldModels = foldModels
        self.fullModel = fullModel
    }

    /// The models of the folds, then that of all rows.
    public var everyModel: [any FittedEstimator] { foldModels + [fullModel].compactMap(\.self) }

    /// How many stages the models of folds have, where they have any: a path that ended before has fewer than the others.
    package var chosenStage: Int? { foldModels.compactMap { ($0 as? any StagedModel)?.stageCount }.max() }
}
