import MetaLearnersCore

/// A fitted learner: it predicts effects for new rows and knows those of its training rows.
///
/// Immutable; any number of threads may use one at once.
public struct CATEModel: Sendable {
    /// The spec it was fitted with.
    public let spec: MetaLearnerSpec
    /// The spec with every default of every base learner.
    public let completeSpec: SpecValue
    /// The arms, the control first.
    public let armLabels: [String]
    /// Whether the outcome was numbers, counts, 0 and 1, or classes.
    public let outcomeKind: Outcome.Kind
    /// The columns that it needs to predict.
    public let schema: CovariateSchema
    /// How many rows it was fitted to, by arm.
    public let armCounts: [Int]
    /// How the propensities of the training rows stood to the bounds.
    public let overlap: OverlapReport
    /// How the propensities were calibrated, with what it brought; nil where they were not.
    public let calibration: PropensityCalibration?
    /// What the user should know of how the fit went.
    public internal(set) var warnings: [String]
    /// What belongs to the training rows; nil for a model that was saved without, or of a single learner whose spec has neither
    /// `keep_training` nor `average_effects`.
    public private(set) var training: TrainingRecord?
    /// The nuisances it was fitted with, and those it was given: what the next learner on the same rows may reuse. Nil for a
    /// model that was read from a file, or that has nothing of its training rows.
    public private(set) var nuisances: NuisanceFit?
    /// For each arm, the share of its rows' weight among all: what stands for known propensities where new rows come
    /// without them.
    let armShares: [Double]
    /// The models that effects come from.
    let fitted: FittedEffects
    /// What the intervals of effects are made of; nil where there are none.
    var intervals: FittedIntervals?
    /// Where the learner and its base learners are found.
    package let registry: Registry

    var nuisanceModels: [FittedRole<NuisanceRole>] { fitted.nuisanceModels }
    /// What turns covariates and nuisances into effects: a learner, or a combination of several.
    package var predictor: any EffectPredictor { fitted.predictor }

    /// The effect of each arm but the control for each training row, in the dataset's order: out of fold at every
    /// stage. Empty for a model that was saved without its training rows.
    public var trainingEffects: [[Double]] { training?.effects ?? [] }

    /// How many rows it was fitted to, those of other processes among them.
    public var trainingRowCount: Int { armCounts.reduce(0, +) }

    /// Whether it has a part of its training rows alone, other processes having the others.
    public var hasPartOfTraining: Bool { training.map { $0.outcome.count < trainingRowCount } ?? false }

    /// Which intervals the effects have; nil for none.
    public var intervalMethod: IntervalSpec.Method? { intervals?.method }

    /// Whether there are models of the outcome in every arm, which average effects take: `average_effects: false` saves
    /// them where the learner itself needs none.
    public var hasAverageEffects: Bool { fitted.hasArmMeans(armCount: armLabels.count) }

    // MARK: Prediction

    /// Predicts the effects of rows that the model was not fitted to, as differences from the control.
    ///
    /// The rows of training get here what models fitted to them say; their out-of-fold effects are
    /// `trainingEffects`. Other outputs, other arms and other scales: `predict(_:for:_:)`.
    ///
    /// - Parameter table: columns by name; those the model was not trained on are ignored.
    /// - Throws: `invalidData` for a column that is missing or of the wrong kind, `cancelled`.
    public func predict(_ table: Table, _ options: ExecutionOptions = ExecutionOptions())
        throws(MetaLearnersError) -> EffectPrediction
    {
        var rows = try AlignedRows(table, schema, spec.data)
        let effects = try predictEffects(&rows, fitted, .combined, Scheduler(options).context)
        return EffectPrediction(effects: effects, warnings: rows.warnings)
    }

    /// Predicts what `request` asks for of `rows`.
    ///
    /// - Effects of new rows are those of `predict(_:_:)`; those of training rows are out of fold. On another scale than
    ///   differences they compare arm means.
    /// - Arm means are those of the learner's outcome models: of all rows where effects need these, else the mean over
    ///   the models of the folds; out of fold for training rows.
    /// - Intervals and stability of training rows need the dataset, since models do not keep covariates: they are
    ///   those of new rows with the same covariates. Individual intervals of training rows are around the out-of-fold effects.
    ///
    /// - Throws: `invalidArgument` for an arm that is none, `invalidData` for columns that are missing or of the wrong
    ///   kind and for a dataset that the model was not fitted to, `unsupported` for what the learner or the model file
    ///   has not, `cancelled`.
    /// - Complexity: that of the models; intervals by bootstrap ask every resample's models, stability every fold's.
    public func predict(
        _ request: PredictionRequest, for rows: PredictionRows,
        _ options: ExecutionOptions = ExecutionOptions()
    ) throws(MetaLearnersError) -> Prediction {
        let context = Scheduler(options).context
        if case .trainingRows(let dataset) = rows { try requireTraining(dataset, context) }
        switch request.output {
        case .effects: return try predictEffects(request, rows, context)
        case .armMeans: return try predictArmMeans(request, rows, context)
        case .propensities: return try predictPropensities(request, rows, context)
        case .stability: return try predictStability(request, rows, context)
        case .intervals: return try predictIntervals(request, rows, context)
        case .individualIntervals: return try predictIndividualIntervals(request, rows, context)
        }
    }

    /// The names of the columns that `predict` gives for a request.
    ///
    /// - Throws: `invalidArgument`, `unsupported`: what `predict` throws whatever the rows.
    public func columnNames(_ request: PredictionRequest) throws(MetaLearnersError) -> [String] {
        let classes = outcomeKind.effectClasses
        switch request.output {
        case .effects, .stability, .intervals, .individualIntervals:
            let scale = try self.scale(of: request)
            let contrasts = try ArmContrast.list(request, armLabels)
            let names = ArmContrast.names(contrasts, request, scale, armLabels, outcomeKind)
            if request.output == .stability { return names.map { $0 + "_stability" } }
            if request.output == .effects { return names }
            return names.flatMap { name in
                let ends =
                    request.output == .intervals ? name : "ite" + name.dropFirst(scale.columnName.count)
                return [name, ends + "_lower", ends + "_upper"]
            }
        case .armMeans:
            try requireArmMeans(for: "arm means")
            return try arms(of: request).flatMap { arm in
                classes.isEmpty
                    ? ["mean_" + armLabels[arm]] : classes.map { "mean_" + armLabels[arm] + "_" + $0 }
            }
        case .propensities: return try arms(of: request).map { "propensity_" + armLabels[$0] }
        }
    }

    // MARK: Nuisances

    /// The nuisances of rows that the model was not fitted to: every one that it has, after the overlap policy.
    ///
    /// - Throws: `invalidData` for a column that is missing or of the wrong kind, or what the overlap policy says.
    public func nuisances(on dataset: CausalDataset, _ options: ExecutionOptions = ExecutionOptions())
        throws(MetaLearnersError) -> NuisanceEstimates
    {
        var warnings: [String] = []
        return try nuisances(on: dataset, warnings: &warnings, options)
    }

    /// The same, and what is to be said of them: propensities that the arms' shares stand for, or that lie outside the bounds of the
    /// overlap policy.
    package func nuisances(
        on dataset: CausalDataset, warnings: inout [String], _ options: ExecutionOptions
    ) throws(MetaLearnersError) -> NuisanceEstimates {
        let features = try schema.align(dataset.everyColumn).table
        let known = dataset.knownPropensities
        var estimates = try serving.nuisances(
            Set(nuisanceModels.map(\.role)), features, nuisanceModels, .combined, Scheduler(options).context,
            propensities: known)
        let given = known ?? estimates.propensities.map(serving.calibrated)
        if given == nil { warnings.append(overlap.isKnown ? Self.knownSharesNote : Self.sharesNote) }
        let propensities =
            given ?? armShares.map { [Double](repeating: $0, count: features.rowCount) }
        let applied = try spec.overlap.apply(
            propensities, armLabels, isKnown: known != nil, dataset.covariates.places)
        if given != nil { warnings += applied.report.warnings(rowCount: features.rowCount) }
        estimates.propensities = applied.propensities
        estimates.hasOverlap = applied.hasOverlap
        return estimates
    }

    /// Where rows of a designed experiment do not say by which propensities they were treated.
    static let knownSharesNote =
        "the rows come without known propensities: the arms' shares in training stand for them"
    /// Where a model was fitted without propensities.
    private static let sharesNote =
        "the model has no propensities: the arms' shares in training stand for them, which is right in a trial alone"

    /// The nuisances that the model was fitted with, ready for the next learner on the same rows: `nuisances` where
    /// they are at hand; of a model that was read from a file, its models of the folds predict again what they left out,
    /// which costs a prediction instead of a fit.
    ///
    /// A file has the nuisances of its own learner alone, those of `in_sample: nested` without the fits that leave two
    /// folds out, and of `auto` none that another fit could use.
    ///
    /// - Parameters:
    ///   - dataset: the rows that the model was fitted to.
    /// - Throws: `invalidData` for other rows, `unsupported` for a model that was saved without its training rows,
    ///   `cancelled`.
    public func nuisances(
        fittedTo dataset: CausalDataset, _ options: ExecutionOptions = ExecutionOptions()
    ) throws(MetaLearnersError) -> NuisanceFit {
        let context = Scheduler(options).context
        try requireTraining(dataset, context)
        if let nuisances { return nuisances }
        let training = try requireRecord()
        let crossFitter = CrossFitter(training.repeats, aggregation: spec.crossFitting.aggregation)
        let covariates = try schema.align(dataset.everyColumn).table
        var components: [NuisanceComponent] = []
        // Models that a strategy brings are described by no spec: no other learner would fit the same.
        let isOwn = registry.traits(of: spec.learner)?.bringsModels ?? true
        let models = isOwn ? nil : try RoleModels(spec, registry)
        for fitted in isOwn ? [] : nuisanceModels {
            guard let models else { break }
            let placed = spec.models.model(of: fitted.role, armLabels)
            let seen = try ModelsSpec.features(placed, in: covariates)
            let outOfFold = try crossFitter.outOfFold(
                fitted.models.foldModels, fitted.role == .joint ? seen.underEveryArm(armLabels) : [seen],
                classes: fitted.role.isPropensity ? armLabels.count : outcomeKind.outputCount, context)
            guard !outOfFold.isEmpty else { continue }
            components.append(
                NuisanceComponent(
                    role: fitted.role, origin: models.origin(of: fitted.role, armLabels),
                    models: fitted.models, outOfFold: outOfFold))
        }
        return NuisanceFit(
            estimates: training.nuisances,
            propensities: AssembledPropensities(
                values: training.nuisances.propensities ?? [], hasOverlap: training.nuisances.hasOverlap,
                overlap: overlap, calibration: calibration),
            FitRequest(dataset, training.repeats, fingerprint: training.fingerprint),
            aggregation: spec.crossFitting.aggregation, components: components)
    }

    // MARK: Inspection

    /// What the model is: learner, arms, covariates, overlap, warnings and the complete spec.
    public var summary: SpecValue { .object(manifest) }

    /// The models within, by role: those of nuisances, then those of effects.
    ///
    /// - Complexity: that of writing them, since it counts their bytes.
    public var parts: (nuisances: [ModelPart], effects: [ModelPart]) {
        // Strategies use all that they have; a single learner states what it takes.
        let ofEffects = (predictor as? LearnerPredictor)?.learner.nuisanceRoles(armCount: armLabels.count)
        return (
            nuisanceModels.map {
                ModelPart(
                    $0, name: $0.role.name(armLabels), servesEffects: ofEffects?.contains($0.role) ?? true)
            },
            predictor.parts(armLabels)
        )
    }

    /// The sections of the model's file with their sizes in bytes, in their order.
    public var sections: [(name: String, bytes: Int)] {
        archive().sections.map { ($0.name, $0.bytes.count) }
    }

    /// What is in the model: its summary, what it serves, the models within and their sizes.
    public var inspection: SpecValue {
        var object = manifest
        let spec = object["spec"]
        object["spec"] = nil
        object["kind"] = .string(type(of: predictor).tag)
        object["outputs"] = .array(outputs.map { .string($0.rawValue) })
        object["intervals"] = intervals.map { .string($0.method.rawValue) } ?? .null
        object["training"] = training?.summary ?? .null
        let parts = parts
        object["nuisance_models"] = .array(parts.nuisances.map(\.specValue))
        object["effect_models"] = .array(parts.effects.map(\.specValue))
        let archive = self.archive()
        object["file"] = [
            "format": .integer(Int(ModelArchive.formatVersion)), "bytes": .integer(archive.byteCount),
            "sections": .array(
                archive.sections.map { ["name": .string($0.name), "bytes": .integer($0.bytes.count)] }),
        ]
        object["spec"] = spec
        return .object(object)
    }

    /// What can be predicted.
    private var outputs: [PredictionRequest.Output] {
        var outputs: [PredictionRequest.Output] = [.effects]
        if hasArmMeans { outputs.append(.armMeans) }
        if overlap.isKnown || nuisanceModels.contains(where: \.role.isPropensity) {
            outputs.append(.propensities)
        }
        if intervals != nil { outputs.append(.intervals) }
        if fitted.foldCount(armCount: armLabels.count) > 1 { outputs.append(.stability) }
        if let training, spec.keepTraining, hasAverageEffects, !hasPartOfTraining, isHeldOut(training),
            outcomeKind.effectClasses.isEmpty
        {
            outputs.append(.individualIntervals)
        }
        return outputs
    }

    // MARK: Files

    /// The first bytes of every model file.
    public static var magic: [UInt8] { ModelArchive.magic }

    /// The bytes of the model's file: the same for the same data, spec and seed, whatever the threads.
    public func encoded() -> [UInt8] { archive().encoded() }

    /// The same, where memory is asked for before it is taken.
    ///
    /// - Throws: `outOfMemory`.
    package func fileBytes() throws(MetaLearnersError) -> [UInt8] {
        try AvailableMemory.require(
            training?.byteCount ?? 0, of: 2, for: "the training rows of the model's file")
        let archive = self.archive()
        try AvailableMemory.require(archive.byteCount, for: "the model's file")
        return archive.encoded()
    }

    /// Saves the model to one file, which is replaced whole or not at all.
    ///
    /// - Throws: `inputOutput`, `outOfMemory`.
    public func save(to path: String) throws(MetaLearnersError) {
        try AtomicFile.write(fileBytes(), to: path)
    }

    /// Reads the bytes of a model's file.
    ///
    /// - Throws: `corruptModel` for bytes that are damaged, `incompatibleModel` for a file of a later format,
    ///   `unsupported` for a backend or a learner that `registry` lacks.
    public init(bytes: [UInt8], registry: Registry) throws(MetaLearnersError) {
        try self.init(ModelArchive(bytes), registry)
    }

    /// Loads a model from its file.
    ///
    /// - Throws: `inputOutput`, and what `init(bytes:registry:)` throws, with the file's name.
    public init(contentsOf path: String, registry: Registry) throws(MetaLearnersError) {
        let bytes = try AtomicFile.read(path, beginningWith: Self.magic)
        do throws(MetaLearnersError) {
            try self.init(bytes: bytes, registry: registry)
        } catch {
            throw MetaLearnersError(error.kind, at: path, error.problem, remedy: error.remedy)
        }
    }
}

extension CATEModel {
    /// The same without what belongs to the training rows: as a member of a combination, which has them itself.
    package var withoutTraining: CATEModel {
        var model = self
        model.training = nil
        model.nuisances = nil
        return model
    }

    /// The model of a fit.
    package init(_ fitter: MetaLearnerFitter, _ dataset: CausalDataset, _ result: FittedLearner)
        throws(MetaLearnersError)
    {
        spec = fitter.spec
        completeSpec = fitter.completeSpec
        registry = fitter.registry
        armLabels = dataset.treatment.labels
        outcomeKind = dataset.outcome.kind
        schema = CovariateSchema(dataset.covariates, unseenLevels: fitter.spec.data.unseenLevels)
        armCounts = dataset.armCounts
        overlap = result.nuisances.overlap
        calibration = result.nuisances.calibration
        armShares = try dataset.armShares()
        nuisances = result.keepsTraining ? result.nuisances : nil
        fitted = result.fitted
        intervals = result.intervals
        // (One of several processes may hold no rows.)
        training =
            dataset.rowCount == 0 || !result.keepsTraining
            ? nil
            : TrainingRecord(
                dataset, repeats: nuisances?.repeats ?? [], nuisances: result.estimates,
                effects: result.trainingEffects, fingerprint: result.nuisances.fingerprint)
        var notes = dataset.warnings
        notes += overlap.warnings(rowCount: dataset.totalRowCount)
        let labels = dataset.treatment.labels
        notes += fitted.nuisanceModels.flatMap { $0.warnings(name: $0.role.name(labels)) }
        notes += fitted.predictor.warnings(labels)
        let used = fitted.nuisanceModels.flatMap { $0.models.everyModel.first?.backendNames ?? [] }
        notes += fitter.registry.estimators.sparseWarnings(
            dataset.covariates, backends: fitted.predictor.backendNames.union(used))
        warnings = notes
    }

    /// Reads an archive.
    ///
    /// - Throws: `corruptModel`, `unsupported`.
    init(_ archive: ModelArchive, _ registry: Registry, isMember: Bool = false) throws(MetaLearnersError) {
        let manifest = try ModelManifest(archive.manifest)
        spec = manifest.spec
        completeSpec =
            (try? MetaLearnerFitter(manifest.spec, registry: registry))?.completeSpec ?? manifest.completeSpec
        self.registry = registry
        armLabels = manifest.armLabels
        armCounts = manifest.armCounts
        armShares = manifest.armShares
        outcomeKind = manifest.outcomeKind
        overlap = manifest.overlap
        warnings = manifest.warnings
        let parts = try ModelParts(archive, manifest, registry, isMember: isMember)
        schema = parts.schema
        fitted = parts.fitted
        calibration = parts.calibration
        intervals = parts.intervals
        training = parts.training
        nuisances = nil
    }
}

extension CausalDataset {
    /// Each arm's share of the weight, in the rows of all processes.
    fileprivate func armShares() throws(MetaLearnersError) -> [Double] {
        var exact = [ExactSum](repeating: ExactSum(), count: armCount)
        if let weights {
            for (row, arm) in treatment.arms.enumerated() { exact[Int(arm)].add(weights[row]) }
        } else {
            for (arm, count) in treatment.counts.enumerated() { exact[arm].add(Double(count)) }
        }
        if let distribution { exact = try distribution.sum(exact) }
        let totals = exact.map(\.value)
        let sum = totals.reduce(0, +)
        return totals.map { $0 / sum }
    }
}

extension EstimatorRegistry {
    /// Which of the backends that were used fill sparse columns in, where there are any.
    fileprivate func sparseWarnings(_ covariates: Table, backends used: Set<String>) -> [String] {
        let count = covariates.columns.count { $0.values.sparse != nil }
        guard count > 0 else { return [] }
        let dense = descriptions.filter { used.contains($0.name) && !$0.capabilities.contains(.sparse) }
        guard !dense.isEmpty else { return [] }
        let able = descriptions.filter { $0.capabilities.contains(.sparse) }.map(\.name)
        return [
            "\(dense.map(\.name).joined(separator: ", ")): reads \(count) sparse columns as if they were dense; "
                + "these use what is stored alone: " + able.joined(separator: ", ")
        ]
    }
}
