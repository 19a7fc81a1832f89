import MetaLearnersCore

/// How far several methods disagree about the same rows.
package enum Disagreement {
    /// The mean over the rows of the mean square of the difference between the effects by two methods, both drawn by their weights:
    /// 2·Σ a_j (τ_j − τ̄)². Half of it is what one of them is off by where the truth is among them.
    ///
    /// - Parameters:
    ///   - effects: of each method, for each row.
    ///   - weights: of each method; they add up to 1.
    ///   - rows: those that count.
    ///   - rowWeights: nil where all rows count alike.
    ///   - distribution: what joins the processes that hold the rows: the mean is that of all rows.
    /// - Throws: what the collective throws.
    package static func meanSquare(
        _ effects: [[Double]], weights: [Double], rows: [Int32], rowWeights: [Double]?,
        _ distribution: DistributedRows? = nil
    ) throws(MetaLearnersError) -> Double {
        var sum = 0.0
        var total = 0.0
        for row in rows.map(Int.init) {
            var mean = 0.0
            for (values, weight) in zip(effects, weights) where weight > 0 { mean += weight * values[row] }
            var square = 0.0
            for (values, weight) in zip(effects, weights) where weight > 0 {
                square += weight * (values[row] - mean) * (values[row] - mean)
            }
            let rowWeight = rowWeights?[row] ?? 1
            sum += rowWeight * 2 * square
            total += rowWeight
        }
        let sums = try distribution.sum([sum, total])
        return sums[1] > 0 ? sums[0] / sums[1] : 0
    }
}
