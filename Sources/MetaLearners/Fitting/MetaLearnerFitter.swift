import MetaLearnersCore

/// Fits a learner: a checked spec with its base learners, ready for any dataset.
public struct MetaLearnerFitter: Sendable {
    /// The checked spec.
    public let spec: MetaLearnerSpec
    /// The spec with every default of every base learner.
    public let completeSpec: SpecValue
    package let strategy: any FittingStrategy
    package let registry: Registry

    /// Checks a spec and finds what it names.
    ///
    /// - Throws: `invalidSpec`, naming the key; what `EstimatorRegistry.loadingPlugin(at:)` throws for one of the
    ///   spec's `plugins`.
    public init(_ spec: MetaLearnerSpec, registry: Registry) throws(MetaLearnersError) {
        var spec = try spec.validated()
        let registry = spec.plugins.isEmpty ? registry : try registry.loadingPlugins(at: spec.plugins)
        spec.plugins = []
        spec.learner = try registry.learnerKind(
            named: spec.learner.rawValue, at: SpecPath.root.appending("learner"))
        self.spec = spec
        self.registry = registry
        strategy = try registry.strategy(of: spec)
        completeSpec = strategy.completeSpec
    }

    /// The same with another strategy, such as one with other numbers.
    package init(_ fitter: MetaLearnerFitter, strategy: any FittingStrategy) {
        spec = fitter.spec
        completeSpec = fitter.completeSpec
        registry = fitter.registry
        self.strategy = strategy
    }

    /// Fits the learner to `dataset`.
    ///
    /// With a collective (`ExecutionOptions.collective`) the dataset is a part of the rows
    /// (`CausalDataset.init(_:_:partOf:)`), every process calls this with the same spec, and all get the same model; what it
    /// keeps of training rows are those of the process.
    ///
    /// - Parameters:
    ///   - dataset: the rows to learn from.
    ///   - folds: folds drawn elsewhere (one repeat); nil to draw them from the spec's seed.
    ///   - reused: nuisances that were fitted before to the same rows on the same folds, by the same models; they are
    ///     not fitted again, and the result is the same to the bit.
    ///   - options: how to run.
    /// - Throws: `invalidData`, `unsupported` where a backend cannot do what its role asks, `cancelled`,
    ///   `numericalFailure` (also for a model that could not be read back from a file), `outOfMemory` where the memory limit does not do; `invalidArgument` for reused nuisances of
    ///   other data, folds, models or another seed.
    public func fit(
        _ dataset: CausalDataset, folds: FoldAssignment? = nil, nuisances reused: NuisanceFit? = nil,
        _ options: ExecutionOptions = ExecutionOptions()
    ) throws(MetaLearnersError) -> CATEModel {
        guard let collective = options.collective else {
            return try fitAlone(dataset, folds: folds, nuisances: reused, options)
        }
        let distribution = try DistributedRows(collective, rows: dataset.rowCount)
        do throws(MetaLearnersError) {
            guard folds == nil, reused == nil else {
                throw MetaLearnersError(
                    .unsupported, at: folds == nil ? "nuisances" : "folds",
                    "cannot be given for rows that several processes hold yet", remedy: "leave them out")
            }
            try distribution.requireSame(spec.specValue.json() + Version.current, "specs")
            try requireCollective()
            let model = try fitAlone(dataset.joined(distribution), folds: nil, nuisances: nil, options)
            try distribution.finish()
            return model
        } catch {
            distribution.leave(for: error)
            throw error
        }
    }

    /// Checks that the spec can be fitted to rows that several processes hold, as far as that does not hang on the learner.
    private func requireCollective() throws(MetaLearnersError) {
        guard ![.auto, .none].contains(spec.intervals.method) else { return }
        throw MetaLearnersError(
            .unsupported, at: "intervals.method",
            "\(spec.intervals.method.rawValue) intervals take no part in a collective fit yet",
            remedy: "use intervals.method: none")
    }

    /// Checks that data and folds are such that all can be fitted, before anything is.
    ///
    /// - Throws: `unsupported`, `invalidSpec`, `invalidData`.
    package func check(_ request: FitRequest) throws(MetaLearnersError) {
        if request.dataset.distribution != nil, registry.traits(of: spec.learner)?.takesPart != true {
            throw MetaLearnersError(
                .unsupported, at: "learner",
                "'\(spec.learner.rawValue)' takes no part in a collective fit yet",
                remedy: "these do: " + registry.learnerNames(where: \.takesPart))
        }
        try strategy.check(request)
    }

    /// Checks that a learner can be fitted to covariates of which only the bins of trees are kept (`RowSource`).
    private func requireStreamed(_ dataset: CausalDataset) throws(MetaLearnersError) {
        let traits = registry.traits(of: spec.learner) ?? LearnerTraits()
        guard dataset.covariates.isCoded, traits.bringsModels || traits.isComposite else { return }
        throw MetaLearnersError(
            .unsupported, at: "learner",
            "'\(spec.learner.rawValue)' needs the numbers of the covariates, and of rows that were read batch by batch only the bins of trees are kept",
            remedy: "use one of " + registry.learnerNames { !$0.bringsModels && !$0.isComposite }
                + ", with trees as base learners; or fit to a table, such as one of a sample of the rows")
    }

    /// The fitter of the spec with what `auto` means for this dataset, where that is not what it means for most.
    ///
    /// - Parameter folds: how many there are already, given or of nuisances that are reused.
    private func resolved(for dataset: CausalDataset, folds: Int?) throws(MetaLearnersError)
        -> MetaLearnerFitter?
    {
        var spec = spec
        if let folds, spec.crossFitting.folds == .auto, folds != spec.crossFitting.foldCount {
            spec.crossFitting.folds = .exactly(folds)
        }
        // New rows get the mean of the folds' models from learners that combine others: these do not do with less of the rows, and
        // nested effects have models without two folds.
        let keepsFolds =
            folds != nil || spec.prediction != .full || spec.crossFitting.inSample == .nested
            || registry.traits(of: spec.learner)?.isComposite ?? false
        spec = try spec.resolved(for: dataset, keepsFolds: keepsFolds) ?? spec
        return spec == self.spec ? nil : try MetaLearnerFitter(spec, registry: registry)
    }

    private func fitAlone(
        _ dataset: CausalDataset, folds: FoldAssignment?, nuisances reused: NuisanceFit?,
        _ options: ExecutionOptions
    ) throws(MetaLearnersError) -> CATEModel {
        if let resolved = try resolved(for: dataset, folds: folds?.count ?? reused?.folds.count) {
            return try resolved.fitAlone(dataset, folds: folds, nuisances: reused, options)
        }
        try requireStreamed(dataset)
        let scheduler = Scheduler(options)
        let request = try FitRequest(spec, dataset, folds, reused, scheduler.context)
        try check(request)
        let plan = try strategy.plan(request, for: .model)
        var graph = TaskGraph()
        try plan.schedule(in: &graph)
        let opinion = try SecondOpinion(self, request, in: &graph)
        let resamples =
            spec.intervals.method.resamples ? try ResampledFits(self, dataset, in: &graph) : nil
        try scheduler.limited(by: strategy.footprint(dataset) + (opinion?.bytes ?? 0)).run(graph)
        let result = try plan.result(scheduler.context)
        var model = try CATEModel(self, dataset, result)
        if let opinion {
            let estimates = result.nuisances.estimates
            model.warnings += try OverlapCheck(opinion: opinion).warnings(estimates)
            model.warnings += try PropensityCheck(opinion: opinion).warnings(
                estimates, outcome: dataset.outcome.values, labels: dataset.treatment.labels)
        }
        if !result.nuisances.folds.isCrossFitted, model.hasAverageEffects {
            model.warnings.append(Self.oneFoldWarning)
        }
        if let resamples { model.intervals = resamples.intervals(result, armCount: dataset.armCount) }
        try model.requireReadable()
        return model
    }

    private static let oneFoldWarning =
        "average effects of the training rows take propensities and outcomes from models that were fitted to these very rows (cross_fitting.folds: 1): "
        + "where these are flexible, such as trees, standard errors are too small; use two folds or more"

    /// The nuisances that a fit to `dataset` has: those that the learner needs, and what average effects take in any
    /// case: the propensity, where that is not known, and some model of the outcome.
    public func nuisanceRoles(_ dataset: CausalDataset) -> [NuisanceRole] { strategy.nuisanceRoles(dataset) }

    /// Fits nuisances of `dataset` out of fold, as `fit` would, without any effect model.
    ///
    /// - Parameters:
    ///   - roles: which; nil for those of the learner. `auto` fits its own together, and takes no others.
    ///   - folds: folds drawn elsewhere; nil to draw them from the spec's seed.
    ///   - reused: nuisances fitted before, which are not fitted again.
    /// - Throws: as `fit`.
    public func fitNuisances(
        _ dataset: CausalDataset, roles: [NuisanceRole]? = nil, folds: FoldAssignment? = nil,
        reusing reused: NuisanceFit? = nil, _ options: ExecutionOptions = ExecutionOptions()
    ) throws(MetaLearnersError) -> NuisanceFit {
        if let resolved = try resolved(for: dataset, folds: folds?.count ?? reused?.folds.count) {
            return try resolved.fitNuisances(
                dataset, roles: roles, folds: folds, reusing: reused, options)
        }
        try requireStreamed(dataset)
        let scheduler = Scheduler(options)
        let request = try FitRequest(spec, dataset, folds, reused, scheduler.context)
        let source = try strategy.planNuisances(request, roles)
        var graph = TaskGraph()
        source.schedule(in: &graph)
        try scheduler.limited(by: strategy.footprintKeepingTraining(dataset)).run(graph)
        return try source.fit()
    }

    /// Of the nuisances of another model of the same rows, those that this fitter would fit in just the same way: by
    /// the same base learner, columns and seed. `fit` takes them, fits the others, and gives the model that it would
    /// give without them, to the byte.
    ///
    /// `auto` stacks nuisances of its own and takes over only those of another `auto` of the same seed that was fitted in
    /// this process: a file has not all that its effects are made of.
    ///
    /// - Throws: `unsupported` where `auto` could take over or give nothing, and what
    ///   `CATEModel.nuisances(fittedTo:_:)` throws.
    public func nuisances(
        of model: CATEModel, fittedTo dataset: CausalDataset,
        _ options: ExecutionOptions = ExecutionOptions()
    ) throws(MetaLearnersError) -> NuisanceFit {
        let reusable = strategy.reusable(
            try model.nuisances(fittedTo: dataset, options), dataset.treatment.labels)
        for kind in [spec.learner, model.spec.learner]
        where reusable.roles.isEmpty && registry.traits(of: kind)?.bringsModels == true {
            throw MetaLearnersError(
                .unsupported, at: "nuisances",
                "'\(kind.rawValue)' stacks nuisances of its own: nothing of the model could be used",
                remedy:
                    "fit without them; \(kind.rawValue) takes over nuisances that it fitted itself, with the same seed and in "
                    + "the same process")
        }
        return reusable
    }

    /// Of nuisances that were fitted before to the same rows, those that this fitter would fit in just the same way; none where
    /// there are no such.
    package func reusable(_ nuisances: NuisanceFit, _ labels: [String]) -> NuisanceFit {
        strategy.reusable(nuisances, labels)
    }

    /// How many bins the base learners of the spec put a column of numbers into, that of the outcome first; nil where none has bins.
    package var treeBins: Int? {
        for role in ["outcome", "effect", "propensity"] {
            if case .integer(let bins) = completeSpec.objectValue?["models"]?.objectValue?[role]?
                .objectValue?["max_bins"]
            {
                return bins
            }
        }
        return nil
    }

    /// Whether the learner brings base learners of its own, so that the spec's are not used.
    package var bringsModels: Bool { registry.traits(of: spec.learner)?.bringsModels == true }
}

extension MetaLearnerSpec {
    /// The spec with what `overlap.bounds: auto` and `cross_fitting.folds: auto` mean for a dataset, where that is not what they mean for
    /// most; nil else.
    ///
    /// - Parameter keepsFolds: whether there are as many folds as for most datasets in any case.
    /// - Throws: what the collective throws.
    package func resolved(for dataset: CausalDataset, keepsFolds: Bool) throws(MetaLearnersError)
        -> MetaLearnerSpec?
    {
        var spec = self
        if overlap.bounds == nil, dataset.knownPropensities == nil {
            spec.overlap.bounds = OverlapSpec.automaticBounds(armCounts: dataset.armCounts)
        }
        if !keepsFolds, crossFitting.folds == .auto,
            let folds = CrossFittingSpec.automaticFolds(
                smallestStratum: try FoldAssignment.smallestStratum(of: dataset))
        {
            spec.crossFitting.folds = .exactly(folds)
        }
        return spec == self ? nil : spec
    }
}
