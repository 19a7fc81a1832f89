import MetaLearnersCore

/// What a model keeps of its training rows: enough for average effects and for effects out of fold, without the
/// covariates.
public struct TrainingRecord: Sendable, Equatable {
    /// Tells the dataset from others.
    public let fingerprint: UInt64
    /// The folds, one assignment a repeat.
    public let repeats: [FoldAssignment]
    /// The arm of each row.
    public let arms: RowCodes
    /// The outcome of each row.
    public let outcome: [Double]
    /// The weight of each row; nil where all count alike.
    public let weights: [Double]?
    /// The cluster of each row; nil where rows are independent.
    public let clusters: [Int32]?
    /// The nuisances out of fold, after the overlap policy.
    public let nuisances: NuisanceEstimates
    /// For each arm but the control, the effect for each row, out of fold.
    public let effects: [[Double]]

    /// What there is, without the numbers.
    var summary: SpecValue {
        [
            "rows": .integer(outcome.count), "folds": .integer(folds.count),
            "repeats": .integer(repeats.count), "weights": .boolean(weights != nil),
            "clusters": .integer(Set(clusters ?? []).count),
            "fingerprint": .string(String(fingerprint, radix: 16)),
        ]
    }

    /// About how many bytes the columns take.
    var byteCount: Int {
        let columns =
            3 + (nuisances.propensities?.count ?? 0) + nuisances.armOutcomes.count
            + nuisances.marginalOutcomes.count + nuisances.classOutcomes.values.reduce(0) { $0 + $1.count }
            + effects.count
        return outcome.count * (8 * columns + 4 * (2 + repeats.count))
    }

    /// The folds of the first repeat.
    public var folds: FoldAssignment { repeats.first ?? .none(rowCount: outcome.count) }

    init(
        _ dataset: CausalDataset, repeats: [FoldAssignment], nuisances: NuisanceEstimates,
        effects: [[Double]],
        fingerprint: UInt64
    ) {
        self.init(
            fingerprint: fingerprint, repeats: repeats, arms: dataset.treatment.arms,
            outcome: dataset.outcome.values,
            weights: dataset.weights, clusters: dataset.clusters, nuisances: nuisances, effects: effects)
    }

    init(
        fingerprint: UInt64, repeats: [FoldAssignment], arms: RowCodes, outcome: [Double], weights: [Double]?,
        clusters: [Int32]?, nuisances: NuisanceEstimates, effects: [[Double]]
    ) {
        self.fingerprint = fingerprint
        self.repeats = repeats
        self.arms = arms
        self.outcome = outcome
        self.weights = weights
        self.clusters = clusters
        self.nuisances = nuisances
        self.effects = effects
    }
}
