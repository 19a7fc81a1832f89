import MetaLearnersCore
import MetaLearners

/// Average effects by augmented inverse probability weighting (AIPW), from given nuisances.
///
/// The estimate is right where either the outcome means or the propensities are, and its standard error needs no
/// account of how they were estimated where that was done out of fold (Robins, Rotnitzky & Zhao 1994; Chernozhukov
/// et al. 2018, arXiv 1608.00060).
///
/// - ATE: the mean of μ_k − μ_0 + 1{W=k}(Y − μ_k)/e_k − 1{W=0}(Y − μ_0)/e_0.
/// - ATT: the sum of 1{W=k}(Y − μ_0) − 1{W=0}(e_k/e_0)(Y − μ_0) over that of 1{W=k}.
public struct AugmentedInverseProbability: Sendable {
    /// The outcome of each row.
    public let outcome: [Double]
    /// The arm of each row.
    public let arms: [Int32]
    /// What the arms are called, the control first.
    public let labels: [String]
    /// The weight of each row; nil where all count alike.
    public let weights: [Double]?
    /// The cluster of each row, as codes from 0; nil where rows are independent.
    public let clusters: [Int32]?
    /// Propensities, and which rows have overlap; rows without it are left out.
    public let nuisances: NuisanceEstimates
    /// Of an outcome of several classes, the class that `outcome` tells from the others; nil for any other.
    let outcomeClass: (index: Int, label: String)?

    /// Creates the estimator for the rows of `dataset`.
    ///
    /// - Throws: `invalidArgument` where the nuisances are of another number of rows or arms, or have no
    ///   propensities.
    public init(_ dataset: CausalDataset, _ nuisances: NuisanceEstimates) throws(MetaLearnersError) {
        try self.init(
            outcome: dataset.outcome.values, arms: dataset.treatment.arms, labels: dataset.treatment.labels,
            weights: dataset.weights, clusters: dataset.clusters, nuisances: nuisances)
    }

    init(
        outcome: [Double], arms: [Int32], labels: [String], weights: [Double]?, clusters: [Int32]?,
        nuisances: NuisanceEstimates, outcomeClass: (index: Int, label: String)? = nil
    ) throws(MetaLearnersError) {
        guard nuisances.rowCount == outcome.count, nuisances.armCount == labels.count,
            nuisances.propensities != nil
        else {
            throw MetaLearnersError(
                .invalidArgument, at: "nuisances",
                "do not belong to these \(outcome.count) rows of \(labels.count) arms")
        }
        self.outcome = outcome
        self.arms = arms
        self.labels = labels
        self.weights = weights
        self.clusters = clusters
        self.nuisances = nuisances
        self.outcomeClass = outcomeClass
    }

    /// The average effect of `arm` against control.
    ///
    /// - Parameters:
    ///   - means: μ_0 and μ_k for each row.
    ///   - level: the level of the interval.
    /// - Throws: `invalidArgument` where the level is not between 0 and 1; `internalFault` where the nuisances have
    ///   no propensities.
    /// - Complexity: O(rows).
    func effect(
        _ estimand: Estimand, of arm: Int, means: (control: [Double], arm: [Double]), level: Double
    ) throws(MetaLearnersError) -> AverageEffect {
        try AverageEffect.requireLevel(level)
        let used = outcome.indices.map { row in
            nuisances.hasOverlap?[row] ?? true ? weights?[row] ?? 1 : 0
        }
        let result: NormalEstimate
        switch estimand {
        case .ate:
            result = NormalEstimate(
                scores: try nuisances.doublyRobustScores(of: arm, outcome, arms, means: means),
                shares: [Double](repeating: 1, count: outcome.count), weights: used, clusters: clusters)
        case .att:
            let ofArm = try nuisances.propensity(arm)
            let ofControl = try nuisances.propensity(0)
            let scores = outcome.indices.map { row in
                let residual = outcome[row] - means.control[row]
                if arms[row] == arm { return residual }
                return arms[row] == 0 ? -ofArm[row] / ofControl[row] * residual : 0
            }
            result = NormalEstimate(
                scores: scores, shares: arms.map { $0 == arm ? 1 : 0 }, weights: used, clusters: clusters)
        }
        let interval = result.interval(level: level)
        return AverageEffect(
            arm: labels[arm], outcomeClass: outcomeClass?.label, classIndex: outcomeClass?.index,
            control: labels[0], estimand: estimand, estimate: result.estimate, stdError: result.stdError,
            lower: interval.lower, upper: interval.upper, level: level, pValue: result.pValue)
    }

    /// The average effect of each arm against control, in the order of the labels.
    ///
    /// - Parameters:
    ///   - estimand: over whom to average.
    ///   - level: the level of the intervals.
    /// - Throws: `invalidArgument` where the nuisances have no outcome means or the level is not between 0 and 1.
    public func effects(
        _ estimand: Estimand, level: Double = AverageEffect.standardLevel
    ) throws(MetaLearnersError) -> [AverageEffect] {
        guard let control = nuisances.armOutcomes[0] else {
            throw MetaLearnersError(.invalidArgument, at: "nuisances", "have no outcome means")
        }
        var effects: [AverageEffect] = []
        for arm in 1..<labels.count {
            guard let mean = nuisances.armOutcomes[arm] else {
                throw MetaLearnersError(.invalidArgument, at: "nuisances", "have no outcome means")
            }
            effects.append(try effect(estimand, of: arm, means: (control, mean), level: level))
        }
        return effects
    }
}
