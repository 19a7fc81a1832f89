import MetaLearnersCore

extension FittedIntervals {
    /// Writes the section `intervals` of a model file.
    func encode(to writer: inout BinaryWriter) {
        writer.write(method.rawValue)
        switch self {
        case .bootstrap(let samples):
            writer.write(UInt64(samples.count))
            for sample in samples { sample.encode(to: &writer) }
        case .analytic(let covariances):
            writer.write(UInt64(covariances.count))
            for covariance in covariances { writer.write(covariance) }
        case .forest: break
        }
    }

    /// Reads what `encode` wrote.
    ///
    /// - Throws: `corruptModel`, `unsupported` for a backend that is not registered.
    init(from reader: inout BinaryReader, _ model: PredictorArchive.Surroundings) throws(MetaLearnersError) {
        switch IntervalSpec.Method(rawValue: try reader.readString()) {
        case .bootstrap:
            var samples: [FittedEffects] = []
            for _ in 0..<(try reader.readCount(elementSize: 16)) {
                samples.append(try FittedEffects(from: &reader, model))
            }
            guard !samples.isEmpty else { throw BinaryReader.corrupt("the intervals have no resamples") }
            self = .bootstrap(samples)
        case .analytic:
            var covariances: [[Double]] = []
            for _ in 0..<(try reader.readCount(elementSize: 8)) {
                covariances.append(try reader.readDoubles())
            }
            guard covariances.count == model.armCount - 1,
                covariances.allSatisfy({ $0.allSatisfy(\.isFinite) })
            else {
                throw BinaryReader.corrupt("the covariances of the effects make no sense")
            }
            self = .analytic(covariances)
        case .forest: self = .forest
        case .auto, .none?, nil: throw BinaryReader.corrupt("the intervals are of an unknown kind")
        }
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
    init(from reader: inout BinaryReader, _ model: PredictorArchive.Surroundings) throws(MetaLearnersError) {
        nuisanceModels = try Self.decodeNuisances(from: &reader, model)
        predictor = try PredictorArchive.decode(from: &reader, model)
        try requireEveryRole(model)
    }

    /// Reads nuisance models.
    ///
    /// - Throws: `corruptModel`, `unsupported`.
    static func decodeNuisances(from reader: inout BinaryReader, _ model: PredictorArchive.Surroundings)
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

    /// Checks that every nuisance model is there that prediction asks for.
    func requireEveryRole(_ model: PredictorArchive.Surroundings) throws(MetaLearnersError) {
        var needed = predictor.nuisanceRoles(armCount: model.armCount)
        if model.knowsPropensities { needed.remove(.propensity) }
        guard Set(nuisanceModels.map(\.role)).isSuperset(of: needed) else {
            throw BinaryReader.corrupt("a model that the learner needs is missing")
        }
    }
}
