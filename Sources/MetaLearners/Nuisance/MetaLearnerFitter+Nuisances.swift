import MetaLearnersCore

extension MetaLearnerFitter {
    /// The nuisances that a fit of the learner to data of so many arms has: those that it needs, and what average effects
    /// take in any case: the propensity, where that is not known, and some model of the outcome.
    public func nuisanceRoles(_ dataset: CausalDataset) -> [NuisanceRole] {
        var roles = learner.nuisanceRoles(armCount: dataset.armCount)
        // (Any learner's fit gives average effects.)
        if roles == [.propensity] { roles = (1..<dataset.armCount).map { .marginalOutcome(arm: $0) } + roles }
        if !roles.contains(.propensity) { roles.append(.propensity) }
        if dataset.knownPropensities != nil { roles.removeAll(where: \.isPropensity) }
        return roles
    }

    /// Fits nuisances of `dataset` out of fold, as `fit` would, without any effect model.
    ///
    /// - Parameters:
    ///   - roles: which; nil for those of the learner.
    ///   - folds: folds drawn elsewhere; nil to draw them from the spec's seed.
    ///   - reused: nuisances fitted before, which are not fitted again.
    /// - Throws: as `fit`.
    public func fitNuisances(
        _ dataset: CausalDataset, roles: [NuisanceRole]? = nil, folds: FoldAssignment? = nil,
        reusing reused: NuisanceFit? = nil, _ options: ExecutionOptions = ExecutionOptions()
    ) throws(MetaLearnersError) -> NuisanceFit {
        let scheduler = Scheduler(options)
        let request = try request(dataset, folds, reused, scheduler)
        let wanted = (roles ?? nuisanceRoles(dataset)).filter {
            !$0.isPropensity || dataset.knownPropensities == nil
        }
        let plan = try NuisancePlan(self, request, wanted.map { ($0, .folds) })
        var graph = TaskGraph()
        _ = plan.schedule(in: &graph)
        try scheduler.run(graph)
        return try plan.fit()
    }

    /// What all nuisances of a fit have in common.
    struct NuisanceRequest: Sendable {
        let dataset: CausalDataset
        let fingerprint: UInt64
        let repeats: [FoldAssignment]
        let reused: NuisanceFit?
        /// Whether effects of training rows leave a row's fold out of the nuisances as well.
        let isNested: Bool
    }

    /// Draws or takes over the folds, and checks that reused nuisances belong to the dataset and to these folds.
    func request(
        _ dataset: CausalDataset, _ folds: FoldAssignment?, _ reused: NuisanceFit?, _ scheduler: Scheduler
    ) throws(MetaLearnersError) -> NuisanceRequest {
        try spec.models.requireArms(dataset.treatment.labels)
        let fingerprint = dataset.fingerprint(scheduler.context)
        let repeats = try assignFolds(dataset, folds)
        if let reused {
            guard reused.fingerprint == fingerprint else {
                throw MetaLearnersError(
                    .invalidArgument, at: "nuisances", "were fitted to other data",
                    remedy: "fit without them, or give the very rows, in the same order")
            }
            guard reused.repeats == repeats,
                reused.aggregation == spec.crossFitting.aggregation || repeats.count == 1
            else {
                throw MetaLearnersError(
                    .invalidArgument, at: "nuisances", "were fitted on other folds",
                    remedy: "use the same cross_fitting and seed, or give the folds")
            }
        }
        let isNested = spec.crossFitting.inSample == .nested
        guard !isNested || repeats.allSatisfy({ $0.count > 2 }) else {
            throw MetaLearnersError(
                .invalidArgument, at: "folds", "are too few for in_sample: nested, which leaves two out",
                remedy: "give three folds or more")
        }
        return NuisanceRequest(
            dataset: dataset, fingerprint: fingerprint, repeats: repeats, reused: reused,
            isNested: isNested)
    }

    private func assignFolds(_ dataset: CausalDataset, _ given: FoldAssignment?) throws(MetaLearnersError)
        -> [FoldAssignment]
    {
        guard let given else {
            return try FoldAssignment.repeats(
                spec.crossFitting.repeats, dataset, count: spec.crossFitting.folds, seed: UInt64(spec.seed))
        }
        guard given.folds.count == dataset.rowCount else {
            throw MetaLearnersError(
                .invalidArgument, at: "folds",
                "has \(given.folds.count) rows for \(dataset.rowCount) rows of data")
        }
        if given.isCrossFitted { try given.requireEveryArm(outside: dataset) }
        return [given]
    }

    /// The seed of a role's fits.
    private func seed(of role: NuisanceRole) -> UInt64 {
        RandomStream.derivedSeed(UInt64(spec.seed), 1, role.code)
    }

    /// All that decides a role's models beside data and folds.
    func origin(of role: NuisanceRole, _ placed: ModelsSpec.Placed) -> String {
        var object = completeModel(placed).objectValue ?? SpecObject()
        object["calibration"] = nil
        object["seed"] = .string(String(seed(of: role)))
        return SpecValue.object(object).json()
    }

    /// What a role asks of its backend.
    private func task(of role: NuisanceRole, _ dataset: CausalDataset) -> Capabilities {
        if role.isPropensity { return dataset.armCount > 2 ? [.multiclass] : [.binary] }
        return dataset.outcome.kind.objective.capability
    }

    /// What a role's models are fitted to, once its backend is known to be able to do it.
    func nuisanceJob(
        _ role: NuisanceRole, _ dataset: CausalDataset, _ placed: ModelsSpec.Placed, parts: CrossFitter.Parts
    ) throws(MetaLearnersError) -> CrossFitter.Job {
        let estimator = try estimator(placed)
        let arms = dataset.treatment.arms
        var features = try ModelsSpec.features(placed, in: dataset.covariates)
        try require(estimator, at: placed.place, task(of: role, dataset), dataset, features)
        var predictionFeatures: [Table] = []
        var target = dataset.outcome.values
        var objective = dataset.outcome.kind.objective
        var rows = dataset.activeRows ?? Array(0..<Int32(dataset.rowCount))
        switch role {
        case .propensity:
            target = arms.map(Double.init)
            objective = .classification(classes: dataset.armCount)
        case .armOutcome(let arm):
            rows.removeAll { arms[Int($0)] != arm }
        case .marginalOutcome(let arm):
            if dataset.armCount > 2, arm > 0 { rows.removeAll { arms[Int($0)] != arm && arms[Int($0)] != 0 } }
        case .joint:
            predictionFeatures = features.underEveryArm(dataset.treatment.labels)
            features = features.appending(.treatment(StridedValues(arms), dataset.treatment.labels))
        }
        let task = try TrainingTask(
            features: features, rows: rows, target: target, weights: dataset.weights,
            clusters: dataset.clusters, objective: objective, seed: seed(of: role), cache: dataset.cache)
        return CrossFitter.Job(
            name: role.name(dataset.treatment.labels), estimator: estimator, task: task, parts: parts,
            predictionFeatures: predictionFeatures)
    }
}
