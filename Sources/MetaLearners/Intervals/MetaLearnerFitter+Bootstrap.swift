import MetaLearnersCore

extension MetaLearnerFitter {
    /// How often a resample that cannot be fitted (an arm may be missing from it) is drawn anew.
    private static let attempts = 20
    /// The part of the seed that resamples are drawn from.
    private static let seedPath: UInt64 = 0x424F_4F54

    /// Repeats the fit on resamples of the rows, side by side.
    ///
    /// A resample is the same dataset under other weights: how often a row was drawn times its own weight. Covariates are
    /// neither copied nor binned again, copies of a row share its fold, and rows that were not drawn take no part.
    ///
    /// - Throws: what fitting throws, where a resample cannot be fitted however often it is drawn.
    func fitBootstrap(_ dataset: CausalDataset, _ scheduler: Scheduler) throws(MetaLearnersError)
        -> FittedIntervals
    {
        let samples = spec.intervals.samples
        let resampling = Resampling(dataset)
        let results = ResultSlots<FittedEffects>(count: samples)
        try scheduler.run("intervals", count: samples) { index, context throws(MetaLearnersError) in
            results[index] = try fitResample(dataset, resampling, index, context)
        }
        return .bootstrap((0..<samples).compactMap { results[$0] })
    }

    private func fitResample(
        _ dataset: CausalDataset, _ resampling: Resampling, _ index: Int, _ context: ExecutionContext
    ) throws(MetaLearnersError) -> FittedEffects {
        var attempt = 0
        while true {
            let seed = RandomStream.derivedSeed(
                UInt64(spec.seed), Self.seedPath, UInt64(index), UInt64(attempt))
            var stream = RandomStream(seed: seed)
            let counts = resampling.draw(&stream)
            do throws(MetaLearnersError) {
                return try reseeded(Int(seed >> 1)).fitOnce(dataset.resampled(counts), context)
            } catch {
                attempt += 1
                let mayPass = error.kind == .invalidData || error.kind == .numericalFailure
                guard mayPass, attempt < Self.attempts else {
                    guard mayPass else { throw error }
                    throw MetaLearnersError(
                        error.kind, at: "intervals",
                        "no resample of the rows can be fitted: \(error.description)",
                        remedy: "use fewer folds, or intervals.method: none")
                }
            }
        }
    }

    /// Fits what predicting new rows takes, and no more.
    private func fitOnce(_ dataset: CausalDataset, _ context: ExecutionContext) throws(MetaLearnersError)
        -> FittedEffects
    {
        let scheduler = Scheduler(
            ExecutionOptions(threads: context.threads, cancellation: context.cancellation))
        let serving = learner.predictionRoles(armCount: dataset.armCount)
            .filter { !$0.isPropensity || dataset.knownPropensities == nil }
        let request = NuisanceRequest(
            dataset: dataset, fingerprint: 0,
            repeats: try FoldAssignment.repeats(
                1, dataset, count: spec.crossFitting.folds, seed: UInt64(spec.seed)),
            reused: nil, isNested: false)
        let needed =
            learner.effectRoles(armCount: dataset.armCount).isEmpty
            ? [] : learner.nuisanceRoles(armCount: dataset.armCount)
        let wanted = Set(needed + serving).filter { !$0.isPropensity || dataset.knownPropensities == nil }
            .sorted { $0.code < $1.code }
        let fits = try run(
            request,
            wanted.map { role in
                var parts: CrossFitter.Parts = needed.contains(role) ? .folds : []
                if serving.contains(role) { parts.insert(.full) }
                return (role, parts)
            },
            effectParts: .full, scheduler)
        return FittedEffects(
            nuisanceModels: fits.nuisances.models(serving, refitted: Set(serving)).map(\.withoutFolds),
            predictor: LearnerPredictor(learner: learner, effectModels: fits.effects.map(\.fitted)))
    }
}

extension FittedRole {
    /// The model of all rows alone.
    var withoutFolds: FittedRole {
        guard models.fullModel != nil else { return self }
        return FittedRole(
            role: role, models: CrossFittedModels(foldModels: [], fullModel: models.fullModel))
    }
}
