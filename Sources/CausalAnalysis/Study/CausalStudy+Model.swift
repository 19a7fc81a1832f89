import MetaLearners
import MetaLearnersCore

extension CausalStudy {
    /// The study of a fitted model.
    ///
    /// On the rows of training, effects and nuisances are out of fold; on other rows they are what the models predict. There
    /// are arm means where the model has average effects (`CATEModel.hasAverageEffects`).
    ///
    /// - Parameters:
    ///   - model: the model.
    ///   - dataset: the rows; nil for those of training, of which the model remembers all but the covariates.
    ///   - label: of an outcome of several classes, the class whose probability is the outcome.
    ///   - options: how to run.
    /// - Throws: `unsupported` for a model without its training rows where there is no dataset; `invalidData` where the dataset
    ///   lacks a column or its arms are others; `invalidArgument` for a class that is none; `cancelled`.
    public init(
        _ model: CATEModel, on dataset: CausalDataset? = nil, ofClass label: String? = nil,
        _ options: ExecutionOptions = ExecutionOptions()
    ) throws(MetaLearnersError) {
        let outcomeClass = try Self.outcomeClass(label, model.outcomeKind)
        self = try Self.studies(model, on: dataset, [outcomeClass], withEffects: true, options)[0]
    }

    /// The studies of a fitted model for each class of its outcome, in their order; of an outcome that is one number a single one.
    /// They have no effects: averages take none.
    ///
    /// - Throws: as `init(_:on:ofClass:_:)`.
    static func ofEveryClass(
        _ model: CATEModel, on dataset: CausalDataset?, _ options: ExecutionOptions
    ) throws(MetaLearnersError) -> [CausalStudy] {
        let count = model.outcomeKind.effectClasses.count
        return try studies(
            model, on: dataset, count == 0 ? [nil] : (0..<count).map { $0 }, withEffects: false, options)
    }

    /// The studies of some classes, for which nothing is predicted twice.
    private static func studies(
        _ model: CATEModel, on dataset: CausalDataset?, _ classes: [Int?], withEffects: Bool,
        _ options: ExecutionOptions
    ) throws(MetaLearnersError) -> [CausalStudy] {
        guard dataset?.partition == nil, dataset != nil || !model.hasPartOfTraining else {
            throw MetaLearnersError(
                .unsupported, at: dataset == nil ? "model" : "dataset",
                "has a part of the rows alone, and other processes have the others",
                remedy:
                    "average effects by the collective of the fit; or give the study all rows in one process")
        }
        if let dataset { try requireNumbers(of: dataset) }
        let fitter = try MetaLearnerFitter(model.spec, registry: model.registry)
        func fitting(_ nuisances: NuisanceFit?, _ outcomeClass: Int?) -> StudyFitting? {
            dataset.map {
                StudyFitting(
                    fitter: fitter, dataset: $0, model: model, nuisances: nuisances,
                    outcomeClass: outcomeClass)
            }
        }
        var studies: [CausalStudy] = []
        if let dataset {
            guard model.isFitted(to: dataset, Scheduler(options).context) else {
                try model.requireComparable(dataset)
                let ofModel = metAgainWarnings(model, dataset) + fitWarnings(model, dataset)
                var ofNuisances: [String] = []
                let nuisances = try model.nuisances(on: dataset, warnings: &ofNuisances, options)
                let predicted = withEffects ? try model.predictEffects(on: dataset, options) : nil
                let ofEffects = predicted?.warnings ?? []
                let ofRows = ofEffects + ofNuisances.filter { !ofEffects.contains($0) }
                for outcomeClass in classes {
                    studies.append(
                        CausalStudy(
                            try StudyRows(
                                dataset, nuisances: nuisances, effects: predicted?.effects ?? [],
                                outcomeClass, labels: model.armLabels),
                            dataset, model.spec, propensitiesAreKnown: dataset.knownPropensities != nil,
                            origin: .predicted, repeats: [], fitting: fitting(nil, outcomeClass),
                            warnings: dataset.warnings + ofRows + ofModel))
                }
                return studies
            }
        }
        guard let training = model.training else {
            throw MetaLearnersError(
                .unsupported, at: "model", "it was saved without its training rows",
                remedy: "give the data, or fit with keep_training: true")
        }
        for outcomeClass in classes {
            studies.append(
                CausalStudy(
                    try StudyRows(training, outcomeClass, model.outcomeKind, labels: model.armLabels),
                    dataset, model.spec, propensitiesAreKnown: model.overlap.isKnown,
                    origin: training.folds.isCrossFitted && model.spec.crossFitting.inSample != .full
                        ? .outOfFold : .inSample,
                    repeats: training.repeats,
                    isOfAuto: model.spec.combinedLearners.contains(.auto),
                    fitting: fitting(model.nuisances, outcomeClass),
                    warnings: model.warnings))
        }
        return studies
    }

    /// The study of a dataset whose nuisances alone are fitted, out of fold: what checks and average effects need.
    ///
    /// - Parameters:
    ///   - fitter: the spec. `auto` fits the nuisances that it would fit for effects; of every other learner the spec's models of
    ///     the propensity and of each arm's outcome are fitted.
    ///   - dataset: the rows.
    ///   - label: of an outcome of several classes, the class whose probability is the outcome.
    ///   - options: how to run.
    /// - Throws: what `MetaLearnerFitter.fitNuisances` throws; `invalidArgument` for a class that is none.
    public init(
        _ fitter: MetaLearnerFitter, nuisancesOf dataset: CausalDataset, ofClass label: String? = nil,
        _ options: ExecutionOptions = ExecutionOptions()
    ) throws(MetaLearnersError) {
        try Self.requireNumbers(of: dataset)
        let outcomeClass = try Self.outcomeClass(label, dataset.outcome.kind)
        var own = fitter
        if fitter.registry.traits(of: fitter.spec.learner)?.bringsModels != true {
            var spec = fitter.spec
            spec.learner = .dr
            own = try MetaLearnerFitter(spec, registry: fitter.registry)
        }
        let nuisances = try own.fitNuisances(dataset, options)
        let rows = try StudyRows(
            dataset, nuisances: nuisances.estimates, effects: [], outcomeClass,
            labels: dataset.treatment.labels)
        self.init(
            rows, dataset, fitter.spec, propensitiesAreKnown: dataset.knownPropensities != nil,
            origin: nuisances.folds.isCrossFitted ? .outOfFold : .inSample, repeats: nuisances.repeats,
            fitting: StudyFitting(
                fitter: fitter, dataset: dataset, model: nil, nuisances: nuisances,
                outcomeClass: outcomeClass),
            warnings: dataset.warnings + nuisances.overlap.warnings(rowCount: dataset.rowCount))
        source = "nuisances"
    }

    /// The study of a dataset, for which no more is fitted than analyses need: effects, nuisances alone, or nothing where
    /// the given columns have it all.
    ///
    /// - Parameters:
    ///   - fitter: the spec.
    ///   - dataset: the rows.
    ///   - needs: what the analyses need together.
    ///   - given: columns that were computed elsewhere, which go before what is fitted.
    ///   - label: of an outcome of several classes, the class whose probability is the outcome.
    ///   - options: how to run.
    /// - Throws: what a fit throws, and `replacing(_:)`.
    public init(
        _ fitter: MetaLearnerFitter, on dataset: CausalDataset, for needs: StudyParts,
        given: GivenColumns = GivenColumns(), ofClass label: String? = nil,
        _ options: ExecutionOptions = ExecutionOptions()
    ) throws(MetaLearnersError) {
        if needs.contains(.effects), given.effects == nil {
            self = try CausalStudy(fitter.fit(dataset, options), on: dataset, ofClass: label, options)
                .replacing(given)
            return
        }
        let hasPropensities = given.propensities != nil || dataset.knownPropensities != nil
        if needs.contains(.propensities) && !hasPropensities
            || needs.contains(.armMeans) && given.armMeans == nil
        {
            self = try CausalStudy(fitter, nuisancesOf: dataset, ofClass: label, options).replacing(given)
            return
        }
        self = try CausalStudy(dataset, given: given, fitter.spec.data)
        fitting = StudyFitting(
            fitter: fitter, dataset: dataset, model: nil, nuisances: nil, outcomeClass: nil)
    }

    private init(
        _ rows: StudyRows, _ dataset: CausalDataset?, _ spec: MetaLearnerSpec, propensitiesAreKnown: Bool,
        origin: Origin, repeats: [FoldAssignment], isOfAuto: Bool = false, fitting: StudyFitting?,
        warnings: [String]
    ) {
        let none = Table.withoutColumns(rowCount: rows.outcome.count)
        outcome = rows.outcome
        isBinary = rows.isBinary
        arms = rows.arms
        armLabels = rows.labels
        weights = rows.weights
        clusters = rows.clusters
        covariates = dataset?.covariates ?? none
        columns = dataset?.everyColumn ?? none
        propensities = rows.propensities
        self.propensitiesAreKnown = propensitiesAreKnown
        hasOverlap = rows.hasOverlap
        armMeans = rows.armMeans
        effects = rows.effects
        self.origin = origin
        source = spec.learner.rawValue
        names = Names(
            treatment: spec.data.treatment ?? "treatment",
            outcome: (spec.data.outcome ?? "outcome") + (rows.classLabel.map { " = \($0)" } ?? ""),
            cluster: spec.data.cluster)
        sourceRows = dataset?.sourceRows
        self.repeats = repeats
        self.isOfAuto = isOfAuto
        self.fitting = fitting
        self.warnings = warnings
    }

    /// What is to be known of rows that are taken for new ones, and look like rows of the fit.
    private static func metAgainWarnings(_ model: CATEModel, _ dataset: CausalDataset) -> [String] {
        guard let share = model.shareMetAgain(in: dataset) else { return [] }
        return [
            "\(Sentence.share(share)) of the rows have the very outcome and arm of a training row, and yet these are not the training rows as they were (in their order, "
                + "all of them): they are judged as new rows. If the model was fitted to them, effects look better than they are; give the file of the fit, or rows that took no part in it"
        ]
    }

    /// What the fit of a model warned of, for a study of rows that it was not fitted to: it says how far its predictions of any rows can be
    /// relied on. What the rows warn of in the same words is left out.
    private static func fitWarnings(_ model: CATEModel, _ dataset: CausalDataset) -> [String] {
        model.warnings.filter { !dataset.warnings.contains($0) }.map { "of the fit: \($0)" }
    }

    /// Checks that the covariates of a dataset are there as numbers.
    ///
    /// - Throws: `unsupported` where the rows were read batch by batch, so that only the bins of trees are kept.
    static func requireNumbers(of dataset: CausalDataset) throws(MetaLearnersError) {
        guard dataset.covariates.isCoded else { return }
        throw MetaLearnersError(
            .unsupported, at: "dataset",
            "its rows were read batch by batch, and analyses need the numbers of the covariates",
            remedy:
                "make the study of the model alone, or give it a table, such as one of a sample of the rows")
    }

    /// The class that a label names, as an index; nil where the outcome is one number.
    private static func outcomeClass(_ label: String?, _ kind: Outcome.Kind) throws(MetaLearnersError)
        -> Int?
    {
        let classes = kind.effectClasses
        guard let label else {
            if classes.isEmpty { return nil }
            throw MetaLearnersError(
                .invalidArgument, at: "class",
                "is missing: the outcome has the classes \(classes.joined(separator: ", "))",
                remedy: "name the class whose probability is to be analysed")
        }
        if let index = classes.firstIndex(of: label) { return index }
        throw MetaLearnersError(
            .invalidArgument, at: "class",
            classes.isEmpty
                ? "is '\(label)', and the outcome is one number, not one of several classes"
                : "there is no class '\(label)'",
            remedy: SpellingSuggestion.clause(forName: label, in: classes))
    }
}

/// The arrays of a study, out of a fit.
private struct StudyRows {
    let outcome: [Double]
    let isBinary: Bool
    let classLabel: String?
    let arms: RowCodes
    let labels: [String]
    let weights: [Double]?
    let clusters: [Int32]?
    let propensities: [[Double]]?
    let hasOverlap: [Bool]?
    let armMeans: [[Double]]?
    let effects: [[Double]]?

    init(
        _ training: TrainingRecord, _ outcomeClass: Int?, _ kind: Outcome.Kind, labels: [String]
    ) throws(MetaLearnersError) {
        try self.init(
            Outcome(training.outcome, kind: kind), training.arms, training.weights, training.clusters,
            training.nuisances, training.effects, outcomeClass, labels)
    }

    init(
        _ dataset: CausalDataset, nuisances: NuisanceEstimates, effects: [[Double]], _ outcomeClass: Int?,
        labels: [String]
    ) throws(MetaLearnersError) {
        try self.init(
            dataset.outcome, dataset.treatment.arms, dataset.weights, dataset.clusters, nuisances, effects,
            outcomeClass, labels)
    }

    private init(
        _ outcome: Outcome, _ arms: RowCodes, _ weights: [Double]?, _ clusters: [Int32]?,
        _ nuisances: NuisanceEstimates, _ effects: [[Double]], _ outcomeClass: Int?, _ labels: [String]
    ) throws(MetaLearnersError) {
        let width = outcome.kind.effectCount
        let index = outcomeClass ?? 0
        let ofClass = outcomeClass.map(nuisances.ofClass) ?? nuisances
        let ownEffects = stride(from: index, to: effects.count, by: width).map { effects[$0] }
        self.outcome = outcomeClass.map(outcome.indicators) ?? outcome.values
        isBinary = outcome.kind.isBinary || outcomeClass != nil
        classLabel = outcomeClass.map { outcome.kind.effectClasses[$0] }
        self.arms = arms
        self.labels = labels
        self.weights = weights
        self.clusters = clusters
        propensities = nuisances.propensities
        hasOverlap = nuisances.hasOverlap
        self.effects = ownEffects.isEmpty ? nil : ownEffects
        // Means that follow from m, ē and the effects would carry the noise of these into every average.
        let means = labels.indices.compactMap { ofClass.armOutcomes[$0] }
        armMeans = means.count == labels.count ? means : nil
    }
}

extension CATEModel {
    /// Checks that a dataset has the arms and the outcome that the model was fitted to.
    ///
    /// - Throws: `invalidData`.
    package func requireComparable(_ dataset: CausalDataset) throws(MetaLearnersError) {
        guard dataset.treatment.labels == armLabels else {
            throw MetaLearnersError(
                .invalidData, at: "treatment",
                "has the arms \(dataset.treatment.labels.joined(separator: ", ")), the model "
                    + armLabels.joined(separator: ", "),
                remedy: "set data.control, or use rows of the same arms")
        }
        guard dataset.outcome.kind.effectClasses == outcomeKind.effectClasses else {
            throw MetaLearnersError(
                .invalidData, at: "outcome",
                "is \(dataset.outcome.kind.name) with other values than that of the model, which is "
                    + outcomeKind.name,
                remedy: "set data.outcome_type as in the fit, and use rows with the same classes")
        }
    }
}
