/// Rows in bins of effects that are alike: one row in fifty to a bin, and 50 at least, equal effects together.
struct EffectBins {
    /// The bin of each row; −1 for rows of no weight.
    let codes: [Int32]
    /// The sum of weights in each bin.
    let weights: [Double]
    /// The least and the largest effect of each bin.
    private let ends: [(low: Double, high: Double)]

    var count: Int { ends.count }

    /// - Complexity: O(rows log rows).
    init(_ effects: [Double], weights all: [Double]) {
        let order = effects.indices.filter { all[$0] > 0 }.sorted { (effects[$0], $0) < (effects[$1], $1) }
        let size = max(order.count / 50, 50)
        // A run of equal effects that fills a bin has one of its own.
        var bins: [Range<Int>] = []
        var open = 0..<0
        var start = 0
        while start < order.count {
            var end = start
            while end < order.count, effects[order[end]] == effects[order[start]] { end += 1 }
            if end - start >= size {
                if !open.isEmpty { bins.append(open) }
                bins.append(start..<end)
                open = end..<end
            } else {
                open = (open.isEmpty ? start : open.lowerBound)..<end
                if open.count >= size {
                    bins.append(open)
                    open = end..<end
                }
            }
            start = end
        }
        if !open.isEmpty { bins.append(open) }
        // What fills less than half goes with its neighbour.
        var place = 0
        while bins.count > 1, place < bins.count {
            guard 2 * bins[place].count < size else {
                place += 1
                continue
            }
            let other = place > 0 ? place - 1 : 1
            bins[min(place, other)] = bins[min(place, other)].lowerBound..<bins[max(place, other)].upperBound
            bins.remove(at: max(place, other))
        }
        var codes = [Int32](repeating: -1, count: effects.count)
        var sums = [Double](repeating: 0, count: bins.count)
        var ends: [(low: Double, high: Double)] = []
        for (bin, range) in bins.enumerated() {
            for row in order[range] {
                codes[row] = Int32(bin)
                sums[bin] += all[row]
            }
            ends.append((effects[order[range.lowerBound]], effects[order[range.upperBound - 1]]))
        }
        self.codes = codes
        weights = sums
        self.ends = ends
    }

    /// The bin that an effect is in, or else the nearest. O(log bins).
    func bin(of effect: Double) -> Int {
        var (low, high) = (0, ends.count - 1)
        while low < high {
            let middle = (low + high) / 2
            if effect <= ends[middle].high { high = middle } else { low = middle + 1 }
        }
        // Between two bins.
        if low > 0, effect < ends[low].low, effect - ends[low - 1].high < ends[low].low - effect {
            return low - 1
        }
        return low
    }
}
