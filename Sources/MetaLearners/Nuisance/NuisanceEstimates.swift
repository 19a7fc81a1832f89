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

    /// Takes over propensities that are ready for use.
    package mutating func use(_ assembled: AssembledPropensities?) {
        propensities = assembled.flatMap { $0.values.isEmpty ? nil : $0.values }
        hasOverlap = assembled?.hasOverlap
    }

    /// The same with the probabilities of the class numbered `index` as the outcomes of the arms.
    package func ofClass(_ index: Int) -> NuisanceEstimates {
        var estimates = self
        estimates.armOutcomes = classOutcomes.mapValues { $0.indices.contains(index) ? $0[index] : [] }
        estimates.classOutcomes = [:]
        return estimates
    }

    /// e_k.
    ///
    /// - Throws: `internalFault` where it was not estimated, as every accessor here does.
    public func propensity(_ arm: Int) throws(MetaLearnersError) -> [Double] {
        try Self.known(propensities.flatMap { $0.indices.contains(arm) ? $0[arm] : nil }, "propensity", arm)
    }

    /// μ_k.
    public func armOutcome(_ arm: Int) throws(MetaLearnersError) -> [Double] {
        try Self.known(armOutcomes[arm], "outcome", arm)
    }

    /// m of the pair of `arm` and the control; for arm 0 that of all arms.
    public func marginalOutcome(_ arm: Int) throws(MetaLearnersError) -> [Double] {
        try Self.known(marginalOutcomes[arm], "marginal outcome", arm)
    }

    private static func known(_ values: [Double]?, _ what: String, _ arm: Int) throws(MetaLearnersError)
        -> [Double]
    {
        if let values { return values }
        throw MetaLearnersError(
            .internalFault, at: "nuisances", "the \(what) of arm \(arm) is needed and was not estimated")
    }

    /// ē = e_k / (e_0 + e_k): the probability of `arm` among those in it or in the control.
    public func pairPropensity(of arm: Int) throws(MetaLearnersError) -> [Double] {
        guard armCount > 2 else { return try propensity(arm) }
        return zip(try propensity(arm), try propensity(0)).map { $0 / ($0 + $1) }
    }

    /// μ_k − μ_0.
    public func outcomeDifference(of arm: Int) throws(MetaLearnersError) -> [Double] {
        zip(try armOutcome(arm), try armOutcome(0)).map { $0 - $1 }
    }

    /// μ_k − μ_0 + 1{W=k}(Y − μ_k)/e_k − 1{W=0}(Y − μ_0)/e_0 for each row, given both means.
    public func doublyRobustScores(
        of arm: Int, _ outcome: [Double], _ arms: RowCodes, means: (control: [Double], arm: [Double])
    ) throws(MetaLearnersError) -> [Double] {
        let ofArm = try propensity(arm)
        let ofControl = try propensity(0)
        return outcome.indices.map { row in
            let base = means.arm[row] - means.control[row]
            if arms[row] == arm { return base + (outcome[row] - means.arm[row]) / ofArm[row] }
            if arms[row] == 0 { return base - (outcome[row] - means.control[row]) / ofControl[row] }
            return base
        }
    }

    /// The rows of the given arms (nil for every arm) that have overlap, ascending.
    public func rows(ofArms arms: Set<Int>?, _ dataset: CausalDataset) -> [Int32] {
        func takesPart(_ row: Int) -> Bool {
            (arms?.contains(Int(dataset.treatment.arms[row])) ?? true) && (hasOverlap?[row] ?? true)
        }
        if let active = dataset.activeRows { return [Int32](active, where: takesPart) }
        return [Int32](0..<Int32(rowCount), where: takesPart)
    }
}

extension NuisanceEstimates {
    /// The mean outcome of the rows of `arm` and the control that take part, by their weights: what the transformed
    /// outcomes of the F- and M-learner are measured from.
    ///
    /// Their factor of Y has mean 0 given X, so that E[(Y − c)(W − ē)/(ē(1 − ē)) | X] = τ(X) for any constant c; one
    /// near the outcomes has the least noise, and makes the effects independent of where the outcome has its zero.
    /// (Estimated from n of the rows themselves, it shrinks effects by the factor 1 − 1/n.)
    func outcomeCenter(ofPair arm: Int, _ dataset: CausalDataset) throws(MetaLearnersError) -> Double {
        let rows = rows(ofArms: [0, arm], dataset)
        let weights = dataset.weights
        let outcome = dataset.outcome.values
        var sums = [ExactSum(), ExactSum()]
        sums[0].add(rows) { weights?[Int($0)] ?? 1 }
        sums[1].add(rows) { (weights?[Int($0)] ?? 1) * outcome[Int($0)] }
        if let distribution = dataset.distribution { sums = try distribution.sum(sums) }
        let total = sums[0].value
        return total > 0 ? sums[1].value / total : 0
    }

    /// Takes over the predictions of several roles' models.
    package mutating func store(
        _ predictions: [(role: NuisanceRole, lists: [[Double]])], of kind: Outcome.Kind
    ) {
        // The S-learner's model gives every arm's outcome as well; an arm's own model goes before it.
        for (role, lists) in predictions where role == .joint { store(lists, of: role, kind) }
        for (role, lists) in predictions where role != .joint { store(lists, of: role, kind) }
    }

    /// Takes over the predictions of a role's models: a list for each of its prediction features.
    mutating func store(_ predictions: [[Double]], of role: NuisanceRole, _ kind: Outcome.Kind) {
        let first = predictions.first ?? []
        switch role {
        case .propensity:
            propensities = (0..<armCount).map { Self.output(first, $0, of: armCount) }
        case .armOutcome(let arm): store(first, ofArm: arm, kind)
        case .marginalOutcome(let arm):
            marginalOutcomes[arm] = Self.output(first, kind.outputCount - 1, of: kind.outputCount)
        case .joint:
            for (arm, values) in predictions.enumerated() { store(values, ofArm: arm, kind) }
        }
    }

    private mutating func store(_ values: [Double], ofArm arm: Int, _ kind: Outcome.Kind) {
        let count = kind.outputCount
        if kind.effectClasses.isEmpty {
            armOutcomes[arm] = Self.output(values, count - 1, of: count)
        } else {
            classOutcomes[arm] = (0..<count).map { Self.output(values, $0, of: count) }
        }
    }

    /// One output of several: for a binary outcome the probability of 1.
    private static func output(_ values: [Double], _ index: Int, of count: Int) -> [Double] {
        count == 1 ? values : stride(from: index, to: values.count, by: count).map { values[$0] }
    }
}

/// The propensities of all arms out of the odds of each arm against the control (Begg & Gray 1984): one number for each
/// arm, one row after another.
///
/// - Parameter shares: for each arm but the control, the probability of the arm among itself and the control, for each
///   row.
package func armShares(ofPairs shares: [[Double]]) -> [Double] {
    let count = shares.first?.count ?? 0
    var result: [Double] = []
    result.reserveCapacity(count * (shares.count + 1))
    for row in 0..<count {
        let odds = shares.map { $0[row] / (1 - $0[row]) }
        let total = 1 + odds.reduce(0, +)
        result.append(1 / total)
        result += odds.map { $0 / total }
    }
    return result
}
