import MetaLearnersCore

/// Quantiles of weighted values.
enum WeightedQuantile {
    /// The value at which the weight of all values up to it reaches `level` of the total; halfway to the next one where
    /// it does so exactly. It minimises the pinball loss.
    ///
    /// Reorders `pairs` of values and weights, all finite, weights above 0; there must be one at least. O(count) on
    /// average.
    static func of(_ pairs: UnsafeMutableBufferPointer<SIMD2<Double>>, level: Double) -> Double {
        var total = 0.0
        for pair in pairs { total += pair.y }
        let goal = level * total
        var stream = RandomStream(seed: 0x5155_414E, path: UInt64(pairs.count))
        var low = 0
        var high = pairs.count
        // The weight of the values before `low`, always less than the goal.
        var below = 0.0
        while true {
            let pivot = pairs[low + stream.integer(below: high - low)].x
            let parts = part(pairs, low, high, pivot)
            let upToLess = below + weight(pairs, low..<parts.less)
            let upToEqual = upToLess + weight(pairs, parts.less..<parts.greater)
            if upToLess > goal {
                high = parts.less
            } else if upToLess == goal, parts.less > low {
                return midpoint(largest(pairs, low..<parts.less), pivot)
            } else if upToEqual > goal || parts.greater == pairs.count {
                return pivot
            } else if upToEqual == goal {
                return midpoint(pivot, smallest(pairs, parts.greater..<pairs.count))
            } else if parts.greater == high {
                // Sums in another order came to more than the goal.
                return pivot
            } else {
                below = upToEqual
                low = parts.greater
            }
        }
    }

    /// Puts values below `pivot` first, then those equal to it; returns where the second and the third part begin.
    private static func part(
        _ pairs: UnsafeMutableBufferPointer<SIMD2<Double>>, _ low: Int, _ high: Int, _ pivot: Double
    ) -> (less: Int, greater: Int) {
        var less = low
        var next = low
        var greater = high
        while next < greater {
            let value = pairs[next].x
            if value < pivot {
                pairs.swapAt(less, next)
                less += 1
                next += 1
            } else if value > pivot {
                greater -= 1
                pairs.swapAt(next, greater)
            } else {
                next += 1
            }
        }
        return (less, greater)
    }

    private static func weight(_ pairs: UnsafeMutableBufferPointer<SIMD2<Double>>, _ range: Range<Int>)
        -> Double
    {
        var sum = 0.0
        for index in range { sum += pairs[index].y }
        return sum
    }

    private static func largest(_ pairs: UnsafeMutableBufferPointer<SIMD2<Double>>, _ range: Range<Int>)
        -> Double
    {
        var value = -Double.infinity
        for index in range { value = max(value, pairs[index].x) }
        return value
    }

    private static func smallest(_ pairs: UnsafeMutableBufferPointer<SIMD2<Double>>, _ range: Range<Int>)
        -> Double
    {
        var value = Double.infinity
        for index in range { value = min(value, pairs[index].x) }
        return value
    }

    private static func midpoint(_ left: Double, _ right: Double) -> Double { left + (right / 2 - left / 2) }
}
