import LinearEstimators
import MetaLearnersCore

extension MetaLearnerFitter {
    /// Fits `auto`: nuisances stacked from trees and linear models, and effects combined by their R-loss.
    ///
    /// - Throws: `invalidData`, `unsupported`, `cancelled`, `numericalFailure`.
    func fitAuto(
        _ request: NuisanceRequest, _ settings: AutoSettings, _ scheduler: Scheduler
    ) throws(MetaLearnersError) -> CATEModel {
        let dataset = request.dataset
        try requirePlainFit(request)
        guard let folds = request.repeats.first, request.repeats.count == 1 else {
            throw MetaLearnersError(
                .unsupported, at: "cross_fitting.repeats", "auto has no repeats",
                remedy: "use more folds: cross_fitting.folds: 10")
        }
        var settings = settings
        let design = try Self.design(dataset, folds, &settings, scheduler.context)
        let members = MemberFits(
            design: design, folds: folds, rowsInFold: (0..<folds.count).map(folds.rows(in:)),
            weights: dataset.weights)
        let pairs = (1..<dataset.armCount).map {
            AutoPair(dataset, arm: $0, settings, seed: UInt64(spec.seed), width: design.width)
        }
        var nuisances: [AutoNuisances] = []
        for pair in pairs { nuisances.append(try pair.fitNuisances(members, scheduler)) }
        let assembled = try assemble(request, nuisances, settings, design)
        var effects: [AutoEffect] = []
        for (pair, known) in zip(pairs, nuisances) {
            effects.append(
                try pair.fitEffects(
                    known, hasOverlap: assembled.estimates.hasOverlap, members, scheduler))
        }
        return CATEModel(
            fitter: self, dataset: dataset, nuisances: assembled, estimates: assembled.estimates,
            nuisanceModels: assembled.models(assembled.roles, refitted: []),
            predictor: AutoPredictor(
                effects, leastShare: dataset.knownPropensities == nil ? settings.leastShare : 0, design),
            trainingEffects: effects.map(\.values))
    }

    /// The design matrix of all feature maps; products are left out where they would be too many. The levels of large
    /// categories are scored by outcome and treatment.
    private static func design(
        _ dataset: CausalDataset, _ folds: FoldAssignment, _ settings: inout AutoSettings,
        _ context: ExecutionContext
    ) throws(MetaLearnersError) -> DesignMatrix {
        let arms = dataset.treatment.arms
        let scoring = LevelScoring(
            targets: [dataset.outcome.values]
                + (1..<dataset.armCount).map { arm in arms.map { Int($0) == arm ? 1 : 0 } },
            folds: folds.folds)
        let plain = try DesignMatrix(
            dataset.covariates, weights: dataset.weights, expansion: .splines, scoring: scoring, context)
        let linear = plain.columns(.none).count
        guard plain.width + linear * (linear - 1) / 2 <= settings.widthLimit else {
            settings.map = .splines
            return plain
        }
        return try DesignMatrix(
            dataset.covariates, weights: dataset.weights, expansion: .splinesInteractions, scoring: scoring,
            context)
    }

    /// The nuisances as any learner has them, with their models.
    private func assemble(
        _ request: NuisanceRequest, _ nuisances: [AutoNuisances], _ settings: AutoSettings,
        _ design: DesignMatrix
    ) throws(MetaLearnersError) -> NuisanceFit {
        let dataset = request.dataset
        let isBinary = dataset.outcome.kind.isBinary
        let folds = request.repeats[0].count
        var components: [NuisanceComponent] = []
        func add(_ role: NuisanceRole, _ models: [any FittedEstimator], _ outOfFold: [Double]) {
            components.append(
                NuisanceComponent(
                    role: role, origin: "auto \(spec.seed)",
                    models: CrossFittedModels(foldModels: models, fullModel: nil), outOfFold: [outOfFold],
                    outOfPairs: []))
        }
        if dataset.knownPropensities == nil {
            let models = (0..<folds).map { fold in
                BlendedPropensity(nuisances.map { $0.shareBlends[fold] }, design)
            }
            var shares: [Double] = []
            for row in 0..<dataset.rowCount {
                let odds = nuisances.map { $0.share[row] / (1 - $0.share[row]) }
                let total = 1 + odds.reduce(0, +)
                shares.append(1 / total)
                shares += odds.map { $0 / total }
            }
            add(.propensity, models, shares)
        }
        for arm in 0..<dataset.armCount {
            // The control has an outcome in every pair: the first one's.
            let pair = nuisances[max(arm - 1, 0)]
            let member = arm == 0 ? 0 : 1
            let share = pair.share.reduce(0, +) / Double(dataset.rowCount)
            let models = (0..<folds).map { fold in
                BlendedOutcome(
                    pair.meanFormulas[member][fold], pair.trees, fold: fold,
                    share: pair.shareBlends.isEmpty ? nil : pair.shareBlends[fold], knownShare: share,
                    leastShare: settings.leastShare, isBinary: isBinary, design)
            }
            add(
                .armOutcome(arm), models,
                isBinary
                    ? pair.means[member].flatMap { value in
                        let probability = min(max(value, 0), 1)
                        return [1 - probability, probability]
                    } : pair.means[member])
        }
        let assembled = try NuisanceAssembly(
            dataset: dataset, policy: spec.overlap, calibration: spec.models.propensity.calibration
        ).propensities(components.first { $0.role.isPropensity }?.outOfFold.first, request.repeats[0])
        var estimates = NuisanceEstimates(rowCount: dataset.rowCount, armCount: dataset.armCount)
        let outcomes = components.filter { !$0.role.isPropensity }
        estimates.store(outcomes.map { ($0.role, $0.outOfFold) }, of: dataset.outcome.kind)
        estimates.propensities = assembled.values
        estimates.hasOverlap = assembled.hasOverlap
        return NuisanceFit(
            estimates: estimates, overlap: assembled.overlap, calibration: assembled.calibration,
            repeats: request.repeats, aggregation: spec.crossFitting.aggregation,
            outcomeKind: dataset.outcome.kind, fingerprint: request.fingerprint, components: components)
    }
}
