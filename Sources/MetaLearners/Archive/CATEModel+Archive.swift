import MetaLearnersCore

extension CATEModel {
    /// The first bytes of every model file.
    public static var magic: [UInt8] { ModelArchive.magic }

    /// The bytes of the model's file: the same for the same data, spec and seed, whatever the threads.
    public func encoded() -> [UInt8] { archive.encoded() }

    /// The file's manifest and sections.
    var archive: ModelArchive {
        var archive = ModelArchive(manifest: manifest)
        var writer = BinaryWriter()
        schema.encode(to: &writer)
        archive.sections.append(("schema", writer.bytes))
        writer = BinaryWriter()
        fitted.encodeNuisances(to: &writer)
        archive.sections.append(("nuisances", writer.bytes))
        writer = BinaryWriter()
        PredictorArchive.encode(predictor, to: &writer)
        archive.sections.append(("predictor", writer.bytes))
        if let calibration {
            writer = BinaryWriter()
            calibration.encode(to: &writer)
            archive.sections.append(("calibration", writer.bytes))
        }
        if let intervals {
            writer = BinaryWriter()
            intervals.encode(to: &writer)
            archive.sections.append(("intervals", writer.bytes))
        }
        if spec.keepTraining, let training {
            writer = BinaryWriter()
            training.encode(to: &writer)
            archive.sections.append(("training", writer.bytes))
        }
        return archive
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
        let surroundings = PredictorArchive.Surroundings(
            spec: manifest.spec, armCount: armCount, outcomeKind: manifest.outcomeKind,
            knowsPropensities: manifest.overlap.isKnown, registry: registry)
        nuisanceModels = try Self.read("nuisances", archive) { reader throws(MetaLearnersError) in
            try FittedEffects.decodeNuisances(from: &reader, surroundings)
        }
        predictor = try Self.read("predictor", archive) { reader throws(MetaLearnersError) in
            try PredictorArchive.decode(from: &reader, surroundings)
        }
        calibration = try Self.readOptional("calibration", archive) { reader throws(MetaLearnersError) in
            guard let report = CalibrationReport(archive.manifest["calibration"]) else {
                throw BinaryReader.corrupt("its manifest lacks the calibration")
            }
            return try PropensityCalibration(from: &reader, report: report, armCount: armCount)
        }
        intervals = try Self.readOptional("intervals", archive) { reader throws(MetaLearnersError) in
            try FittedIntervals(from: &reader, surroundings)
        }
        training = try Self.readOptional("training", archive) { reader throws(MetaLearnersError) in
            try TrainingRecord(from: &reader, armCount: armCount, kind: manifest.outcomeKind)
        }
        nuisances = nil
        try fitted.requireEveryRole(surroundings)
    }

    /// Saves the model to one file, which is replaced whole or not at all.
    ///
    /// - Throws: `inputOutput`.
    public func save(to path: String) throws(MetaLearnersError) {
        try AtomicFile.write(encoded(), to: path)
    }

    /// Loads a model from its file.
    ///
    /// - Throws: `inputOutput`, `outOfMemory`, and what `init(bytes:registry:)` throws, with the file's name.
    public init(contentsOf path: String, registry: EstimatorRegistry = .default) throws(MetaLearnersError) {
        let bytes = try AtomicFile.read(path, beginningWith: Self.magic)
        do throws(MetaLearnersError) {
            try self.init(bytes: bytes, registry: registry)
        } catch {
            throw MetaLearnersError(error.kind, at: path, error.problem, remedy: error.remedy)
        }
    }

    private static func readOptional<Value>(
        _ name: String, _ archive: ModelArchive,
        _ body: (inout BinaryReader) throws(MetaLearnersError) -> Value
    ) throws(MetaLearnersError) -> Value? {
        archive.section(name) == nil ? nil : try read(name, archive, body)
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
