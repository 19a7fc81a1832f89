/// The area under the ROC curve: how often a score of a positive row lies above that of a negative one.
package enum ROCArea {
    /// P(s₊ > s₋) + ½ P(s₊ = s₋) over pairs of a positive and a negative row, each pair with the product of its weights
    /// (Hanley & McNeil 1982). Nil where one kind has no weight. O(rows log rows).
    package static func area(_ scores: [Double], positive: [Bool], weights: [Double]) -> Double? {
        let order = scores.indices.filter { weights[$0] > 0 }.sorted { scores[$0] < scores[$1] }
        var below = 0.0
        var positives = 0.0
        var area = 0.0
        var start = 0
        while start < order.count {
            var end = start
            var tied = (positive: 0.0, negative: 0.0)
            while end < order.count, scores[order[end]] == scores[order[start]] {
                if positive[order[end]] {
                    tied.positive += weights[order[end]]
                } else {
                    tied.negative += weights[order[end]]
                }
                end += 1
            }
            area += tied.positive * (below + tied.negative / 2)
            below += tied.negative
            positives += tied.positive
            start = end
        }
        return positives > 0 && below > 0 ? area / (positives * below) : nil
    }
}
