import MetaLearnersCore

/// An estimate that is normal in large samples, such as a ratio of weighted means.
///
/// With scores a_i and shares b_i the estimate is θ = Σ w a / Σ w b; the influence of row i is
/// w_i (a_i − θ b_i) / Σ w b. The variance is the sum of squared influences, those of a cluster added up first,
/// times G/(G − 1) of the G rows or clusters (HC1, and the usual cluster-robust correction). Intervals and p-values are of Student's t
/// distribution, whose degrees of freedom say how many rows or clusters carry that variance (`VarianceSpread`).
struct NormalEstimate {
    let estimate: Double
    let stdError: Double
    /// Those of Student's t distribution, where intervals and p-values are of it; nil for those of the normal one.
    let degreesOfFreedom: Double?

    /// Takes an estimate and its error as they are.
    init(estimate: Double, stdError: Double, degreesOfFreedom: Double? = nil) {
        self.estimate = estimate
        self.stdError = stdError
        self.degreesOfFreedom = degreesOfFreedom
    }

    /// The same estimate with an error so many times as large.
    func withError(times factor: Double) -> NormalEstimate {
        NormalEstimate(
            estimate: estimate, stdError: stdError * factor, degreesOfFreedom: degreesOfFreedom)
    }

    /// The same estimate with the variance of another error added.
    func withError(adding other: Double) -> NormalEstimate {
        NormalEstimate(
            estimate: estimate, stdError: (stdError * stdError + other * other).squareRoot(),
            degreesOfFreedom: degreesOfFreedom)
    }

    /// Computes the estimate; rows without weight count for nothing.
    ///
    /// - Parameters:
    ///   - scores: a_i for each row.
    ///   - shares: b_i for each row.
    ///   - weights: w_i for each row.
    ///   - clusters: codes from 0 for each row; nil where rows are independent.
    init(scores: [Double], shares: [Double], weights: [Double], clusters: [Int32]?) {
        let scoreSums = ScoreSums(scores, shares, weights)
        let theta = scoreSums.theta
        var influences: [Double] = []
        if let clusters {
            var sums = [Double](repeating: 0, count: Int(clusters.max() ?? -1) + 1)
            var occurs = [Bool](repeating: false, count: sums.count)
            for row in scores.indices where weights[row] > 0 {
                sums[Int(clusters[row])] += weights[row] * (scores[row] - theta * shares[row])
                occurs[Int(clusters[row])] = true
            }
            influences = sums.indices.compactMap { occurs[$0] ? sums[$0] : nil }
        } else {
            influences = scores.indices.compactMap { row in
                weights[row] > 0 ? weights[row] * (scores[row] - theta * shares[row]) : nil
            }
        }
        self.init(scoreSums, influences)
    }

    /// Computes the estimate from the rows of all processes, of which these are the ones here.
    ///
    /// - Parameter clusters: codes from 0 for each row, the same in every process; nil where rows are independent.
    /// - Throws: what the collective throws.
    init(
        scores: [Double], shares: [Double], weights: [Double], clusters: [Int32]?,
        _ distribution: DistributedRows
    ) throws(MetaLearnersError) {
        let sums = try ScoreSums(scores, shares, weights, distribution)
        // (A process without rows knows of no clusters.)
        let last = try distribution.maximum([Double(clusters?.max() ?? -1)])[0]
        guard last < 0 else {
            var ofClusters = [Double](repeating: 0, count: Int(last) + 1)
            var rows = [Int](repeating: 0, count: ofClusters.count)
            for (row, cluster) in (clusters ?? []).enumerated() where weights[row] > 0 {
                ofClusters[Int(cluster)] += weights[row] * (scores[row] - sums.theta * shares[row])
                rows[Int(cluster)] += 1
            }
            ofClusters = try distribution.sum(ofClusters)
            rows = try distribution.sum(rows)
            self.init(sums, rows.indices.filter { rows[$0] > 0 }.map { ofClusters[$0] })
            return
        }
        let influences = scores.indices.filter { weights[$0] > 0 }.map { row in
            weights[row] * (scores[row] - sums.theta * shares[row])
        }
        let groups = try distribution.sum(influences.count)
        let largest = try distribution.maximum([influences.reduce(0) { max($0, abs($1)) }])[0]
        var squares = ExactSum()
        squares.add(influences) { $0 * $0 }
        let powers = try distribution.sum([
            squares, VarianceSpread.fourths(influences, largest: largest),
        ])
        self.init(
            sums, squares: powers[0].value, groups: groups,
            VarianceSpread(
                count: groups, largest: largest, squares: powers[0].value, fourths: powers[1].value))
    }

    private init(_ sums: ScoreSums, _ influences: [Double]) {
        self.init(
            sums, squares: ExactSum.of(influences) { $0 * $0 }, groups: influences.count,
            VarianceSpread(influences))
    }

    private init(_ sums: ScoreSums, squares: Double, groups: Int, _ spread: VarianceSpread) {
        estimate = sums.theta
        let count = Double(groups)
        stdError =
            count > 1 && sums.total > 0 ? (squares * count / (count - 1)).squareRoot() / sums.total : 0
        degreesOfFreedom = spread.degreesOfFreedom
    }

    /// The interval that covers the truth with probability `level`, where 0 < level < 1.
    func interval(level: Double) -> (lower: Double, upper: Double) {
        let probability = (1 + level) / 2
        let quantile =
            degreesOfFreedom.map { StudentDistribution($0).quantile(probability) }
            ?? StandardNormal.quantile(probability)
        return (estimate - quantile * stdError, estimate + quantile * stdError)
    }

    /// The two-sided p-value of zero.
    var pValue: Double {
        guard stdError > 0 else { return estimate == 0 ? 1 : 0 }
        let statistic = abs(estimate) / stdError
        return degreesOfFreedom.map { 2 * StudentDistribution($0).upperTail(statistic) }
            ?? 2 * StandardNormal.upperTail(statistic)
    }
}

/// What the scores and shares of rows add up to: exactly, so that it does not depend on which process holds which rows.
private struct ScoreSums {
    /// Σ w b.
    let total: Double
    /// Σ w a / Σ w b.
    let theta: Double

    init(_ scores: [Double], _ shares: [Double], _ weights: [Double]) {
        self.init(Self.exact(scores, shares, weights))
    }

    init(
        _ scores: [Double], _ shares: [Double], _ weights: [Double], _ distribution: DistributedRows
    ) throws(MetaLearnersError) {
        self.init(try distribution.sum(Self.exact(scores, shares, weights)))
    }

    private init(_ sums: [ExactSum]) {
        total = sums[0].value
        theta = total > 0 ? sums[1].value / total : 0
    }

    private static func exact(_ scores: [Double], _ shares: [Double], _ weights: [Double]) -> [ExactSum] {
        var sums = [ExactSum(), ExactSum()]
        for row in scores.indices where weights[row] > 0 {
            sums[0].add(weights[row] * shares[row])
            sums[1].add(weights[row] * scores[row])
        }
        return sums
    }
}
