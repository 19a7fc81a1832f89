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
            fitted.models.encode(to: &writer)
        }
        archive.sections.append(("nuisances", writer.bytes))
        writer = BinaryWriter()
        PredictorArchive.encode(predictor, to: &writer)
        archive.sections.append(("predictor", writer.bytes))
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
        let outcomeCount = outcomeKind.outputCount
        let surroundings = PredictorArchive.Surroundings(
            spec: manifest.spec, armLabels: manifest.armLabels, schema: schema,
            outcomeKind: manifest.outcomeKind, registry: registry)
        nuisanceModels = try Self.read("nuisances", archive) { reader throws(MetaLearnersError) in
            var models: [FittedRole<NuisanceRole>] = []
            for _ in 0..<(try reader.readCount(elementSize: 8)) {
                guard let role = NuisanceRole(code: try reader.read(), armCount: armCount) else {
                    throw BinaryReader.corrupt("a nuisance has an unknown role")
                }
                let outputs = role.isPropensity ? armCount : outcomeCount
                models.append(
                    FittedRole(
                        role: role,
                        columns: try surroundings.columns(
                            of: manifest.spec.models.model(of: role, manifest.armLabels)),
                        models: try CrossFittedModels(from: &reader, outputCount: outputs, registry)))
            }
            return models
        }
        // Files of the first format have the effect models of a learner alone.
        if archive.section("effects") != nil {
            predictor = try Self.read("effects", archive) { reader throws(MetaLearnersError) in
                try LearnerPredictor(from: &reader, surroundings)
            }
        } else {
            predictor = try Self.read("predictor", archive) { reader throws(MetaLearnersError) in
                try PredictorArchive.decode(from: &reader, surroundings)
            }
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

    /// Checks that every nuisance model is there that prediction asks for.
    private func requireEveryRole() throws(MetaLearnersError) {
        var needed = predictor.nuisanceRoles(armCount: armLabels.count)
        if overlap.isKnown { needed.remove(.propensity) }
        guard Set(nuisanceModels.map(\.role)).isSuperset(of: needed) else {
            throw BinaryReader.corrupt("a model that the learner needs is missing")
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
}
