import MetaLearnersCore

/// A sample of rows in which each comes about as often as its weight says, so that quantiles of the sample are those
/// by weight.
enum WeightedSample {
    /// `size` rows, ascending, some of them several times: those that equal steps along the running weight, from a
    /// start that is drawn, come to (systematic sampling). O(rows).
    ///
    /// - Returns: nil where all weights are the same or there are none to go by.
    static func rows(_ weights: [Double]?, of count: Int, size: Int) -> [Int32]? {
        guard let weights, weights.count == count, let first = weights.first,
            weights.contains(where: { $0 != first })
        else { return nil }
        let heaviest = weights.reduce(0) { max($0, usable($1)) }
        guard heaviest > 0 else { return nil }
        // As shares of the heaviest, so that they can be added whatever their magnitude is.
        let total = weights.reduce(0) { $0 + usable($1) / heaviest }
        var stream = RandomStream(seed: 0x4249_4E57)
        let step = total / Double(size)
        var next = stream.uniform() * step
        var running = 0.0
        var rows: [Int32] = []
        rows.reserveCapacity(size)
        for row in 0..<count {
            running += usable(weights[row]) / heaviest
            while next < running, rows.count < size {
                rows.append(Int32(row))
                next += step
            }
        }
        return rows.isEmpty ? nil : rows
    }

    /// Rows that no fit may use can have any weight.
    private static func usable(_ weight: Double) -> Double { weight > 0 && weight.isFinite ? weight : 0 }
}
