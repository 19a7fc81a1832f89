import MetaLearnersCore

/// The models of one role within a fitted model, as those see them who look into it.
public struct ModelPart: Sendable, Equatable {
    /// The role, such as "outcome of arm 'control'".
    public let name: String
    /// The backend that fitted it.
    public let backend: String
    /// How many models of folds there are.
    public let foldModels: Int
    /// Whether there is a model of all rows.
    public let hasFullModel: Bool
    /// How many bytes the models take in the file.
    public let bytes: Int
    /// How many stages the models have, such as rounds of boosting: as named, or as the rows held out chose; nil where they have none.
    public let stages: Int?
    /// What is worth knowing of each model (`FittedEstimator.summary`), such as the weights of a stack: those of folds, then that of all
    /// rows; empty where there is nothing.
    public let summaries: [SpecObject]
    /// Whether the effects are made of it. Other models serve the average effects alone: the learner's formula knows nothing
    /// of them.
    public let servesEffects: Bool

    init<Role>(_ fitted: FittedRole<Role>, name: String, servesEffects: Bool = true) {
        self.name = name
        self.servesEffects = servesEffects
        backend = fitted.models.everyModel.first?.backendName ?? ""
        foldModels = fitted.models.foldModels.count
        hasFullModel = fitted.models.fullModel != nil
        let staged = fitted.models.everyModel.compactMap { $0 as? any StagedModel }
        stages =
            staged.allSatisfy(\.passedThroughStages)
            ? fitted.models.chosenStage ?? (fitted.models.fullModel as? any StagedModel)?.stageCount : nil
        let summaries = fitted.models.everyModel.map(\.summary)
        self.summaries = summaries.contains { !$0.isEmpty } ? summaries : []
        bytes = fitted.models.everyModel.reduce(0) { total, model in
            var writer = BinaryWriter()
            model.encode(to: &writer)
            return total + writer.bytes.count
        }
    }

    /// Creates the description of a part.
    public init(
        name: String, backend: String, foldModels: Int, hasFullModel: Bool, bytes: Int, stages: Int? = nil
    ) {
        self.name = name
        self.backend = backend
        self.foldModels = foldModels
        self.hasFullModel = hasFullModel
        self.bytes = bytes
        self.stages = stages
        summaries = []
        servesEffects = true
    }

    /// What the part is for, in words.
    public var purpose: String { servesEffects ? "effects" : "average effects" }

    /// The part as results have it.
    public var specValue: SpecValue {
        var object: SpecObject = [
            "role": .string(name), "backend": .string(backend), "fold_models": .integer(foldModels),
            "full_model": .boolean(hasFullModel), "bytes": .integer(bytes),
            "serves": .string(purpose), "stages": stages.map { .integer($0) } ?? .null,
        ]
        if !summaries.isEmpty { object["models"] = .array(summaries.map { .object($0) }) }
        return .object(object)
    }
}
