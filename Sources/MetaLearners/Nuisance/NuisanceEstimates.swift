import MetaLearnersCore

/// The nuisance functions at each row: out of fold for training rows, predicted for new ones.
public struct NuisanceEstimates: Sendable, Equatable {
    /// How many rows there are.
    public let rowCount: Int
    /// How many arms there are.
    public let armCount: Int
    /// e_k for each arm, for each row, after the overlap policy; nil where not estimated.
    public internal(set) var propensities: [[Double]]?
    /// μ_k by arm.
    public internal(set) var armOutcomes: [Int: [Double]] = [:]
    /// Of an outcome of several classes, in place of `armOutcomes`: P(Y=c | W=k, X=x) by arm, for each class.
    public internal(set) var classOutcomes: [Int: [[Double]]] = [:]
    /// m of each pair of an arm and the control, by arm.
    public internal(set) var marginalOutcomes: [Int: [Double]] = [:]
    /// Whether a row has enough overlap to take part in effects; nil where every row has.
    public internal(set) var hasOverlap: [Bool]?

    /// Creates estimates without any nuisance.
    public init(rowCount: Int, armCount: Int) {
        self.rowCount = rowCount
        self.armCount = armCount
    }

    /// Creates estimates from given values: nuisances that are known, or fitted elsewhere.
    ///
    /// - Parameters:
    ///   - propensities: for each arm, for each row, in (0, 1).
    ///   - armOutcomes: μ_k for each arm, for each row; empty where there are none.
    ///   - marginalOutcomes: m for each arm from 1, for each row; empty where there are none.
    /// - Throws: `invalidArgument` where lengths differ or a propensity is not in (0, 1).
    public init(propensities: [[Double]], armOutcomes: [[Double]] = [], marginalOutcomes: [[Double]] = [])
        throws(MetaLearnersError)
    {
        self.init(rowCount: propensities.first?.count ?? 0, armCount: propensities.count)
        guard armCount >= 2, armOutcomes.isEmpty || armOutcomes.count == armCount,
            marginalOutcomes.isEmpty || marginalOutcomes.count == armCount - 1
        else {
            throw MetaLearnersError(.invalidArgument, at: "nuisances", "do not have a column for each arm")
        }
        for values in propensities + armOutcomes + marginalOutcomes where values.count != rowCount {
            throw MetaLearnersError(
                .invalidArgument, at: "nuisances", "a column has \(values.count) rows, another \(rowCount)")
        }
        for values in propensities where !values.allSatisfy({ $0 > 0 && $0 < 1 }) {
            throw MetaLearnersError(.invalidArgument, at: "propensities", "are not all between 0 and 1")
        }
        self.propensities = propensities
        for (arm, values) in armOutcomes.enumerated() { self.armOutcomes[arm] = values }
        for (index, values) in marginalOutcomes.enumerated() { self.marginalOutcomes[index + 1] = values }
    }

    /// The same with the probabilities of the class numbered `index` as the outcomes of the arms.
    package func ofClass(_ index: Int) -> NuisanceEstimates {
        var estimates = self
        estimates.armOutcomes = classOutcomes.mapValues { $0.indices.contains(index) ? $0[index] : [] }
        estimates.classOutcomes = [:]
        return estimates
    }

    /// e_k.
    func propensity(_ arm: Int) -> [Double] { propensities?[arm] ?? [] }

    /// μ_k.
    func armOutcome(_ arm: Int) -> [Double] { armOutcomes[arm] ?? [] }

    /// m of the pair of `arm` and the control.
    func marginalOutcome(_ arm: Int) -> [Double] { marginalOutcomes[arm] ?? [] }

    /// ē = e_k / (e_0 + e_k): the probability of `arm` among those in it or in the control.
    package func pairPropensity(of arm: Int) -> [Double] {
        guard armCount > 2 else { return propensity(arm) }
        return zip(propensity(arm), propensity(0)).map { $0 / ($0 + $1) }
    }

    /// μ_k − μ_0.
    func outcomeDifference(of arm: Int) -> [Double] {
        zip(armOutcome(arm), armOutcome(0)).map { $0 - $1 }
    }

    /// μ_k − μ_0 + 1{W=k}(Y − μ_k)/e_k − 1{W=0}(Y − μ_0)/e_0 for each row, given both means.
    package func doublyRobustScores(
        of arm: Int, _ outcome: [Double], _ arms: [Int32], means: (control: [Double], arm: [Double])
    ) -> [Double] {
        let ofArm = propensity(arm)
        let ofControl = propensity(0)
        return outcome.indices.map { row in
            let base = means.arm[row] - means.control[row]
            if arms[row] == arm { return base + (outcome[row] - means.arm[row]) / ofArm[row] }
            if arms[row] == 0 { return base - (outcome[row] - means.control[row]) / ofControl[row] }
            return base
        }
    }

    /// The rows of the given arms (nil for every arm) that have overlap, ascending.
    func rows(ofArms arms: Set<Int>?, _ dataset: CausalDataset) -> [Int32] {
        (dataset.activeRows ?? Array(0..<Int32(rowCount))).filter { row in
            (arms?.contains(Int(dataset.treatment.arms[Int(row)])) ?? true) && (hasOverlap?[Int(row)] ?? true)
        }
    }
}
