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
    /// How many rows or clusters each group has.
    private let units: [Int]
    /// The influence of each cluster on each group, where some clusters are in several groups; nil where groups are independent.
    private let shared: [Double]?

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
        var influences = [[Double]](repeating: [], count: count)
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
                    influences[left].append(sums[cluster * count + left])
                    for right in 0..<count {
                        covariance[left * count + right] +=
                            sums[cluster * count + left] * sums[cluster * count + right]
                    }
                }
            }
            let isShared = (0..<places.count).contains { cluster in
                occurs[cluster * count..<(cluster + 1) * count].count(where: \.self) > 1
            }
            shared = isShared ? sums : nil
        } else {
            units = counts
            shared = nil
            for row in rows {
                let group = Int(groups[row])
                let influence = weights[row] * (values[row] - means[group]) / totals[group]
                covariance[group * count + group] += influence * influence
                influences[group].append(influence)
            }
        }
        let factors = units.map { $0 > 1 ? (Double($0) / Double($0 - 1)).squareRoot() : 0 }
        for left in 0..<count {
            for right in 0..<count { covariance[left * count + right] *= factors[left] * factors[right] }
        }
        estimates = (0..<count).map { group in
            units[group] > 1
                ? NormalEstimate(
                    estimate: means[group], stdError: covariance[group * count + group].squareRoot(),
                    degreesOfFreedom: VarianceSpread(influences[group]).degreesOfFreedom)
                : nil
        }
        self.counts = counts
        self.units = units
        let total = totals.reduce(0, +)
        shares = totals.map { total > 0 ? $0 / total : 0 }
        self.covariance = covariance
    }

    /// The mean of one group less that of another; nil where either has none. Its degrees of freedom are those of Welch (1947), and where groups
    /// share clusters those of the clusters' influences on the difference.
    func difference(_ left: Int, _ right: Int) -> NormalEstimate? {
        guard let first = estimates[left], let second = estimates[right] else { return nil }
        let count = estimates.count
        let variance =
            covariance[left * count + left] + covariance[right * count + right]
            - 2 * covariance[left * count + right]
        if let shared {
            let influences = stride(from: 0, to: shared.count, by: count).map {
                shared[$0 + left] - shared[$0 + right]
            }
            return NormalEstimate(
                estimate: first.estimate - second.estimate, stdError: max(variance, 0).squareRoot(),
                degreesOfFreedom: VarianceSpread(influences).degreesOfFreedom)
        }
        let squares = [first, second].reduce(0) { sum, part in
            let variance = part.stdError * part.stdError
            return sum + (part.degreesOfFreedom.map { variance * variance / $0 } ?? 0)
        }
        let parts = first.stdError * first.stdError + second.stdError * second.stdError
        return NormalEstimate(
            estimate: first.estimate - second.estimate, stdError: max(variance, 0).squareRoot(),
            degreesOfFreedom: squares > 0 ? parts * parts / squares : nil)
    }

    /// Wald's test that all groups have the same mean; nil with fewer than two groups, or without any variance.
    ///
    /// Of independent groups it is Welch's (1951), which knows that each variance comes from the group's own rows or clusters; of groups that share
    /// clusters it is Hotelling's.
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
            },
            shared.map { .hotelling($0.count / count - 1) }
                ?? .welch(
                    known.map { (variance: covariance[$0 * count + $0], degreesOfFreedom: units[$0] - 1) }))
    }
}
