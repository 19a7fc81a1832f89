/// Non-negative weights that minimise the weighted squared error of a combination of predictions, with a free intercept
/// or a sum of one where that is wanted.
///
/// For predictions z_j of a target y it minimises Σ w·(y − b − Σ_j a_j z_j)² over a ≥ 0 by an active set (Lawson &
/// Hanson 1974, chapter 23; stacking by such weights: Breiman 1996). With a sum of one and y of zeros and ones it is the
/// stack of least Brier score.
package struct ConvexStack: Sendable, Equatable {
    /// What holds beside a ≥ 0.
    package enum Constraint: Sendable {
        /// Nothing; there is no intercept.
        case none
        /// The intercept is free.
        case freeIntercept
        /// The intercept is free, and the square of a weight's distance from an equal share costs as much as the noise of one row: a prior
        /// of N(1/members, 1), which many rows outvote. Without it a member that says nearly the same of all rows that count, as a lasso
        /// may that knows nothing, gets a weight of thousands; and what it says of other rows is multiplied by that.
        case drawnToShares
        /// The weights add up to one; there is no intercept.
        case sumToOne

        /// Whether the intercept is free.
        var hasIntercept: Bool { self == .freeIntercept || self == .drawnToShares }
    }

    /// A number for each prediction.
    package let weights: [Double]
    /// What is added to their sum.
    package let intercept: Double

    /// Takes weights found elsewhere.
    package init(weights: [Double], intercept: Double) {
        self.weights = weights
        self.intercept = intercept
    }

    /// Finds the weights.
    ///
    /// - Parameters:
    ///   - predictions: one list for each member, all as long as the target.
    ///   - rowWeights: one for each row; nil where all count alike.
    ///   - distribution: what joins the processes that hold the rows: the weights are those of all rows.
    /// - Throws: what the collective throws.
    /// - Complexity: O(rows × members²).
    package init(
        _ predictions: [[Double]], target: [Double], rowWeights: [Double]?, _ constraint: Constraint,
        _ distribution: DistributedRows? = nil
    ) throws(MetaLearnersError) {
        let sums = try StackSums(
            predictions, target: target, rowWeights: rowWeights, groups: nil, count: 1, constraint,
            distribution)
        self.init(sums.first, constraint, count: predictions.count)
    }

    /// Finds the weights without each of some groups of rows: those of `group[g]` never see the rows of g.
    ///
    /// Predictions that are out of fold, combined for the rows of a fold by the weights without it, have weights that were not
    /// fitted to the outcomes of these rows.
    ///
    /// - Parameters:
    ///   - groups: which group each row is of, from 0.
    ///   - count: how many groups there are, two at least.
    ///   - distribution: what joins the processes that hold the rows: the weights are those of all rows.
    /// - Returns: a stack for each group; where only that group has rows that count, its own.
    /// - Throws: what the collective throws.
    /// - Complexity: O(rows × members²), as for one.
    package static func leavingOut(
        _ predictions: [[Double]], target: [Double], rowWeights: [Double]?, groups: [Int32], count: Int,
        _ constraint: Constraint, _ distribution: DistributedRows? = nil
    ) throws(MetaLearnersError) -> [ConvexStack] {
        let sums = try StackSums(
            predictions, target: target, rowWeights: rowWeights, groups: groups, count: count, constraint,
            distribution)
        return (0..<count).map { ConvexStack(sums.rest(of: $0), constraint, count: predictions.count) }
    }

    /// Finds the weights from what the rows add up to; weights of 0 where there are no rows.
    package init(_ sums: StackSums.Group?, _ constraint: Constraint, count: Int) {
        guard count > 0, let sums, sums.weight > 0 else {
            self.init(weights: [Double](repeating: 0, count: count), intercept: 0)
            return
        }
        if constraint == .drawnToShares {
            self.init(sums.drawnToShares(of: count), .freeIntercept, count: count)
            return
        }
        // Sums of products about the means where the intercept is free.
        let total = sums.weight
        let isFree = constraint == .freeIntercept
        let means = sums.values.map { isFree ? $0 / total : 0 }
        let mean = isFree ? sums.target / total : 0
        var gram = sums.products
        var moments = sums.moments
        for member in 0..<count {
            moments[member] -= total * means[member] * mean
            for other in 0...member {
                gram[member * count + other] -= total * means[member] * means[other]
                gram[other * count + member] = gram[member * count + other]
            }
        }
        // Members of other units than the target's, and the target itself, are measured by their spread: what counts as
        // small must not depend on units. (A sum of one has members in the target's unit, all of one scale.)
        var scales = [Double](repeating: 1, count: count)
        var scale = 1.0
        if constraint != .sumToOne {
            let spread = sums.square - total * mean * mean
            scale = spread > 0 ? spread.squareRoot() : 1
            for member in 0..<count where gram[member * (count + 1)] > 0 {
                scales[member] = gram[member * (count + 1)].squareRoot()
            }
        }
        for member in 0..<count {
            moments[member] /= scales[member] * scale
            for other in 0..<count { gram[member * count + other] /= scales[member] * scales[other] }
        }
        let solution = ActiveSet(gram: gram, moments: moments, sumsToOne: constraint == .sumToOne).solve()
        let weights = zip(solution, scales).map { $0 * scale / $1 }
        let explained = (0..<count).reduce(0.0) { $0 + weights[$1] * (means[$1] + sums.centers[$1]) }
        self.init(weights: weights, intercept: isFree ? mean + sums.center - explained : 0)
    }

    /// The combination of the members' predictions.
    package func combine(_ predictions: [[Double]]) -> [Double] {
        guard let count = predictions.first?.count else { return [] }
        var sum = [Double](repeating: intercept, count: count)
        for (weight, values) in zip(weights, predictions) where weight != 0 {
            for row in 0..<count { sum[row] += weight * values[row] }
        }
        return sum
    }
}

extension StackSums.Group {
    /// The same with the prior of `ConvexStack.Constraint.drawnToShares` on the weights of the first members.
    ///
    /// The noise of a row is what free weights leave of the target plus (members + 1)/rows, at most 1, of what equal shares leave: a few rows
    /// are fitted without any rest, and the prior would be gone just where it is needed. Rows are counted as so many of equal weight.
    package func drawnToShares(of count: Int) -> StackSums.Group {
        let members = moments.count
        let free = ConvexStack(self, .freeIntercept, count: members).weights
        let share = 1 / Double(count)
        let equal = (0..<members).map { $0 < count ? share : 0 }
        let fitted = min(Double(members + 1) / effectiveRows, 1)
        return drawing(
            first: count, towards: share, by: (noise(of: free) + fitted * noise(of: equal)) * rowWeight)
    }
}

/// Minimises ½·a'Ga − c'a over a ≥ 0, the sum of a being one where that is wanted, by a primal active set.
private struct ActiveSet {
    private let count: Int
    private let gram: [Double]
    private let moments: [Double]
    private let sumsToOne: Bool
    /// What the gradient may be off by.
    private let slack: Double

    init(gram: [Double], moments: [Double], sumsToOne: Bool) {
        count = moments.count
        let count = moments.count
        let largest = (0..<count).reduce(0) { max($0, gram[$1 * (count + 1)]) }
        // Members may say the same: a trace of a ridge chooses among their weights.
        var gram = gram
        for member in 0..<count { gram[member * (count + 1)] += 1e-11 * largest }
        self.gram = gram
        self.moments = moments
        self.sumsToOne = sumsToOne
        slack = 1e-9 * max(largest, moments.reduce(0) { max($0, abs($1)) })
    }

    func solve() -> [Double] {
        var weights = [Double](repeating: 0, count: count)
        var isFree = [Bool](repeating: false, count: count)
        if sumsToOne {
            let best = (0..<count).min { loss(of: $0) < loss(of: $1) } ?? 0
            weights[best] = 1
            isFree[best] = true
        }
        // Each step lowers the loss, so that no set of members comes twice; the bound is against rounding alone.
        for _ in 0..<(20 * count + 20) {
            while true {
                let free = (0..<count).filter { isFree[$0] }
                guard let target = minimum(over: free) else { return weights }
                var part = 1.0
                var blocking: Int?
                for (index, member) in free.enumerated() where target[index] < 0 {
                    let reach = weights[member] / (weights[member] - target[index])
                    if reach < part || blocking == nil {
                        part = min(reach, 1)
                        blocking = member
                    }
                }
                for (index, member) in free.enumerated() {
                    weights[member] = max(0, weights[member] + part * (target[index] - weights[member]))
                }
                guard let blocking else { break }
                weights[blocking] = 0
                isFree[blocking] = false
            }
            let gradient = (0..<count).map { member in
                (0..<count).reduce(-moments[member]) { $0 + gram[member * count + $1] * weights[$1] }
            }
            // With a sum of one, gradients count relative to those of the free members, which are all equal.
            let level = sumsToOne ? (0..<count).first { isFree[$0] }.map { gradient[$0] } ?? 0 : 0
            guard
                let entering = (0..<count).filter({ !isFree[$0] }).min(by: { gradient[$0] < gradient[$1] }),
                gradient[entering] - level < -slack
            else { return weights }
            isFree[entering] = true
        }
        return weights
    }

    private func loss(of member: Int) -> Double { gram[member * (count + 1)] / 2 - moments[member] }

    /// The minimum over the free members, whatever its signs; nil where it cannot be computed.
    private func minimum(over free: [Int]) -> [Double]? {
        guard !free.isEmpty else { return [] }
        guard let plain = solve(free, free.map { moments[$0] }) else { return nil }
        guard sumsToOne else { return plain }
        guard let direction = solve(free, free.map { _ in 1 }) else { return nil }
        let multiplier = (1 - plain.reduce(0, +)) / direction.reduce(0, +)
        return zip(plain, direction).map { $0 + multiplier * $1 }
    }

    /// Solves G a = `right` for the free members, by Cholesky's factorisation.
    private func solve(_ free: [Int], _ right: [Double]) -> [Double]? {
        let order = free.count
        var factor = free.flatMap { row in free.map { gram[row * count + $0] } }
        var solution = right
        let isSolved = factor.withUnsafeMutableBufferPointer { factor in
            solution.withUnsafeMutableBufferPointer { solution in
                guard let factor = factor.baseAddress, let solution = solution.baseAddress,
                    SmallCholesky.factorize(factor, order: order, solution) == 0
                else { return false }
                SmallCholesky.substitute(factor, order: order, solution)
                return true
            }
        }
        guard isSolved else { return nil }
        return solution.allSatisfy(\.isFinite) ? solution : nil
    }
}
