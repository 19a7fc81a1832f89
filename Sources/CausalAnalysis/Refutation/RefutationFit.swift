import MetaLearners
import MetaLearnersCore

/// Estimates the average effects of a study anew on changed data: by the spec's nuisances and AIPW, and by whole fits where
/// the study has effects of a model, so that their spread can be compared as well.
struct RefutationFit: Sendable {
    /// What one fit gave.
    struct Estimate: Sendable {
        /// The average effect of each arm but the control.
        let effects: [NormalEstimate]
        /// The standard deviation of the effects of each arm; empty where only nuisances are fitted.
        let spreads: [Double]
        /// How many models were fitted for it.
        let modelCount: Int
    }

    /// The rows of the study; of an outcome of several classes, with the class of the study as a binary outcome.
    let dataset: CausalDataset
    /// The estimate of the study itself.
    let original: Estimate
    /// The folds of the study; nil where they are drawn from the spec's seed.
    let folds: FoldAssignment?
    private let fitter: MetaLearnerFitter
    private let fitsEffects: Bool

    /// Takes over how a study was fitted.
    ///
    /// - Throws: `unsupported` where the study has no spec or no scores.
    init(_ study: CausalStudy) throws(MetaLearnersError) {
        try study.require([.scores, .fitting], for: "refutation")
        guard let fitting = study.fitting else {
            throw MetaLearnersError(.unsupported, at: "refutation", "needs a spec to fit anew")
        }
        fitsEffects = fitting.model != nil && study.effects != nil && study.origin != .given
        var spec = fitting.fitter.spec
        spec.intervals = IntervalSpec()
        spec.keepTraining = true
        if !fitsEffects, fitting.registry.traits(of: spec.learner)?.bringsModels != true {
            spec.learner = .dr
        }
        fitter = try MetaLearnerFitter(spec, registry: fitting.registry)
        let own = fitting.dataset
        dataset =
            fitting.outcomeClass == nil
            ? own
            : try own.replacing(outcome: Outcome(study.outcome, kind: .binary(labels: ["0", "1"])))
        folds = study.folds.flatMap { $0.isCrossFitted ? $0 : nil }
        var effects: [NormalEstimate] = []
        for arm in 1..<study.armCount { effects.append(try AIPWAnalysis.estimate(study, arm, .ate)) }
        let spreads = fitsEffects ? study.effects ?? [] : []
        original = Estimate(
            effects: effects, spreads: spreads.map { Self.spread($0, study.rowWeights) }, modelCount: 0)
    }

    /// Fits anew.
    ///
    /// - Parameters:
    ///   - dataset: the changed rows.
    ///   - known: propensities that the change leaves as they were, with the rows that have overlap by them; they are not
    ///     fitted again, and stay out of fold on the folds of the study.
    ///   - options: how to run.
    func estimate(
        _ dataset: CausalDataset, known: (propensities: [[Double]], hasOverlap: [Bool]?)? = nil,
        _ options: ExecutionOptions
    ) throws(MetaLearnersError) -> Estimate {
        var dataset = dataset
        if let known {
            // Clipped propensities of several arms do not add up to 1 any more, as known ones must.
            let sums = dataset.outcome.values.indices.map { row in
                known.propensities.reduce(0) { $0 + $1[row] }
            }
            dataset = try dataset.replacing(
                knownPropensities: known.propensities.map { zip($0, sums).map { $0 / $1 } })
        }
        let nuisances: NuisanceEstimates
        let ownOverlap: [Bool]?
        var effects: [[Double]] = []
        let modelCount: Int
        if fitsEffects {
            let model = try fitter.fit(dataset, folds: known == nil ? nil : folds, options)
            let study = try CausalStudy(model, on: dataset, options)
            nuisances = try NuisanceEstimates(
                propensities: study.propensities ?? [], armOutcomes: study.armMeans ?? [])
            ownOverlap = study.hasOverlap
            effects = study.effects ?? []
            modelCount = model.nuisances?.modelCount ?? 0
        } else {
            let fit = try fitter.fitNuisances(dataset, folds: known == nil ? nil : folds, options)
            nuisances = fit.estimates
            ownOverlap = fit.estimates.hasOverlap
            modelCount = fit.modelCount
        }
        let hasOverlap = known == nil ? ownOverlap : known?.hasOverlap
        let weights = (0..<dataset.rowCount).map { row in
            hasOverlap?[row] ?? true ? dataset.weights?[row] ?? 1 : 0
        }
        let ones = [Double](repeating: 1, count: dataset.rowCount)
        var estimates: [NormalEstimate] = []
        for arm in 1..<dataset.armCount {
            let scores = try nuisances.doublyRobustScores(
                of: arm, dataset.outcome.values, dataset.treatment.arms,
                means: (nuisances.armOutcome(0), nuisances.armOutcome(arm)))
            estimates.append(
                NormalEstimate(
                    scores: scores, shares: ones, weights: weights, clusters: dataset.clusters))
        }
        return Estimate(
            effects: estimates, spreads: effects.map { Self.spread($0, weights) }, modelCount: modelCount)
    }

    /// Runs repeats side by side; an interrupt leaves those that are done. A limit of memory holds for all fits together, which each
    /// fit can keep only by itself: with one they run one after another, each on all threads.
    ///
    /// - Returns: the results by repeat, nil for those that were not done.
    /// - Throws: what a repeat throws; `cancelled` where none was done.
    static func repeats<Value: Sendable>(
        _ stage: String, _ count: Int, _ scheduler: Scheduler,
        _ body: @Sendable (Int, ExecutionOptions) throws(MetaLearnersError) -> Value
    ) throws(MetaLearnersError) -> [Value?] {
        let slots = ResultSlots<Value>(count: count)
        do throws(MetaLearnersError) {
            let limit = scheduler.memoryLimit
            try scheduler.run(stage, count: count, sideBySide: limit == nil ? nil : 1) {
                index, context throws(MetaLearnersError) in
                let options = ExecutionOptions(
                    threads: context.threads, cancellation: context.cancellation, memoryLimit: limit)
                slots[index] = try body(index, options)
            }
        } catch {
            guard error.kind == .cancelled, (0..<count).contains(where: { slots[$0] != nil }) else {
                throw error
            }
        }
        return (0..<count).map { slots[$0] }
    }

    private static func spread(_ effects: [Double], _ weights: [Double]) -> Double {
        var moments = WeightedMoments()
        for (row, effect) in effects.enumerated() { moments.add(effect, weight: weights[row]) }
        return (moments.variance ?? 0).squareRoot()
    }
}

extension CausalDataset {
    /// The same rows with other parts.
    ///
    /// - Parameter knownPropensities: nil to keep those that there are; an empty list for none.
    package func replacing(
        covariates: Table? = nil, treatment: Treatment? = nil, outcome: Outcome? = nil,
        weights: [Double]? = nil, knownPropensities: [[Double]]? = nil
    ) throws(MetaLearnersError) -> CausalDataset {
        let known = knownPropensities ?? self.knownPropensities
        return try CausalDataset(
            covariates: covariates ?? self.covariates, treatment: treatment ?? self.treatment,
            outcome: outcome ?? self.outcome, weights: weights ?? self.weights, clusters: clusters,
            knownPropensities: known?.isEmpty == true ? nil : known)
    }

    /// Some of the rows.
    package func selecting(rows: [Int32]) throws(MetaLearnersError) -> CausalDataset {
        func of<Value>(_ values: [Value]) -> [Value] { rows.map { values[Int($0)] } }
        return try CausalDataset(
            covariates: covariates.selecting(rows: rows),
            treatment: Treatment(arms: treatment.arms[rows], labels: treatment.labels),
            outcome: Outcome(of(outcome.values), kind: outcome.kind), weights: weights.map(of),
            clusters: clusters.map(of), knownPropensities: knownPropensities.map { $0.map(of) })
    }

    /// A covariate more, under a name that no other has.
    func adding(_ name: String, _ values: [Double]) throws(MetaLearnersError) -> CausalDataset {
        var own = name
        while covariates.column(named: own) != nil { own += "_" }
        return try replacing(covariates: covariates.appending(Column(own, values)))
    }
}
