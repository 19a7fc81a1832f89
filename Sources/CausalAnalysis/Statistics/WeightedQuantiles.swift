import MetaLearnersCore

/// Quantiles of numbers of which some count more than others. The order of the rows never matters.
struct WeightedQuantiles: Sendable {
    /// The numbers with weight, ascending.
    let values: [Double]
    private let cumulative: [Double]

    /// Sorts the numbers; NaN and rows without weight are left out. O(rows log rows).
    init(_ values: [Double], weights: [Double]) {
        let rows = values.indices.filter { weights[$0] > 0 && !values[$0].isNaN }
            .sorted { (values[$0], weights[$0]) < (values[$1], weights[$1]) }
        self.values = rows.map { values[$0] }
        var sum = 0.0
        cumulative = rows.map {
            sum += weights[$0]
            return sum
        }
    }

    /// The least number that a share of at least `share` of the weight does not exceed (Hyndman & Fan 1996, type 1); NaN where
    /// there is none.
    func quantile(_ share: Double) -> Double {
        guard let total = cumulative.last else { return .nan }
        // A share of exactly j/n reaches the j-th number, whatever rounding makes of it.
        let wanted = share * total - 1e-12 * total
        var low = 0
        var high = values.count - 1
        while low < high {
            let middle = (low + high) / 2
            if cumulative[middle] >= wanted { high = middle } else { low = middle + 1 }
        }
        return values[low]
    }

    /// Cuts rows into `count` groups at the quantiles: a group holds the numbers above the cut before it, up to and including
    /// its own. Cuts that coincide leave fewer groups.
    ///
    /// - Returns: the group of each row, −1 for NaN and for rows without weight, and how many groups there are.
    static func groups(_ values: [Double], weights: [Double], count: Int) -> (codes: [Int32], count: Int) {
        let quantiles = WeightedQuantiles(values, weights: weights)
        var cuts: [Double] = []
        for group in 1..<max(count, 1) {
            let cut = quantiles.quantile(Double(group) / Double(count))
            if let last = quantiles.values.last, cut < last, cut != cuts.last { cuts.append(cut) }
        }
        let codes = values.indices.map { row -> Int32 in
            guard weights[row] > 0, !values[row].isNaN else { return -1 }
            return Int32(cuts.firstIndex { values[row] <= $0 } ?? cuts.count)
        }
        return (codes, quantiles.values.isEmpty ? 0 : cuts.count + 1)
    }
}
