import MetaLearnersCore

/// The predictor of a single learner: its effect models, and how effects follow from them and from nuisances.
struct LearnerPredictor: EffectPredictor {
    static let tag = "learner"

    let learner: any MetaLearner
    let effectModels: [FittedRole<EffectRole>]

    func nuisanceRoles(armCount: Int) -> Set<NuisanceRole> {
        Set(learner.predictionRoles(armCount: armCount))
    }

    var foldCount: Int? { effectModels.map(\.models.foldModels.count).min() }

    var backendNames: Set<String> {
        Set(effectModels.compactMap { $0.models.everyModel.first?.backendName })
    }

    func effects(_ input: PredictorInput, _ context: ExecutionContext) throws(MetaLearnersError)
        -> [[Double]]
    {
        var effects: [EffectRole: [Double]] = [:]
        for fitted in effectModels {
            let placed = input.spec.models.model(of: fitted.role, input.armLabels)
            effects[fitted.role] = try fitted.models.predict(
                ModelsSpec.features(placed, in: input.features), input.selection, input.spec.prediction,
                context)
        }
        return try learner.everyEffect(input.nuisances, EffectPredictions(effects), input.outcomeKind)
    }

    func parts(_ labels: [String]) -> [ModelPart] {
        effectModels.map { ModelPart($0, name: $0.role.name(labels)) }
    }

    func warnings(_ labels: [String]) -> [String] {
        effectModels.flatMap { $0.warnings(name: $0.role.name(labels)) }
    }

    func encode(to writer: inout BinaryWriter) {
        writer.write(UInt64(effectModels.count))
        for fitted in effectModels {
            writer.write(UInt32(fitted.role.arm))
            writer.write(fitted.role.part.rawValue)
            fitted.models.encode(to: &writer)
        }
    }
}

extension LearnerPredictor {
    init(from reader: inout BinaryReader, _ model: PredictorSurroundings) throws(MetaLearnersError) {
        guard let learner = model.registry.metaLearner(of: model.spec) else {
            throw BinaryReader.corrupt("its learner '\(model.spec.learner.rawValue)' has no effect models")
        }
        self.learner = learner
        var models: [FittedRole<EffectRole>] = []
        for _ in 0..<(try reader.readCount(elementSize: 5)) {
            let arm = Int(try reader.read(UInt32.self))
            guard let part = EffectRole.Part(rawValue: try reader.read()), arm > 0,
                arm < model.armCount
            else {
                throw BinaryReader.corrupt("an effect has an unknown role")
            }
            let role = EffectRole(arm: arm, part: part)
            models.append(
                FittedRole(
                    role: role,
                    models: try CrossFittedModels(
                        from: &reader, outputCount: part == .joint ? model.armCount - 1 : 1,
                        model.registry)))
        }
        effectModels = models
        guard models.map(\.role) == learner.effectRoles(armCount: model.armCount) else {
            throw BinaryReader.corrupt("its effect models are not those of its learner")
        }
    }
}
