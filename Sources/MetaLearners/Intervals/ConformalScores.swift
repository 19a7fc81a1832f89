import MetaLearnersCore

/// How far outcomes of one arm lay from their predictions, each row weighted so that together they stand for all rows:
/// the scores of weighted conformal prediction (Tibshirani, Barber, Candès & Ramdas 2019, arXiv 1904.06019).
struct ConformalScores: Sendable {
    /// The distances, ascending.
    private let scores: [Double]
    /// The weight of all rows up to each.
    private let sums: [Double]

    /// - Parameters:
    ///   - scores: |Y − μ̂(x)| of rows that μ̂ was not fitted to.
    ///   - weights: 1/e(x), times the weight of the row.
    /// - Complexity: O(n log n).
    init(_ scores: [Double], weights: [Double]) {
        let order = scores.indices.sorted { (scores[$0], $0) < (scores[$1], $1) }
        self.scores = order.map { scores[$0] }
        var sum = 0.0
        sums = order.map { index in
            sum += weights[index]
            return sum
        }
    }

    /// The least distance within which so large a share of the weight lies, that of the row itself counted as lying
    /// beyond all; infinite where the row's own weight leaves none.
    ///
    /// - Complexity: O(log n).
    func quantile(_ share: Double, ownWeight: Double) -> Double {
        let wanted = share * ((sums.last ?? 0) + ownWeight)
        var low = 0
        var high = sums.count
        while low < high {
            let middle = (low + high) / 2
            if sums[middle] >= wanted { high = middle } else { low = middle + 1 }
        }
        return scores.indices.contains(low) ? scores[low] : .infinity
    }
}
