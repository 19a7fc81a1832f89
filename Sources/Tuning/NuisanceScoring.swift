import MetaLearners
import MetaLearnersCore

/// How good nuisances are, by the losses of their own: sums that can be added up over parts of the rows.
struct NuisanceLosses: Sendable {
    private var weight = 0.0
    private var squares = 0.0
    private var logs = 0.0
    private var isProbability = true

    /// As scikit-learn does, so that one certain error does not make the loss infinite.
    private static let least = 2.220446049250313e-16

    /// Adds the losses of some roles on the rows that `counts` says.
    mutating func add(
        _ roles: [NuisanceRole], _ estimates: NuisanceEstimates, _ dataset: CausalDataset,
        where counts: (Int) -> Bool
    ) {
        for role in roles {
            for row in 0..<dataset.rowCount where counts(row) { add(role, estimates, dataset, row) }
        }
    }

    private mutating func add(
        _ role: NuisanceRole, _ estimates: NuisanceEstimates, _ dataset: CausalDataset, _ row: Int
    ) {
        let arm = Int(dataset.treatment.arms[row])
        let outcome = dataset.outcome.values[row]
        let weight = dataset.weights?[row] ?? 1
        switch role {
        case .propensity:
            guard let shares = estimates.propensities, shares.count == dataset.armCount else { return }
            add(shares.map { $0[row] }, hit: arm, weight)
        case .armOutcome(let own):
            guard own == arm else { return }
            add(outcome, estimates, dataset, row, arm, weight)
        case .joint: add(outcome, estimates, dataset, row, arm, weight)
        case .marginalOutcome(let own):
            guard own == 0 || arm == 0 || arm == own, let means = estimates.marginalOutcomes[own] else {
                return
            }
            add(outcome, means[row], isProbability: dataset.outcome.kind.isBinary, weight)
        }
    }

    private mutating func add(
        _ outcome: Double, _ estimates: NuisanceEstimates, _ dataset: CausalDataset, _ row: Int, _ arm: Int,
        _ weight: Double
    ) {
        if let classes = estimates.classOutcomes[arm] {
            add(classes.map { $0[row] }, hit: Int(outcome), weight)
        } else if let means = estimates.armOutcomes[arm] {
            add(outcome, means[row], isProbability: dataset.outcome.kind.isBinary, weight)
        }
    }

    private mutating func add(_ outcome: Double, _ mean: Double, isProbability: Bool, _ weight: Double) {
        guard !isProbability else { return add([1 - mean, mean], hit: Int(outcome), weight) }
        self.isProbability = false
        self.weight += weight
        squares += weight * (outcome - mean) * (outcome - mean)
    }

    private mutating func add(_ shares: [Double], hit: Int, _ weight: Double) {
        self.weight += weight
        logs -= weight * .log(min(max(shares[hit], Self.least), 1))
        // Of two classes both errors are the same, and one counts, as usual.
        var error = 0.0
        for (index, share) in shares.enumerated() {
            let own = (index == hit ? 1 : 0) - share
            error += own * own
        }
        squares += weight * error / (shares.count == 2 ? 2 : 1)
    }

    /// The scores.
    var scores: NuisanceScores {
        guard weight > 0 else { return NuisanceScores(rmse: .nan) }
        let mean = squares / weight
        return isProbability
            ? NuisanceScores(rmse: mean.squareRoot(), logLoss: logs / weight, brier: mean)
            : NuisanceScores(rmse: mean.squareRoot())
    }
}

/// The losses of a nuisance on some rows.
public struct NuisanceScores: Sendable, Equatable {
    /// The root of the mean squared error.
    public var rmse: Double
    /// −log of the probability of what happened, on average; nil for numbers.
    public var logLoss: Double?
    /// The mean squared error of probabilities; nil for numbers.
    public var brier: Double?

    /// The one that settings are compared by.
    func value(_ score: TuningSpec.NuisanceScore) -> Double {
        switch score {
        case .auto, .logLoss: logLoss ?? rmse
        case .brier: brier ?? rmse
        case .rmse: rmse
        }
    }

    var specValue: SpecValue {
        [
            "rmse": .number(rmse), "log_loss": logLoss.map { .number($0) } ?? .null,
            "brier": brier.map { .number($0) } ?? .null,
        ]
    }

    init(rmse: Double, logLoss: Double? = nil, brier: Double? = nil) {
        self.rmse = rmse
        self.logLoss = logLoss
        self.brier = brier
    }

    /// Reads what `specValue` wrote; nil where there is nothing.
    init?(_ value: SpecValue?) {
        guard let object = value?.objectValue else { return nil }
        rmse = object["rmse"]?.doubleValue ?? .nan
        logLoss = object["log_loss"]?.doubleValue
        brier = object["brier"]?.doubleValue
    }
}
