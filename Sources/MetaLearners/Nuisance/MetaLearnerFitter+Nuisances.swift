import MetaLearnersCore

/// The nuisances of a dataset, with the models behind them.
public struct NuisanceFit: Sendable {
    /// Out of fold, after the overlap policy.
    public let estimates: NuisanceEstimates
    /// How the propensities stood to the bounds.
    public let overlap: OverlapReport
    /// The folds that everything is fitted on.
    public let folds: FoldAssignment
    /// The models by role.
    let models: [FittedRole<NuisanceRole>]
}

/// The models of a role: one a fold, and one of all rows where that was wanted.
struct FittedRole<Role: Sendable>: Sendable {
    let role: Role
    let models: CrossFittedModels
}

extension MetaLearnerFitter {
    /// Fits what the learner needs to know of outcome and treatment, out of fold, and what average effects take in
    /// any case: the propensity, and some model of the outcome.
    ///
    /// - Parameters:
    ///   - folds: folds drawn elsewhere; nil to draw them from the spec's seed.
    ///   - refitting: the roles to fit on all rows as well.
    func fitNuisances(
        _ dataset: CausalDataset, folds given: FoldAssignment?, refitting: Set<NuisanceRole>,
        _ scheduler: Scheduler
    ) throws(MetaLearnersError) -> NuisanceFit {
        let folds = try assignFolds(dataset, given)
        var roles = learner.nuisanceRoles(armCount: dataset.armCount)
        if roles == [.propensity] { roles = (1..<dataset.armCount).map { .marginalOutcome(arm: $0) } + roles }
        if !roles.contains(.propensity) { roles.append(.propensity) }
        if dataset.knownPropensities != nil { roles.removeAll(where: \.isPropensity) }
        try require(
            outcomeModel, for: "outcome", dataset.outcome.kind.isBinary ? [.binary] : [.regression], dataset)
        if roles.contains(.propensity) {
            try require(
                propensityModel, for: "propensity", dataset.armCount > 2 ? [.multiclass] : [.binary], dataset)
        }
        var jobs: [CrossFitter.Job] = []
        for role in roles {
            jobs.append(try job(role, dataset, refit: spec.prediction == .full && refitting.contains(role)))
        }
        let fits = try CrossFitter(folds).fit(jobs, stage: "nuisances", scheduler)

        var estimates = NuisanceEstimates(rowCount: dataset.rowCount, armCount: dataset.armCount)
        for (role, fit) in zip(roles, fits) {
            estimates.store(fit.outOfFold, of: role, isBinary: dataset.outcome.kind.isBinary)
        }
        let overlap = try spec.overlap.apply(
            dataset.knownPropensities ?? estimates.propensities ?? [], dataset.treatment.labels,
            isKnown: dataset.knownPropensities != nil)
        estimates.propensities = overlap.propensities
        estimates.hasOverlap = overlap.hasOverlap
        for arm in 0..<dataset.armCount where estimates.rows(ofArms: [arm], dataset).isEmpty {
            throw MetaLearnersError(
                .invalidData, at: "overlap",
                "arm '\(dataset.treatment.labels[arm])' has no row left after trimming to \(spec.overlap.bounds)",
                remedy: "widen overlap.bounds or use overlap.policy: clip")
        }
        return NuisanceFit(
            estimates: estimates, overlap: overlap.report, folds: folds,
            models: zip(roles, fits).map { FittedRole(role: $0, models: $1.models) })
    }

    private func assignFolds(_ dataset: CausalDataset, _ given: FoldAssignment?) throws(MetaLearnersError)
        -> FoldAssignment
    {
        guard let given else {
            guard spec.crossFitting.folds > 1 else { return .none(rowCount: dataset.rowCount) }
            return try FoldAssignment(dataset, count: spec.crossFitting.folds, seed: UInt64(spec.seed))
        }
        guard given.folds.count == dataset.rowCount else {
            throw MetaLearnersError(
                .invalidArgument, at: "folds",
                "has \(given.folds.count) rows for \(dataset.rowCount) rows of data")
        }
        if given.isCrossFitted { try given.requireEveryArm(outside: dataset) }
        return given
    }

    private func job(_ role: NuisanceRole, _ dataset: CausalDataset, refit: Bool) throws(MetaLearnersError)
        -> CrossFitter.Job
    {
        let arms = dataset.treatment.arms
        let isBinary = dataset.outcome.kind.isBinary
        var features = dataset.covariates
        var predictionFeatures: [Table] = []
        var target = dataset.outcome.values
        var objective: TrainingTask.Objective = isBinary ? .classification(classes: 2) : .regression
        var rows = Array(0..<Int32(dataset.rowCount))
        switch role {
        case .propensity:
            target = arms.map(Double.init)
            objective = .classification(classes: dataset.armCount)
        case .armOutcome(let arm):
            rows.removeAll { arms[Int($0)] != arm }
        case .marginalOutcome(let arm):
            if dataset.armCount > 2 { rows.removeAll { arms[Int($0)] != arm && arms[Int($0)] != 0 } }
        case .joint:
            features = dataset.covariates.appending(.treatment(StridedValues(arms), dataset.treatment.labels))
            predictionFeatures = dataset.covariates.underEveryArm(dataset.treatment.labels)
        }
        let task = try TrainingTask(
            features: features, rows: rows, target: target, weights: dataset.weights,
            clusters: dataset.clusters,
            objective: objective, seed: RandomStream.derivedSeed(UInt64(spec.seed), 1, role.code),
            cache: dataset.cache)
        return CrossFitter.Job(
            name: role.name(dataset.treatment.labels),
            estimator: role.isPropensity ? propensityModel : outcomeModel,
            task: task, refit: refit, predictionFeatures: predictionFeatures)
    }
}

extension NuisanceEstimates {
    /// Takes over the predictions of a role's models: a list for each of its prediction features.
    mutating func store(_ predictions: [[Double]], of role: NuisanceRole, isBinary: Bool) {
        /// One output of several: for a binary outcome the probability of 1.
        func output(_ values: [Double], _ index: Int, of count: Int) -> [Double] {
            count == 1 ? values : stride(from: index, to: values.count, by: count).map { values[$0] }
        }
        let outputs = isBinary ? 2 : 1
        switch role {
        case .propensity:
            propensities = (0..<armCount).map { output(predictions.first ?? [], $0, of: armCount) }
        case .armOutcome(let arm):
            armOutcomes[arm] = output(predictions.first ?? [], outputs - 1, of: outputs)
        case .marginalOutcome(let arm):
            marginalOutcomes[arm] = output(predictions.first ?? [], outputs - 1, of: outputs)
        case .joint:
            for (arm, values) in predictions.enumerated() {
                armOutcomes[arm] = output(values, outputs - 1, of: outputs)
            }
        }
    }
}

extension Column {
    /// The treatment as a feature of the S-learner's model.
    static func treatment(_ arms: StridedValues, _ labels: [String]) -> Column {
        Column("(treatment)", codes: arms, levels: labels)
    }
}

extension Table {
    /// The features of the S-learner's model, with each arm in turn in every row; nothing is copied.
    func underEveryArm(_ labels: [String]) -> [Table] {
        labels.indices.map { arm in
            appending(.treatment(StridedValues(repeating: Int32(arm), count: rowCount), labels))
        }
    }
}
