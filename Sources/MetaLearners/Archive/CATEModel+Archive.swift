import MetaLearnersCore

extension CATEModel {
    /// The first bytes of every model file.
    public static var magic: [UInt8] { ModelArchive.magic }

    /// The bytes of the model's file: the same for the same data, spec and seed, whatever the threads.
    public func encoded() -> [UInt8] {
        var archive = ModelArchive(manifest: manifest)
        var writer = BinaryWriter()
        schema.encode(to: &writer)
        archive.sections.append(("schema", writer.bytes))
        writer = BinaryWriter()
        writer.write(UInt64(nuisanceModels.count))
        for fitted in nuisanceModels {
            writer.write(fitted.role.code)
            Self.encode(fitted.models, to: &writer)
        }
        archive.sections.append(("nuisances", writer.bytes))
        writer = BinaryWriter()
        writer.write(UInt64(effectModels.count))
        for fitted in effectModels {
            writer.write(UInt32(fitted.role.arm))
            writer.write(fitted.role.part.rawValue)
            Self.encode(fitted.models, to: &writer)
        }
        archive.sections.append(("effects", writer.bytes))
        if spec.keepTraining, let training {
            writer = BinaryWriter()
            training.encode(to: &writer)
            archive.sections.append(("training", writer.bytes))
        }
        return archive.encoded()
    }

    /// Reads the bytes of a model's file.
    ///
    /// - Throws: `corruptModel` for bytes that are damaged, `incompatibleModel` for a file of a later format,
    ///   `unsupported` for a backend that `registry` lacks.
    public init(bytes: [UInt8], registry: EstimatorRegistry = .default) throws(MetaLearnersError) {
        let archive = try ModelArchive(bytes)
        let manifest = try ModelManifest(archive.manifest)
        spec = manifest.spec
        completeSpec =
            (try? MetaLearnerFitter(manifest.spec, registry: registry))?.completeSpec ?? manifest.completeSpec
        armLabels = manifest.armLabels
        armCounts = manifest.armCounts
        armShares = manifest.armShares
        outcomeKind = manifest.outcomeKind
        overlap = manifest.overlap
        warnings = manifest.warnings
        let armCount = armLabels.count
        schema = try Self.read("schema", archive) { reader throws(MetaLearnersError) in
            try CovariateSchema(from: &reader)
        }
        nuisanceModels = try Self.read("nuisances", archive) { reader throws(MetaLearnersError) in
            var models: [FittedRole<NuisanceRole>] = []
            for _ in 0..<(try reader.readCount(elementSize: 8)) {
                guard let role = NuisanceRole(code: try reader.read(), armCount: armCount) else {
                    throw BinaryReader.corrupt("a nuisance has an unknown role")
                }
                models.append(FittedRole(role: role, models: try Self.decodeFit(from: &reader, registry)))
            }
            return models
        }
        effectModels = try Self.read("effects", archive) { reader throws(MetaLearnersError) in
            var models: [FittedRole<EffectRole>] = []
            for _ in 0..<(try reader.readCount(elementSize: 5)) {
                let arm = Int(try reader.read(UInt32.self))
                guard let part = EffectRole.Part(rawValue: try reader.read()), arm > 0, arm < armCount else {
                    throw BinaryReader.corrupt("an effect has an unknown role")
                }
                models.append(
                    FittedRole(
                        role: EffectRole(arm: arm, part: part),
                        models: try Self.decodeFit(from: &reader, registry)))
            }
            return models
        }
        if archive.section("training") != nil {
            training = try Self.read("training", archive) { reader throws(MetaLearnersError) in
                try TrainingRecord(from: &reader, armCount: armCount)
            }
        } else {
            training = nil
        }
        nuisances = nil
        try requireEveryRole()
    }

    /// Saves the model to one file, which is replaced whole or not at all.
    ///
    /// - Throws: `inputOutput`.
    public func save(to path: String) throws(MetaLearnersError) {
        try AtomicFile.write(encoded(), to: path)
    }

    /// Loads a model from its file.
    ///
    /// - Throws: `inputOutput`, and what `init(bytes:registry:)` throws, with the file's name.
    public init(contentsOf path: String, registry: EstimatorRegistry = .default) throws(MetaLearnersError) {
        let bytes = try AtomicFile.read(path)
        do throws(MetaLearnersError) {
            try self.init(bytes: bytes, registry: registry)
        } catch {
            throw MetaLearnersError(error.kind, at: path, error.problem, remedy: error.remedy)
        }
    }

    /// Checks that every model is there that prediction asks for.
    private func requireEveryRole() throws(MetaLearnersError) {
        let learner = spec.learner.learner
        var needed = Set(learner.predictionRoles(armCount: armLabels.count))
        if overlap.isKnown { needed.remove(.propensity) }
        let nuisances = Set(nuisanceModels.map(\.role))
        let effects = Set(effectModels.map(\.role))
        guard nuisances.isSuperset(of: needed),
            effects.isSuperset(of: learner.effectRoles(armCount: armLabels.count))
        else {
            throw BinaryReader.corrupt("a model that the learner needs is missing")
        }
        try requireOutputs()
    }

    /// Checks that each model predicts as many numbers as its role has.
    private func requireOutputs() throws(MetaLearnersError) {
        let outcomes = outcomeKind.isBinary ? 2 : 1
        for fitted in nuisanceModels {
            let count = fitted.role.isPropensity ? armLabels.count : outcomes
            guard fitted.models.everyModel.allSatisfy({ $0.outputCount == count }) else {
                throw BinaryReader.corrupt("a nuisance model has the wrong number of outputs")
            }
        }
        for fitted in effectModels where !fitted.models.everyModel.allSatisfy({ $0.outputCount == 1 }) {
            throw BinaryReader.corrupt("an effect model has the wrong number of outputs")
        }
    }

    private static func read<Value>(
        _ name: String, _ archive: ModelArchive,
        _ body: (inout BinaryReader) throws(MetaLearnersError) -> Value
    ) throws(MetaLearnersError) -> Value {
        guard let bytes = archive.section(name) else {
            throw BinaryReader.corrupt("it has no section '\(name)'")
        }
        var reader = BinaryReader(bytes[...])
        let value = try body(&reader)
        guard reader.remaining == 0 else { throw BinaryReader.corrupt("section '\(name)' is too long") }
        return value
    }

    private static func encode(_ fit: CrossFittedModels, to writer: inout BinaryWriter) {
        writer.write(UInt64(fit.foldModels.count))
        writer.write(fit.fullModel != nil)
        for model in fit.everyModel {
            writer.write(model.backendName)
            var inner = BinaryWriter()
            model.encode(to: &inner)
            writer.write(inner.bytes)
        }
    }

    private static func decodeFit(from reader: inout BinaryReader, _ registry: EstimatorRegistry)
        throws(MetaLearnersError) -> CrossFittedModels
    {
        let folds = try reader.readCount(elementSize: 16)
        let hasFull = try reader.readBool()
        guard folds > 0 || hasFull else { throw BinaryReader.corrupt("a role has no models") }
        var models: [any FittedEstimator] = []
        for _ in 0..<(folds + (hasFull ? 1 : 0)) {
            let backend = try reader.readString()
            let count = try reader.readCount(elementSize: 1)
            var inner = BinaryReader(try reader.readBytes(count))
            models.append(try registry.decode(backend, from: &inner))
            guard inner.remaining == 0 else { throw BinaryReader.corrupt("a model is longer than it says") }
        }
        let full = hasFull ? models.popLast() : nil
        return CrossFittedModels(foldModels: models, fullModel: full)
    }
}
