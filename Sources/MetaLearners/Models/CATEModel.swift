import MetaLearnersCore

/// A fitted meta-learner: it predicts effects for new rows and knows those of its training rows.
///
/// Immutable; any number of threads may use one at once.
public struct CATEModel: Sendable {
    /// The spec it was fitted with.
    public let spec: MetaLearnerSpec
    /// The spec with every default of every base learner.
    public let completeSpec: SpecValue
    /// The arms, the control first.
    public let armLabels: [String]
    /// Whether the outcome was numbers or 0 and 1.
    public let outcomeKind: Outcome.Kind
    /// The columns that it needs to predict.
    public let schema: CovariateSchema
    /// How many rows it was fitted to, by arm.
    public let armCounts: [Int]
    /// How the propensities of the training rows stood to the bounds.
    public let overlap: OverlapReport
    /// How the propensities were calibrated, with what it brought; nil where they were not.
    public let calibration: PropensityCalibration?
    /// What the user should know of how the fit went.
    public let warnings: [String]
    /// What belongs to the training rows; nil for a model that was saved without.
    public let training: TrainingRecord?
    /// The nuisances it was fitted with, and those it was given: what the next learner on the same rows may reuse. Nil for a
    /// model that was read from a file.
    public let nuisances: NuisanceFit?
    /// For each arm but the control, the share of its rows' weight among all: what stands for known propensities
    /// where new rows come without them.
    let armShares: [Double]
    let nuisanceModels: [FittedRole<NuisanceRole>]
    /// What turns covariates and nuisances into effects: a learner, or an ensemble.
    let predictor: any EffectPredictor
    /// What the intervals of effects are made of; nil where there are none.
    var intervals: FittedIntervals?

    /// The models that effects come from.
    var fitted: FittedEffects { FittedEffects(nuisanceModels: nuisanceModels, predictor: predictor) }

    /// The effect of each arm but the control for each training row, in the dataset's order: out of fold at every
    /// stage. Empty for a model that was saved without its training rows.
    public var trainingEffects: [[Double]] { training?.effects ?? [] }

    /// How many rows it was fitted to.
    public var trainingRowCount: Int { armCounts.reduce(0, +) }
}

extension CATEModel {
    init(
        fitter: MetaLearnerFitter, dataset: CausalDataset, nuisances: NuisanceFit,
        estimates: NuisanceEstimates, nuisanceModels: [FittedRole<NuisanceRole>],
        predictor: any EffectPredictor, trainingEffects: [[Double]], intervals: FittedIntervals? = nil
    ) {
        spec = fitter.spec
        completeSpec = fitter.completeSpec
        armLabels = dataset.treatment.labels
        outcomeKind = dataset.outcome.kind
        schema = CovariateSchema(dataset.covariates, unseenLevels: fitter.spec.data.unseenLevels)
        armCounts = dataset.treatment.counts
        overlap = nuisances.overlap
        calibration = nuisances.calibration
        armShares = dataset.armShares
        self.nuisanceModels = nuisanceModels
        self.nuisances = nuisances
        self.predictor = predictor
        self.intervals = intervals
        training = TrainingRecord(
            dataset, repeats: nuisances.repeats, nuisances: estimates, effects: trainingEffects,
            fingerprint: nuisances.fingerprint)
        var notes = dataset.warnings
        if overlap.touched > 0 {
            let verb = overlap.policy == .trim ? "left out" : "clipped"
            notes.append(
                "overlap: \(overlap.touched) of \(dataset.rowCount) rows have a propensity outside "
                    + "\(overlap.bounds) and were \(verb)")
        }
        let labels = dataset.treatment.labels
        notes += nuisanceModels.flatMap { $0.warnings(name: $0.role.name(labels)) }
        notes += predictor.warnings(labels)
        let effectModels = (predictor as? LearnerPredictor)?.effectModels ?? []
        let used =
            nuisanceModels.compactMap { $0.models.everyModel.first?.backendName }
            + effectModels.compactMap { $0.models.everyModel.first?.backendName }
        notes += fitter.sparseWarnings(dataset, backends: Set(used))
        warnings = notes
    }
}

extension CATEModel {
    /// The same with these intervals.
    func with(_ intervals: FittedIntervals) -> CATEModel {
        var model = self
        model.intervals = intervals
        return model
    }
}

extension CausalDataset {
    /// Each arm's share of the weight.
    var armShares: [Double] {
        var totals = [Double](repeating: 0, count: armCount)
        for (row, arm) in treatment.arms.enumerated() { totals[Int(arm)] += weights?[row] ?? 1 }
        let sum = totals.reduce(0, +)
        return totals.map { $0 / sum }
    }
}
