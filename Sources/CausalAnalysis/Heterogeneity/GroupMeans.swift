import MetaLearnersCore

/// Weighted means of groups of rows, with the variances and covariances that clusters make of them.
///
/// The mean of a group and its error are those of `NormalEstimate`; groups that share clusters are correlated.
struct GroupMeans {
    /// The mean of each group; nil for a group of fewer than two rows or clusters.
    let estimates: [NormalEstimate?]
    /// How many rows with weight each group has.
    let counts: [Int]
    /// Each group's share of the weight.
    let shares: [Double]
    /// Row by row, a row and a column for each group.
    private let covariance: [Double]

    /// Averages a number over groups of rows. O(rows + clusters × groups²).
    ///
    /// - Parameters:
    ///   - values: a number for each row; NaN leaves the row out.
    ///   - groups: the group of each row, from 0; negative for none.
    ///   - count: how many groups there are.
    ///   - weights: of each row, 0 for rows that are left out.
    ///   - clusters: the cluster of each row; nil where rows are independent.
    init(_ values: [Double], groups: [Int32], count: Int, weights: [Double], clusters: [Int32]?) {
        var totals = [Double](repeating: 0, count: count)
        var means = [Double](repeating: 0, count: count)
        var counts = [Int](repeating: 0, count: count)
        let rows = values.indices.filter { groups[$0] >= 0 && weights[$0] > 0 && !values[$0].isNaN }
        for row in rows {
            let group = Int(groups[row])
            totals[group] += weights[row]
            means[group] += weights[row] * values[row]
            counts[group] += 1
        }
        for group in 0..<count where totals[group] > 0 { means[group] /= totals[group] }
        var covariance = [Double](repeating: 0, count: count * count)
        var units = [Int](repeating: 0, count: count)
        if let clusters {
            // The influences of each cluster on each group, and whether it is there at all.
            var places: [Int32: Int] = [:]
            for row in rows where places[clusters[row]] == nil { places[clusters[row]] = places.count }
            var sums = [Double](repeating: 0, count: places.count * count)
            var occurs = [Bool](repeating: false, count: places.count * count)
            for row in rows {
                let group = Int(groups[row])
                let place = (places[clusters[row]] ?? 0) * count + group
                sums[place] += weights[row] * (values[row] - means[group]) / totals[group]
                occurs[place] = true
            }
            for cluster in 0..<places.count {
                for left in 0..<count where occurs[cluster * count + left] {
                    units[left] += 1
                    for right in 0..<count {
                        covariance[left * count + right] +=
                            sums[cluster * count + left] * sums[cluster * count + right]
                    }
                }
            }
        } else {
            units = counts
            for row in rows {
                let group = Int(groups[row])
                let influence = weights[row] * (values[row] - means[group]) / totals[group]
                covariance[group * count + group] += influence * influence
            }
        }
        let factors = units.map { $0 > 1 ? (Double($0) / Double($0 - 1)).squareRoot() : 0 }
        for left in 0..<count {
            for right in 0..<count { covariance[left * count + right] *= factors[left] * factors[right] }
        }
        estimates = (0..<count).map { group in
            units[group] > 1
                ? NormalEstimate(
                    estimate: means[group], stdError: covariance[group * count + group].squareRoot())
                : nil
        }
        self.counts = counts
        let total = totals.reduce(0, +)
        shares = totals.map { total > 0 ? $0 / total : 0 }
        self.covariance = covariance
    }

    /// The mean of one group less that of another; nil where either has none.
    func difference(_ left: Int, _ right: Int) -> NormalEstimate? {
        guard let first = estimates[left], let second = estimates[right] else { return nil }
        let count = estimates.count
        let variance =
            covariance[left * count + left] + covariance[right * count + right]
            - 2 * covariance[left * count + right]
        return NormalEstimate(
            estimate: first.estimate - second.estimate, stdError: max(variance, 0).squareRoot())
    }

    /// Wald's test that all groups have the same mean; nil with fewer than two groups, or without any variance.
    ///
    /// - Parameter factor: what standard errors are multiplied by.
    func equality(errorFactor factor: Double = 1) -> WaldTest? {
        let known = estimates.indices.filter { estimates[$0] != nil }
        guard let base = known.first, known.count > 1 else { return nil }
        let count = estimates.count
        let others = known.dropFirst()
        let base2 = covariance[base * count + base]
        return WaldTest(
            estimates: others.map { (estimates[$0]?.estimate ?? 0) - (estimates[base]?.estimate ?? 0) },
            covariance: others.flatMap { left in
                others.map { right in
                    factor * factor
                        * (covariance[left * count + right] - covariance[left * count + base]
                            - covariance[base * count + right] + base2)
                }
            })
    }
}

/// Wald's test that several estimates are all 0: θᵀ V⁻¹ θ against the chi-square distribution.
struct WaldTest {
    /// θᵀ V⁻¹ θ.
    let statistic: Double
    /// How many of the estimates do not depend on the others.
    let degreesOfFreedom: Int
    /// The probability of so much or more where all are 0.
    var pValue: Double { ChiSquareDistribution(Double(degreesOfFreedom)).upperTail(statistic) }

    /// Computes the test; nil where no estimate has a variance.
    ///
    /// - Parameter covariance: row by row.
    init?(estimates: [Double], covariance: [Double]) {
        let order = estimates.count
        // Estimates may be of quite different units; scaled to a variance of 1 they have one yardstick.
        let scales = (0..<order).map { index in
            let variance = covariance[index * order + index]
            return variance > 0 ? 1 / variance.squareRoot() : 0
        }
        var matrix = covariance
        for row in 0..<order {
            for column in 0..<order { matrix[row * order + column] *= scales[row] * scales[column] }
        }
        var vector = zip(estimates, scales).map { $0 * $1 }
        var dependent = order
        matrix.withUnsafeMutableBufferPointer { matrix in
            vector.withUnsafeMutableBufferPointer { vector in
                if let matrix = matrix.baseAddress, let vector = vector.baseAddress {
                    dependent = SmallCholesky.factorize(matrix, order: order, vector, leastPivot: 1e-10)
                }
            }
        }
        guard dependent < order else { return nil }
        statistic = vector.reduce(0) { $0 + $1 * $1 }
        degreesOfFreedom = order - dependent
    }
}
