import MetaLearnersCore

extension CATEModel {
    /// The arms that are asked about where none is compared: one, or all.
    func arms(of request: PredictionRequest) throws(MetaLearnersError) -> [Int] {
        for (name, isGiven) in [("baseline", request.baseline != nil), ("scale", request.scale != nil)]
        where isGiven {
            throw MetaLearnersError(
                .invalidArgument, at: name, "\(request.output.rawValue) compare no arms",
                remedy: "leave it out")
        }
        guard let arm = request.arm else { return Array(armLabels.indices) }
        return [try ArmContrast.index(of: arm, "arm", armLabels)]
    }

    /// The scale of a request's effects.
    ///
    /// - Throws: `unsupported` where the outcome or the learner has none such.
    func scale(of request: PredictionRequest) throws(MetaLearnersError) -> EffectScale {
        let scale = request.scale ?? spec.effectScale
        try scale.require(outcomeKind)
        if scale != .difference { try requireArmMeans(for: "\(scale.rawValue)s") }
        return scale
    }

    /// Whether the learner, rather than what average effects take beside it, has a model of the outcome in every arm.
    var hasArmMeans: Bool {
        let traits = registry.traits(of: spec.learner)
        return traits.map { $0.hasArmMeans || $0.isComposite } ?? false
            && fitted.hasArmMeans(armCount: armLabels.count)
    }

    /// - Throws: `unsupported`, naming the learners that have arm means.
    func requireArmMeans(for purpose: String) throws(MetaLearnersError) {
        guard !hasArmMeans else { return }
        throw MetaLearnersError(
            .unsupported, at: "learner",
            "the learner '\(spec.learner.rawValue)' has no outcome model of each arm, which \(purpose) need",
            remedy: "these have: " + registry.learnerNames(where: \.hasArmMeans))
    }

    /// What the model remembers of its training rows.
    ///
    /// - Throws: `unsupported` for a model that was saved without.
    func requireRecord() throws(MetaLearnersError) -> TrainingRecord {
        if let training { return training }
        throw MetaLearnersError(
            .unsupported, at: "model", "it was saved without its training rows",
            remedy: "fit with keep_training: true")
    }

    /// Whether these are the rows that the model was fitted to, in their order; columns may be in any order, as they may be in new rows.
    package func isFitted(to dataset: CausalDataset, _ context: ExecutionContext) -> Bool {
        guard let training, training.outcome.count == dataset.rowCount else { return false }
        return training.fingerprint == dataset.fingerprint(orderedAs: schema.fields.map(\.name), context)
    }

    /// Which new rows have propensities within the bounds of `overlap`, as they are estimated and calibrated and before any of them is clipped; nil where
    /// the model has none that it has estimated.
    package func overlap(of table: Table, _ options: ExecutionOptions) throws(MetaLearnersError) -> [Bool]? {
        let roles = Set(nuisanceModels.map(\.role)).filter(\.isPropensity)
        guard !overlap.isKnown, !roles.isEmpty else { return nil }
        let estimates = try serving.nuisances(
            roles, schema.align(table).table, nuisanceModels, .combined, Scheduler(options).context)
        return estimates.propensities.map { spec.overlap.isWithin(serving.calibrated($0)) }
    }

    /// Of rows that are not those of the fit, the share that has the arm and the outcome of a row of the fit, where that is more than chance; nil
    /// where it is not, or the model remembers no rows (`RowsMetAgain`).
    package func shareMetAgain(in dataset: CausalDataset) -> Double? {
        guard let training, dataset.partition == nil else { return nil }
        return RowsMetAgain.share(
            of: dataset.treatment.arms, dataset.treatment.labels, dataset.outcome.values,
            among: training.arms, armLabels, training.outcome)
    }

    /// Checks that `dataset` is the one that the model was fitted to.
    func requireTraining(_ dataset: CausalDataset, _ context: ExecutionContext)
        throws(MetaLearnersError)
    {
        _ = try requireRecord()
        guard isFitted(to: dataset, context) else {
            throw MetaLearnersError(
                .invalidData, at: "training", "these are not the rows that the model was fitted to",
                remedy: "give the same rows in the same order, or predict them as new rows")
        }
    }

    func predictEffects(
        _ request: PredictionRequest, _ rows: PredictionRows, _ context: ExecutionContext
    ) throws(MetaLearnersError) -> Prediction {
        let names = try columnNames(request)
        let contrasts = try ArmContrast.list(request, armLabels)
        let scale = try scale(of: request)
        var warnings: [String] = []
        var columns: [[Double]] = []
        if scale == .difference {
            let effects: [[Double]]
            if case .new(let table) = rows {
                var aligned = try AlignedRows(table, schema, spec.data)
                effects = try predictEffects(&aligned, fitted, .combined, context)
                warnings = aligned.warnings
            } else {
                effects = try requireRecord().effects
            }
            columns = contrasts.flatMap { $0.differences(effects, width: outcomeKind.effectCount) }
        } else {
            let means: [[[Double]]]
            (means, warnings) = try armMeans(rows, context)
            columns = contrasts.flatMap { $0.comparisons(means, scale) }
        }
        return Prediction(names: names, columns: columns, meaning: nil, warnings: warnings)
    }

    func predictArmMeans(
        _ request: PredictionRequest, _ rows: PredictionRows, _ context: ExecutionContext
    ) throws(MetaLearnersError) -> Prediction {
        let names = try columnNames(request)
        let (means, warnings) = try armMeans(rows, context)
        return Prediction(
            names: names, columns: try arms(of: request).flatMap { means[$0] }, meaning: nil,
            warnings: warnings)
    }

    /// The mean of each arm, for each class, for each row.
    private func armMeans(_ rows: PredictionRows, _ context: ExecutionContext) throws(MetaLearnersError)
        -> (means: [[[Double]]], warnings: [String])
    {
        var warnings: [String] = []
        let nuisances: NuisanceEstimates
        if case .new(let table) = rows {
            var aligned = try AlignedRows(table, schema, spec.data)
            nuisances = try armMeans(&aligned, fitted, .combined, context)
            warnings = aligned.warnings
        } else {
            nuisances = try requireRecord().nuisances
        }
        return (try Self.means(of: nuisances, outcomeKind), warnings)
    }

    /// The arm means of new rows by the models of `fitted`.
    func armMeans(
        _ rows: inout AlignedRows, _ fitted: FittedEffects, _ selection: ModelSelection,
        _ context: ExecutionContext
    ) throws(MetaLearnersError) -> NuisanceEstimates {
        let roles = fitted.nuisanceModels.map(\.role).filter {
            switch $0 {
            case .joint, .armOutcome: true
            case .propensity, .marginalOutcome: false
            }
        }
        let known =
            overlap.isKnown && fitted.hasDependentModels ? try knownPropensities(&rows) : nil
        return try serving.nuisances(
            Set(roles), rows.features, fitted.nuisanceModels, selection, context, propensities: known)
    }

    /// The mean of each arm, for each class, for each row.
    static func means(of nuisances: NuisanceEstimates, _ kind: Outcome.Kind) throws(MetaLearnersError)
        -> [[[Double]]]
    {
        var means: [[[Double]]] = []
        for arm in 0..<nuisances.armCount {
            let columns =
                kind.effectClasses.isEmpty
                ? nuisances.armOutcomes[arm].map { [$0] } : nuisances.classOutcomes[arm]
            guard let columns else {
                throw MetaLearnersError(.internalFault, at: "arm means", "those of an arm are missing")
            }
            means.append(columns)
        }
        return means
    }

    func predictPropensities(
        _ request: PredictionRequest, _ rows: PredictionRows, _ context: ExecutionContext
    ) throws(MetaLearnersError) -> Prediction {
        let names = try columnNames(request)
        var warnings: [String] = []
        let propensities: [[Double]]?
        if case .new(let table) = rows {
            var aligned = try AlignedRows(table, schema, spec.data)
            propensities = try servingPropensities(&aligned, context)
            warnings = aligned.warnings
        } else {
            propensities = try requireRecord().nuisances.propensities
        }
        guard let propensities else {
            throw MetaLearnersError(.unsupported, at: "model", "it has no model of the propensities")
        }
        return Prediction(
            names: names, columns: try arms(of: request).map { propensities[$0] }, meaning: nil,
            warnings: warnings)
    }

    /// The table of rows whose covariates a prediction needs.
    ///
    /// - Throws: `invalidArgument` for training rows without their dataset.
    func covariates(of rows: PredictionRows, for purpose: String) throws(MetaLearnersError) -> Table {
        switch rows {
        case .new(let table): return table
        case .trainingRows(let dataset): return dataset.covariates
        case .training:
            throw MetaLearnersError(
                .invalidArgument, at: "rows",
                "\(purpose) of training rows need the dataset: a model does not keep the covariates",
                remedy: "give the dataset that the model was fitted to")
        }
    }
}
