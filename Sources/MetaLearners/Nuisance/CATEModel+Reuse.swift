import MetaLearnersCore

extension CATEModel {
    /// The nuisances that the model was fitted with, ready for the next learner on the same rows: `nuisances` where
    /// they are at hand; of a model that was read from a file, its models of the folds predict again what they left out,
    /// which costs a prediction instead of a fit.
    ///
    /// A file has the nuisances of its own learner alone, those of `in_sample: nested` without the fits that leave two
    /// folds out.
    ///
    /// - Parameters:
    ///   - dataset: the rows that the model was fitted to.
    ///   - registry: where the base learners are found.
    /// - Throws: `invalidData` for other rows, `unsupported` for a model that was saved without its training rows,
    ///   `cancelled`.
    public func nuisances(
        fittedTo dataset: CausalDataset, registry: EstimatorRegistry = .default,
        _ options: ExecutionOptions = ExecutionOptions()
    ) throws(MetaLearnersError) -> NuisanceFit {
        let context = Scheduler(options).context
        try requireTraining(dataset, context)
        if let nuisances { return nuisances }
        let training = try requireRecord()
        let fitter = try MetaLearnerFitter(spec, registry: registry)
        let crossFitter = CrossFitter(training.repeats, aggregation: spec.crossFitting.aggregation)
        let covariates = try schema.align(dataset.everyColumn).table
        var components: [NuisanceComponent] = []
        // The models of `auto` are blends that no spec describes: no other learner would fit the same.
        for fitted in spec.learner == .auto ? [] : nuisanceModels {
            let placed = spec.models.model(of: fitted.role, armLabels)
            let seen = try ModelsSpec.features(placed, in: covariates)
            let outOfFold = try crossFitter.outOfFold(
                fitted.models.foldModels, fitted.role == .joint ? seen.underEveryArm(armLabels) : [seen],
                classes: fitted.role.isPropensity ? armLabels.count : outcomeKind.outputCount, context)
            guard !outOfFold.isEmpty else { continue }
            components.append(
                NuisanceComponent(
                    role: fitted.role, origin: fitter.origin(of: fitted.role, placed), models: fitted.models,
                    outOfFold: outOfFold, outOfPairs: []))
        }
        return NuisanceFit(
            estimates: training.nuisances, overlap: overlap, calibration: calibration,
            repeats: training.repeats, aggregation: spec.crossFitting.aggregation, outcomeKind: outcomeKind,
            fingerprint: training.fingerprint, components: components)
    }
}

extension MetaLearnerFitter {
    /// Of the nuisances of another model of the same rows, those that this fitter would fit in just the same way: by
    /// the same base learner, columns and seed. `fit` takes them, fits the others, and gives the model that it would
    /// give without them, to the byte.
    ///
    /// - Throws: what `CATEModel.nuisances(fittedTo:registry:_:)` throws.
    public func nuisances(
        of model: CATEModel, fittedTo dataset: CausalDataset, registry: EstimatorRegistry = .default,
        _ options: ExecutionOptions = ExecutionOptions()
    ) throws(MetaLearnersError) -> NuisanceFit {
        reusable(try model.nuisances(fittedTo: dataset, registry: registry, options), by: self, dataset)
    }
}
