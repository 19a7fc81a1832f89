import MetaLearnersCore

/// The models of an effect, with what they were fitted to.
struct FittedEffect: Sendable {
    let fitted: FittedRole<EffectRole>
    /// What the model of all rows was fitted to.
    let task: TrainingTask
    /// What the models of folds say of the training rows; empty where there are none.
    let outOfFold: [Double]
}

/// The effect models of one fit on their way through a task graph: each is fitted as soon as the nuisances that its
/// target is made of are there.
final class EffectPlan: Sendable {
    private struct Entry: Sendable {
        let role: EffectRole
        let run: CrossFittingRun
        /// Whether the models are stages of those of another plan.
        let follows: Bool
        let bytes: Int
    }

    private let request: FitRequest
    private let models: RoleModels
    private let learner: any MetaLearner
    private let nuisances: NuisancePlan
    private let parts: CrossFitter.Parts
    private let foldTargets: FoldTargets?
    private let entries: [Entry]

    /// Where the targets of the models of a fold come from, where these have their own.
    private enum FoldTargets {
        /// From models without the fold and without that of the row (`in_sample: nested`).
        case withoutPairs
        /// From the nuisances of the fold itself, none of whose rows they saw: those of other arms never saw the row.
        case ofOtherArms
    }

    /// Of more rows, folds and repeats, multiplied, all models of folds are fitted to the same targets: what a row has to do with its own
    /// effect through these is next to nothing then, and a list of targets for each fold takes memory.
    private static let mostFoldTargets = 2_500_000

    /// Whether models of folds have targets of their own for a learner that imputes across arms.
    static func takesTargetsOfFolds(_ traits: LearnerTraits, rows: Int, _ folds: Int) -> Bool {
        traits.imputesAcrossArms && rows <= mostFoldTargets / max(folds, 1)
    }

    init(
        _ request: FitRequest, _ models: RoleModels, _ learner: any MetaLearner, _ traits: LearnerTraits,
        _ nuisances: NuisancePlan, parts: CrossFitter.Parts, following leader: EffectPlan? = nil
    ) throws(MetaLearnersError) {
        let isNested = models.spec.crossFitting.inSample == .nested
        if isNested, parts.contains(.foldModels), request.folds.isCrossFitted {
            foldTargets = .withoutPairs
        } else if !isNested, request.folds.isCrossFitted,
            Self.takesTargetsOfFolds(
                traits, rows: request.dataset.totalRowCount, request.repeats.reduce(0) { $0 + $1.count })
        {
            // (Also where the model of all rows is fitted alone: its rounds are chosen with those of the folds.)
            foldTargets = .ofOtherArms
        } else {
            foldTargets = nil
        }
        self.request = request
        self.models = models
        self.learner = learner
        self.nuisances = nuisances
        self.parts = parts
        let dataset = request.dataset
        let crossFitter = CrossFitter(request.repeats, aggregation: models.spec.crossFitting.aggregation)
        var entries: [Entry] = []
        for role in learner.effectRoles(armCount: dataset.armCount) {
            let placed = models.spec.models.model(of: role, dataset.treatment.labels)
            let features = try ModelsSpec.features(placed, in: dataset.covariates)
            let estimator = try models.estimator(placed)
            var followed: (run: CrossFittingRun, stage: Int)?
            if let leader, let ofLeader = leader.entries.first(where: { $0.role == role }),
                models.spec.crossFitting.inSample != .nested, ofLeader.run.holds(parts)
            {
                let other = leader.models.spec.models.model(of: role, dataset.treatment.labels)
                // The same columns, and the same but for the number of stages.
                if other.model.columns == placed.model.columns {
                    followed = try estimator.stage(along: leader.models.estimator(other)).map {
                        (ofLeader.run, $0)
                    }
                }
            }
            entries.append(
                Entry(
                    role: role,
                    run: CrossFittingRun(
                        crossFitter, estimator, parts: parts,
                        hasFoldTasks: foldTargets != nil, following: followed),
                    follows: followed != nil,
                    bytes: estimator.footprint(
                        rows: dataset.rowCount, of: features,
                        for: role.part == .joint
                            ? .multiResidual(regressors: Array(repeating: [], count: dataset.armCount - 1))
                            : .residual(regressor: [])
                    ).working))
        }
        self.entries = entries
    }

    /// Adds the fits to `graph`, after those of the nuisances.
    func schedule(in graph: inout TaskGraph) {
        let ready = nuisances.scheduling(in: &graph)
        let armCount = request.dataset.armCount
        for entry in entries {
            let needed = learner.nuisanceRoles(of: entry.role, armCount: armCount)
            let before = needed.flatMap { ready.roles[$0] ?? [] } + [ready.propensities]
            guard !entry.follows else {
                entry.run.schedule("effects", in: &graph)
                continue
            }
            let prepared = graph.add(nil, after: before) { [self] context throws(MetaLearnersError) in
                entry.run.start(try job(entry.role, needed, context))
            }
            entry.run.schedule("effects", in: &graph, after: [prepared], bytes: entry.bytes)
        }
    }

    /// What the effect model of a role is fitted to, once its nuisances are there.
    private func job(_ role: EffectRole, _ needed: [NuisanceRole], _ context: ExecutionContext)
        throws(MetaLearnersError) -> CrossFitter.Job
    {
        let dataset = request.dataset
        let placed = models.spec.models.model(of: role, dataset.treatment.labels)
        let estimator = try models.estimator(placed)
        let features = try ModelsSpec.features(placed, in: dataset.covariates)
        let direct = estimator.backend.capabilities.contains(.residualLoss)
        let seed = RandomStream.derivedSeed(
            UInt64(models.spec.seed), 2, UInt64(role.arm), UInt64(role.part.rawValue))
        func task(_ estimates: NuisanceEstimates) throws(MetaLearnersError) -> TrainingTask {
            try learner.pseudoOutcome(role, dataset, estimates)
                .task(dataset, features: features, direct: direct, seed: seed)
        }
        var foldTasks: [[TrainingTask]] = []
        if let foldTargets {
            for (number, folds) in request.repeats.enumerated() {
                var tasks: [TrainingTask] = []
                for fold in 0..<folds.count {
                    try context.checkCancellation()
                    let estimates =
                        switch foldTargets {
                        case .withoutPairs: try nuisances.estimates(needed, without: fold, repeat: number)
                        case .ofOtherArms:
                            try nuisances.estimates(
                                needed, ofOtherArmsWithout: fold, repeat: number, context)
                        }
                    tasks.append(try task(estimates))
                }
                foldTasks.append(tasks)
            }
        }
        return CrossFitter.Job(
            name: role.name(dataset.treatment.labels), estimator: estimator,
            task: try task(nuisances.estimates(needed)), parts: parts, foldTasks: foldTasks)
    }

    /// Lets go of everything that was fitted.
    func forget() { for entry in entries { entry.run.forget() } }

    /// The effect models, once they are fitted.
    ///
    /// - Throws: `internalFault` where the graph has not run.
    func fits() throws(MetaLearnersError) -> [FittedEffect] {
        var fits: [FittedEffect] = []
        for entry in entries {
            guard let task = entry.run.task else {
                throw MetaLearnersError(.internalFault, at: entry.role.name([]), "was not fitted")
            }
            let fit = entry.run.fit()
            fits.append(
                FittedEffect(
                    fitted: FittedRole(role: entry.role, models: fit.models), task: task,
                    outOfFold: fit.outOfFold.first ?? []))
        }
        return fits
    }
}
