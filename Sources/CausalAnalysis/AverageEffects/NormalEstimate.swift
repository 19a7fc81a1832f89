import MetaLearnersCore

/// An estimate that is normal in large samples, such as a ratio of weighted means.
///
/// With scores a_i and shares b_i the estimate is θ = Σ w a / Σ w b; the influence of row i is
/// w_i (a_i − θ b_i) / Σ w b. The variance is the sum of squared influences, those of a cluster added up first,
/// times G/(G − 1) of the G rows or clusters (HC1, and the usual cluster-robust correction).
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

    /// Computes the estimate; rows without weight count for nothing.
    ///
    /// - Parameters:
    ///   - scores: a_i for each row.
    ///   - shares: b_i for each row.
    ///   - weights: w_i for each row.
    ///   - clusters: codes from 0 for each row; nil where rows are independent.
    init(scores: [Double], shares: [Double], weights: [Double], clusters: [Int32]?) {
        var total = 0.0
        var sum = 0.0
        for row in scores.indices where weights[row] > 0 {
            total += weights[row] * shares[row]
            sum += weights[row] * scores[row]
        }
        let theta = total > 0 ? sum / total : 0
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
        let groups = Double(influences.count)
        let squares = influences.reduce(0) { $0 + $1 * $1 }
        estimate = theta
        stdError = groups > 1 && total > 0 ? (squares * groups / (groups - 1)).squareRoot() / total : 0
        degreesOfFreedom = nil
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
