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
/// - ATC: the sum of 1{W=k}(e_0/e_k)(Y − μ_k) − 1{W=0}(Y − μ_k) over that of 1{W=0}.
/// - ATO: with ē = e_k/(e_0 + e_k) and m = ē μ_k + (1 − ē) μ_0, over the rows of the arm and the control, the sum of
///   (1{W=k} − ē)(Y − m) over that of (1{W=k} − ē)². This is the efficient score of the average weighted by overlap (Crump,
///   Hotz, Imbens & Mitnik 2006; Li, Morgan & Zaslavsky 2018) and Robinson's (1988) regression of residuals on residuals:
///   it takes e as right, and is indifferent to small errors of all nuisances.
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
        let result = Self.estimate(
            estimand, of: arm, outcome: outcome, arms: arms,
            propensities: (try nuisances.propensity(0), try nuisances.propensity(arm)), means: means,
            weights: used, clusters: clusters)
        let interval = result.interval(level: level)
        return AverageEffect(
            arm: labels[arm], outcomeClass: outcomeClass?.label, classIndex: outcomeClass?.index,
            control: labels[0], estimand: estimand, estimate: result.estimate, stdError: result.stdError,
            lower: interval.lower, upper: interval.upper, level: level, pValue: result.pValue)
    }

    /// The average effect of an arm against control with given nuisances: the formulas of this type, for whoever has arrays.
    ///
    /// - Parameters:
    ///   - propensities: e_0 and e_k for each row.
    ///   - means: μ_0 and μ_k for each row.
    ///   - weights: of each row; 0 for rows that take no part.
    static func estimate(
        _ estimand: Estimand, of arm: Int, outcome: [Double], arms: [Int32],
        propensities: (control: [Double], arm: [Double]), means: (control: [Double], arm: [Double]),
        weights: [Double], clusters: [Int32]?
    ) -> NormalEstimate {
        var scores = [Double](repeating: 0, count: outcome.count)
        var shares = scores
        for row in outcome.indices {
            let isTreated = arms[row] == arm
            let isControl = arms[row] == 0
            let (ofControl, ofArm) = (propensities.control[row], propensities.arm[row])
            let belowControl = outcome[row] - means.control[row]
            let belowArm = outcome[row] - means.arm[row]
            switch estimand {
            case .ate:
                shares[row] = 1
                scores[row] = means.arm[row] - means.control[row]
                if isTreated { scores[row] += belowArm / ofArm }
                if isControl { scores[row] -= belowControl / ofControl }
            case .att:
                shares[row] = isTreated ? 1 : 0
                scores[row] = isTreated ? belowControl : isControl ? -ofArm / ofControl * belowControl : 0
            case .atc:
                shares[row] = isControl ? 1 : 0
                scores[row] = isTreated ? ofControl / ofArm * belowArm : isControl ? -belowArm : 0
            case .ato:
                guard isTreated || isControl else { continue }
                let share = ofArm / (ofControl + ofArm)
                let distance = (isTreated ? 1 : 0) - share
                shares[row] = distance * distance
                scores[row] = distance * (share * belowArm + (1 - share) * belowControl)
            }
        }
        return NormalEstimate(scores: scores, shares: shares, weights: weights, clusters: clusters)
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
