/// A propensity of several: σ(a + Σ_j b_j·ℓ_j), where ℓ_j are the log-odds that members say, by logistic regression of the treatment
/// on them with a penalty on what differs from their plain mean, or from one of them.
///
/// Members that are shrunk, as all are that were chosen by their loss, are less far from the mean than the truth is. Weights that add up to
/// one leave a mixture of them so, and where outcomes are shrunk in the same way the product of both errors is a bias of average
/// effects. Coefficients of log-odds may add up to more than one (Platt 1999 for one member, with the penalty of Hoerl & Kennard 1970);
/// `Benchmarks/average-effects` has what it brings.
package struct LogOddsStack: Sendable, Equatable {
    /// b_j; any sign, any sum.
    package let weights: [Double]
    /// a.
    package let intercept: Double

    /// Half the penalty is this times Σ(b_j − c_j)² + a², beside log-likelihoods of single rows; c_j is 1/members unless said otherwise.
    package static let penalty = 3.0
    /// Probabilities that are no log-odds already stay this far from 0 and 1.
    package static let margin = 0.005

    /// The log-odds of a probability, within the margin.
    package static func logOdds(_ share: Double) -> Double {
        let share = min(max(share, margin), 1 - margin)
        return Double.log(share / (1 - share))
    }

    /// Finds the weights without each of some groups of rows: those of `group[g]` never see the rows of g.
    ///
    /// - Parameters:
    ///   - logOdds: one list for each member, as long as the target.
    ///   - target: 1 for the arm and 0 for the control.
    ///   - rowWeights: one for each row, not negative, in any unit; nil where all count alike.
    ///   - groups: which group each row is of, from 0.
    ///   - count: how many groups there are; one alone is left out of nothing.
    ///   - center: c, the coefficients that the penalty draws to; nil for the plain mean.
    ///   - distribution: what joins the processes that hold the rows: the weights are those of all rows.
    /// - Throws: what the collective throws.
    /// - Complexity: O(rows × members²) for a step of Newton's method, of which there are few.
    package static func leavingOut(
        _ logOdds: [[Double]], target: [Double], rowWeights: [Double]?, groups: [Int32], count: Int,
        towards center: [Double]? = nil,
        _ distribution: DistributedRows? = nil
    ) throws(MetaLearnersError) -> [LogOddsStack] {
        let problem = try Problem(
            logOdds: logOdds, target: target, rowWeights: rowWeights, distribution)
        let members = logOdds.count
        let center = [0] + (center ?? [Double](repeating: 1 / Double(max(members, 1)), count: members))
        let all = try problem.minimum(from: center, towards: center) { _ in true }
        return try (0..<count).map { left throws(MetaLearnersError) in
            let own = count > 1 ? try problem.minimum(from: all, towards: center) { groups[$0] != left } : all
            return LogOddsStack(weights: Array(own.dropFirst()), intercept: own[0])
        }
    }

    /// The penalised log-likelihood of some rows.
    private struct Problem {
        let logOdds: [[Double]]
        let target: [Double]
        let rowWeights: [Double]?
        /// What makes weights add up to the number of rows of equal weight that say as much (Kish): the penalty stands beside these.
        let unit: Double
        private let distribution: DistributedRows?

        init(
            logOdds: [[Double]], target: [Double], rowWeights: [Double]?, _ distribution: DistributedRows?
        ) throws(MetaLearnersError) {
            self.logOdds = logOdds
            self.target = target
            self.rowWeights = rowWeights
            self.distribution = distribution
            guard let rowWeights else {
                unit = 1
                return
            }
            let sums = try distribution.sum(
                [rowWeights.reduce(0, +), rowWeights.reduce(0) { $0 + $1 * $1 }])
            unit = sums[1] > 0 ? sums[0] / sums[1] : 1
        }

        /// Loss, gradient and Hessian (by rows, below the diagonal) at some coefficients, the intercept first.
        private func terms(
            _ coefficients: [Double], _ center: [Double], _ isIn: (Int) -> Bool
        ) throws(MetaLearnersError) -> (loss: Double, gradient: [Double], hessian: [Double]) {
            let order = coefficients.count
            var loss = 0.0
            var gradient = [Double](repeating: 0, count: order)
            var hessian = [Double](repeating: 0, count: order * order)
            var row = [Double](repeating: 1, count: order)
            for index in target.indices where isIn(index) {
                for member in logOdds.indices { row[member + 1] = logOdds[member][index] }
                var score = 0.0
                for term in 0..<order { score += coefficients[term] * row[term] }
                let weight = unit * (rowWeights?[index] ?? 1)
                let share = Logistic.share(score)
                loss += weight * (Logistic.softplus(score) - target[index] * score)
                let slope = weight * (share - target[index])
                let curve = weight * share * (1 - share)
                for term in 0..<order {
                    gradient[term] += slope * row[term]
                    let value = curve * row[term]
                    for other in 0...term { hessian[term * order + other] += value * row[other] }
                }
            }
            if let distribution {
                let sums = try distribution.sum([loss] + gradient + hessian)
                loss = sums[0]
                gradient = Array(sums[1...order])
                hessian = Array(sums[(order + 1)...])
            }
            for term in 0..<order {
                let distance = coefficients[term] - center[term]
                loss += penalty / 2 * distance * distance
                gradient[term] += penalty * distance
                hessian[term * (order + 1)] += penalty
                for other in 0..<term { hessian[other * order + term] = hessian[term * order + other] }
            }
            return (loss, gradient, hessian)
        }

        /// Newton's method, with halved steps where a whole one overshoots.
        func minimum(from start: [Double], towards center: [Double], _ isIn: (Int) -> Bool)
            throws(MetaLearnersError) -> [Double]
        {
            var best = start
            var (loss, gradient, hessian) = try terms(best, center, isIn)
            for _ in 0..<25 {
                guard let step = Self.solution(hessian, gradient) else { return best }
                var length = 1.0
                var isBetter = false
                while length > 1e-3 {
                    let trial = zip(best, step).map { $0 - length * $1 }
                    let found = try terms(trial, center, isIn)
                    if found.loss <= loss, found.loss.isFinite {
                        isBetter = found.loss < loss
                        (best, loss, gradient, hessian) = (trial, found.loss, found.gradient, found.hessian)
                        break
                    }
                    length /= 2
                }
                let decrease = zip(step, gradient).reduce(0) { $0 + abs($1.0 * $1.1) }
                guard isBetter, decrease > 1e-12 * max(1, abs(loss)) else { return best }
            }
            return best
        }

        /// H⁻¹g; nil where that cannot be computed.
        private static func solution(_ hessian: [Double], _ gradient: [Double]) -> [Double]? {
            var factor = hessian
            var solution = gradient
            let isSolved = factor.withUnsafeMutableBufferPointer { factor in
                solution.withUnsafeMutableBufferPointer { solution in
                    guard let matrix = factor.baseAddress, let vector = solution.baseAddress,
                        SmallCholesky.factorize(matrix, order: solution.count, vector) == 0
                    else { return false }
                    SmallCholesky.substitute(matrix, order: solution.count, vector)
                    return true
                }
            }
            return isSolved && solution.allSatisfy(\.isFinite) ? solution : nil
        }
    }
}
