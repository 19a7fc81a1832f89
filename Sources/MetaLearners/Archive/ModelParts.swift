import MetaLearnersCore

/// The sections of a model's file as the model has them: read, and held against each other, in one place.
struct ModelParts {
    let schema: CovariateSchema
    let fitted: FittedEffects
    let calibration: PropensityCalibration?
    let intervals: FittedIntervals?
    let training: TrainingRecord?

    /// Reads the sections.
    ///
    /// - Parameter known: the training rows, where they need not be read.
    /// - Throws: `corruptModel` for sections that are damaged or belong to another model, `unsupported` for what the
    ///   registry lacks.
    init(
        _ archive: ModelArchive, _ manifest: ModelManifest, _ registry: Registry, isMember: Bool,
        training known: TrainingRecord? = nil
    ) throws(MetaLearnersError) {
        let armCount = manifest.armLabels.count
        let surroundings = PredictorSurroundings(
            spec: manifest.spec, armCount: armCount, outcomeKind: manifest.outcomeKind,
            knowsPropensities: manifest.overlap.isKnown, isMember: isMember, registry: registry)
        schema = try Self.read("schema", archive) { reader throws(MetaLearnersError) in
            try CovariateSchema(from: &reader)
        }
        let nuisanceModels = try Self.read("nuisances", archive) { reader throws(MetaLearnersError) in
            try FittedEffects.decodeNuisances(from: &reader, surroundings)
        }
        let predictor = try Self.read("predictor", archive) { reader throws(MetaLearnersError) in
            try PredictorArchive.decode(from: &reader, surroundings)
        }
        fitted = FittedEffects(nuisanceModels: nuisanceModels, predictor: predictor)
        calibration = try Self.readOptional("calibration", archive) { reader throws(MetaLearnersError) in
            guard let report = CalibrationReport(archive.manifest["calibration"]) else {
                throw BinaryReader.corrupt("its manifest lacks the calibration")
            }
            return try PropensityCalibration(from: &reader, report: report, armCount: armCount)
        }
        intervals = try Self.readOptional("intervals", archive) { reader throws(MetaLearnersError) in
            try FittedIntervals(from: &reader, surroundings)
        }
        let read = try Self.readOptional("training", archive) { reader throws(MetaLearnersError) in
            try TrainingRecord(from: &reader, armCount: armCount, kind: manifest.outcomeKind)
        }
        training = known ?? read
        try requireAgreement(manifest, surroundings)
    }

    /// Checks that the sections are of one model.
    private func requireAgreement(_ manifest: ModelManifest, _ model: PredictorSurroundings)
        throws(MetaLearnersError)
    {
        try fitted.requireEveryRole(model)
        let traits = model.registry.traits(of: manifest.spec.learner) ?? LearnerTraits()
        func require(_ condition: Bool, _ problem: String) throws(MetaLearnersError) {
            guard condition else { throw BinaryReader.corrupt(problem) }
        }
        try require(
            manifest.outcomeKind.effectClasses.isEmpty || traits.servesClasses,
            "its learner has no effects on classes")
        try require(
            Set(manifest.armLabels).count == manifest.armLabels.count
                && manifest.overlap.arms.allSatisfy { manifest.armLabels.contains($0.label) },
            "its arms are not those of its overlap")
        if let intervals {
            let hasForm = traits.form == .regression && fitted.predictor is LearnerPredictor
            switch intervals {
            case .bootstrap(let samples), .halfSampling(let samples, _):
                let kind = type(of: fitted.predictor).tag
                try require(
                    samples.allSatisfy { type(of: $0.predictor).tag == kind },
                    "its resamples are of another learner")
            case .analytic, .forest: try require(hasForm, "its learner has no such intervals")
            }
        }
        if let training {
            // Clusters are numbered over the rows of all processes of the fit.
            guard training.clusters?.allSatisfy({ $0 < manifest.armCounts.reduce(0, +) }) ?? true else {
                throw BinaryReader.corrupt("the clusters make no sense")
            }
            var counts = [Int](repeating: 0, count: model.armCount)
            for arm in training.arms { counts[Int(arm)] += 1 }
            // One of several processes has a part of them.
            try require(
                zip(counts, manifest.armCounts).allSatisfy(<=),
                "its training rows are those of another model")
            try require(
                counts != manifest.armCounts || training.repeats.allSatisfy(\.hasRowsInEveryFold),
                "the folds make no sense")
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

extension CATEModel {
    /// Checks that the model could be read back from its file, by the reader's own checks.
    ///
    /// - Throws: `numericalFailure` where numbers within are beyond what a model may have.
    /// - Complexity: that of writing and reading the models within; next to a fit it is nothing.
    func requireReadable() throws(MetaLearnersError) {
        do throws(MetaLearnersError) {
            // The training rows stand in the file as they stand in memory, where they can be looked at.
            let training = spec.keepTraining ? training : nil
            try training?.requireConsistent(armCount: armLabels.count, outcomeKind)
            var archive = self.archive(withTraining: false)
            let text = SpecValue.object(archive.manifest).json()
            archive.manifest = try SpecValue(json: text.utf8, source: "manifest").objectValue ?? SpecObject()
            _ = try ModelParts(
                archive, ModelManifest(archive.manifest), registry, isMember: false, training: training)
        } catch {
            throw MetaLearnersError(
                .numericalFailure, at: "fit",
                "the model could not be read back from a file (\(error.problem)): numbers are too large or too small",
                remedy: "bring outcome, covariates and weights to a scale near 1")
        }
    }

    /// The file's manifest and sections.
    func archive(withTraining: Bool = true) -> ModelArchive {
        var archive = ModelArchive(manifest: manifest)
        func add(_ name: String, bytes: Int = 0, _ write: (inout BinaryWriter) -> Void) {
            var writer = BinaryWriter(capacity: bytes)
            write(&writer)
            archive.sections.append((name, writer.bytes))
        }
        add("schema") { schema.encode(to: &$0) }
        add("nuisances") { fitted.encodeNuisances(to: &$0) }
        add("predictor") { PredictorArchive.encode(predictor, to: &$0) }
        if let calibration { add("calibration") { calibration.encode(to: &$0) } }
        if let intervals { add("intervals") { intervals.encode(to: &$0) } }
        if withTraining, spec.keepTraining, let training {
            add("training", bytes: training.byteCount) { training.encode(to: &$0) }
        }
        return archive
    }
}
