import MetaLearnersCore

/// The models that effects come from: those of a fit, or of one resample of its rows.
struct FittedEffects: Sendable {
    let nuisanceModels: [FittedRole<NuisanceRole>]
    let predictor: any EffectPredictor

    /// How many models of folds prediction can be asked for one by one; 0 where only models of all rows are kept.
    func foldCount(armCount: Int) -> Int {
        let roles = predictor.nuisanceRoles(armCount: armCount)
        let counts = nuisanceModels.filter { roles.contains($0.role) }.map(\.models.foldModels.count)
        return (counts + [predictor.foldCount].compactMap(\.self)).min() ?? 0
    }

    /// Whether effects of new rows, or the nuisances behind them, depend on propensities that are known by design.
    func needsPropensities(armCount: Int) -> Bool {
        predictor.needsKnownPropensities
            || predictor.nuisanceRoles(armCount: armCount).contains(.propensity) || hasDependentModels
    }

    /// Whether nuisance models depend on propensities that are known by design.
    var hasDependentModels: Bool {
        nuisanceModels.contains { $0.models.everyModel.contains { $0 is any PropensityDependent } }
    }

    /// Whether there is a model of the outcome in every arm, for effects or for averages.
    func hasArmMeans(armCount: Int) -> Bool {
        let roles = Set(nuisanceModels.map(\.role))
        return roles.contains(.joint) || (0..<armCount).allSatisfy { roles.contains(.armOutcome($0)) }
    }
}

extension FittedEffects {
    /// Writes the nuisance models, then the predictor.
    func encode(to writer: inout BinaryWriter) {
        encodeNuisances(to: &writer)
        PredictorArchive.encode(predictor, to: &writer)
    }

    /// Writes the nuisance models.
    func encodeNuisances(to writer: inout BinaryWriter) {
        writer.write(UInt64(nuisanceModels.count))
        for fitted in nuisanceModels {
            writer.write(fitted.role.code)
            fitted.models.encode(to: &writer)
        }
    }

    /// Reads what `encode` wrote.
    ///
    /// - Throws: `corruptModel`, `unsupported`.
    init(from reader: inout BinaryReader, _ model: PredictorSurroundings) throws(MetaLearnersError) {
        nuisanceModels = try Self.decodeNuisances(from: &reader, model)
        predictor = try PredictorArchive.decode(from: &reader, model)
        try requireEveryRole(model)
    }

    /// Reads nuisance models.
    ///
    /// - Throws: `corruptModel`, `unsupported`.
    static func decodeNuisances(from reader: inout BinaryReader, _ model: PredictorSurroundings)
        throws(MetaLearnersError) -> [FittedRole<NuisanceRole>]
    {
        var models: [FittedRole<NuisanceRole>] = []
        for _ in 0..<(try reader.readCount(elementSize: 8)) {
            guard let role = NuisanceRole(code: try reader.read(), armCount: model.armCount) else {
                throw BinaryReader.corrupt("a nuisance has an unknown role")
            }
            let outputs = role.isPropensity ? model.armCount : model.outcomeKind.outputCount
            models.append(
                FittedRole(
                    role: role,
                    models: try CrossFittedModels(from: &reader, outputCount: outputs, model.registry)))
        }
        return models
    }

    /// Checks that every nuisance model is there that prediction asks for, each once, and that folds are as many.
    func requireEveryRole(_ model: PredictorSurroundings) throws(MetaLearnersError) {
        let folds = Set(
            (nuisanceModels.map(\.models.foldModels.count) + [predictor.foldCount].compactMap(\.self))
                .filter { $0 > 0 })
        guard folds.count <= 1, Set(nuisanceModels.map(\.role)).count == nuisanceModels.count else {
            throw BinaryReader.corrupt("its models are not of the same folds")
        }
        var needed = predictor.nuisanceRoles(armCount: model.armCount)
        if model.knowsPropensities { needed.remove(.propensity) }
        guard Set(nuisanceModels.map(\.role)).isSuperset(of: needed) else {
            throw BinaryReader.corrupt("a model that the learner needs is missing")
        }
    }
}

/// The models of a role: one per fold and repeat, and one of all rows where that was wanted.
///
/// Which covariates they see follows from the spec of the model that they belong to.
struct FittedRole<Role: Sendable>: Sendable {
    let role: Role
    let models: CrossFittedModels
}

extension FittedRole {
    /// The warnings of the models, each once, with how many models gave it.
    func warnings(name: String) -> [String] {
        let models = models.everyModel
        var counts: [(text: String, count: Int)] = []
        for warning in models.flatMap(\.warnings) {
            if let known = counts.firstIndex(where: { $0.text == warning }) {
                counts[known].count += 1
            } else {
                counts.append((warning, 1))
            }
        }
        return counts.map { "\(name): \($0.text) (\($0.count) of \(models.count) fits)" }
    }
}

extension CrossFittedModels {
    /// Writes the models, each with the name of its backend.
    func encode(to writer: inout BinaryWriter) {
        writer.write(UInt64(foldModels.count))
        writer.write(fullModel != nil)
        for model in everyModel { model.encodeNamed(to: &writer) }
    }

    /// Reads what `encode` wrote.
    ///
    /// - Parameter outputCount: how many numbers a prediction of the role has.
    /// - Throws: `corruptModel`, `unsupported`.
    init(from reader: inout BinaryReader, outputCount: Int, _ registry: Registry)
        throws(MetaLearnersError)
    {
        let folds = try reader.readCount(elementSize: 16)
        let hasFull = try reader.readBool()
        guard folds > 0 || hasFull else { throw BinaryReader.corrupt("a role has no models") }
        var models: [any FittedEstimator] = []
        for _ in 0..<(folds + (hasFull ? 1 : 0)) {
            let model = try registry.decodeNamed(from: &reader, outputCount: outputCount)
            models.append(model)
        }
        let full = hasFull ? models.popLast() : nil
        self.init(foldModels: models, fullModel: full)
    }
}

extension Registry {
    /// Reads what `encodeNamed` wrote.
    ///
    /// - Parameters:
    ///   - outputCount: how many numbers a prediction has.
    ///   - excluded: a name that cannot stand here: a model made of models is no part of another, so that no bytes lead
    ///     into each other without end.
    /// - Throws: `corruptModel`, `unsupported`.
    package func decodeNamed(
        from reader: inout BinaryReader, outputCount: Int, excluding excluded: String? = nil
    ) throws(MetaLearnersError) -> any FittedEstimator {
        try reader.readNamed(outputCount: outputCount, excluding: excluded) {
            name, inner throws(MetaLearnersError) in
            try decode(name, from: &inner)
        }
    }
}
