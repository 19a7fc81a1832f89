import MetaLearnersCore

extension CATEModel {
    /// Predicts what `request` asks for of `rows`.
    ///
    /// - Effects of new rows are those of `predict(_:_:)`; those of training rows are out of fold. On another scale than
    ///   differences they compare arm means.
    /// - Arm means are those of the learner's outcome models: of all rows where effects need these, else the mean over
    ///   the models of the folds; out of fold for training rows.
    /// - Intervals and stability of training rows need the dataset, since models do not keep covariates: they are
    ///   those of new rows with the same covariates, around the out-of-fold effects.
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
        }
    }

    /// The names of the columns that `predict` gives for a request.
    ///
    /// - Throws: `invalidArgument`, `unsupported`: what `predict` throws whatever the rows.
    public func columnNames(_ request: PredictionRequest) throws(MetaLearnersError) -> [String] {
        let classes = outcomeKind.effectClasses
        switch request.output {
        case .effects, .stability, .intervals:
            let scale = try self.scale(of: request)
            let contrasts = try ArmContrast.list(request, armLabels)
            let names = ArmContrast.names(contrasts, request, scale, armLabels, outcomeKind)
            if request.output == .stability { return names.map { $0 + "_stability" } }
            return request.output == .effects ? names : names.flatMap { [$0, $0 + "_lower", $0 + "_upper"] }
        case .armMeans:
            try requireArmMeans(for: "arm means")
            return try arms(of: request).flatMap { arm in
                classes.isEmpty
                    ? ["mean_" + armLabels[arm]] : classes.map { "mean_" + armLabels[arm] + "_" + $0 }
            }
        case .propensities: return try arms(of: request).map { "propensity_" + armLabels[$0] }
        }
    }

    /// The arms that are asked about where none is compared: one, or all.
    func arms(of request: PredictionRequest) throws(MetaLearnersError) -> [Int] {
        guard request.baseline == nil else {
            throw MetaLearnersError(
                .invalidArgument, at: "baseline", "\(request.output.rawValue) compare no arms",
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

    /// - Throws: `unsupported`, naming the learners that have arm means.
    func requireArmMeans(for purpose: String) throws(MetaLearnersError) {
        guard !fitted.hasArmMeans(armCount: armLabels.count) else { return }
        throw MetaLearnersError(
            .unsupported, at: "learner",
            "the learner '\(spec.learner.rawValue)' has no outcome model of each arm, which \(purpose) take",
            remedy: "these have: " + LearnerKind.names(where: \.hasArmMeans))
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

    /// Checks that `dataset` is the one that the model was fitted to.
    func requireTraining(_ dataset: CausalDataset, _ context: ExecutionContext)
        throws(MetaLearnersError)
    {
        guard try requireRecord().fingerprint == dataset.fingerprint(context) else {
            throw MetaLearnersError(
                .invalidData, at: "training", "these are not the rows that the model was fitted to",
                remedy: "give the very rows in the same order, or predict them as new rows")
        }
    }

    private func predictEffects(
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

    private func predictArmMeans(
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
            let aligned = try AlignedRows(table, schema, spec.data)
            warnings = aligned.warnings
            nuisances = try armMeans(aligned, fitted, .combined, context)
        } else {
            nuisances = try requireRecord().nuisances
        }
        return (try Self.means(of: nuisances, outcomeKind), warnings)
    }

    /// The arm means of new rows by the models of `fitted`.
    func armMeans(
        _ rows: AlignedRows, _ fitted: FittedEffects, _ selection: ModelSelection, _ context: ExecutionContext
    ) throws(MetaLearnersError) -> NuisanceEstimates {
        let roles = fitted.nuisanceModels.map(\.role).filter {
            switch $0 {
            case .joint, .armOutcome: true
            case .propensity, .marginalOutcome: false
            }
        }
        return try predictNuisances(Set(roles), rows.features, fitted, selection, context)
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

    private func predictPropensities(
        _ request: PredictionRequest, _ rows: PredictionRows, _ context: ExecutionContext
    ) throws(MetaLearnersError) -> Prediction {
        let names = try columnNames(request)
        var warnings: [String] = []
        let propensities: [[Double]]?
        if case .new(let table) = rows {
            let aligned = try AlignedRows(table, schema, spec.data)
            warnings = aligned.warnings
            let estimated = try predictNuisances(
                [.propensity], aligned.features, fitted, .combined, context)
            propensities = try servingPropensities(estimated.propensities, table, &warnings)
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
