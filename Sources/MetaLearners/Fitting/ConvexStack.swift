import MetaLearnersCore

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
        /// The weights add up to one; there is no intercept.
        case sumToOne
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
    /// - Complexity: O(rows × members²).
    package init(_ predictions: [[Double]], target: [Double], rowWeights: [Double]?, _ constraint: Constraint)
    {
        let count = predictions.count
        let total = rowWeights?.reduce(0, +) ?? Double(target.count)
        guard count > 0, total > 0 else {
            self.init(weights: [Double](repeating: 0, count: count), intercept: 0)
            return
        }
        func mean(_ values: [Double]) -> Double {
            guard constraint == .freeIntercept else { return 0 }
            guard let rowWeights else { return values.reduce(0, +) / total }
            return zip(values, rowWeights).reduce(0) { $0 + $1.0 * $1.1 } / total
        }
        let centers = predictions.map(mean)
        let center = mean(target)
        var gram = [Double](repeating: 0, count: count * count)
        var moments = [Double](repeating: 0, count: count)
        for row in target.indices {
            let weight = rowWeights?[row] ?? 1
            for member in 0..<count {
                let value = weight * (predictions[member][row] - centers[member])
                moments[member] += value * (target[row] - center)
                for other in 0...member {
                    gram[member * count + other] += value * (predictions[other][row] - centers[other])
                }
            }
        }
        for member in 0..<count {
            for other in 0..<member { gram[other * count + member] = gram[member * count + other] }
        }
        // Members of other units than the target's, and the target itself, are measured by their spread: what counts as
        // small must not depend on units. (A sum of one has members in the target's unit, all of one scale.)
        var scales = [Double](repeating: 1, count: count)
        var scale = 1.0
        if constraint != .sumToOne {
            let spread = target.indices.reduce(0.0) { sum, row in
                sum + (rowWeights?[row] ?? 1) * (target[row] - center) * (target[row] - center)
            }
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
        let explained = zip(weights, centers).reduce(0) { $0 + $1.0 * $1.1 }
        self.init(weights: weights, intercept: center - explained)
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
