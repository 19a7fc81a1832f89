/// Medians and quantiles of values in ascending order, all of which count alike.
package enum OrderStatistics {
    /// The middle value; the mean of the middle two where their number is even; NaN where there is none.
    ///
    /// (A `quantile` of a half, which interpolates, may differ from that mean in the last bit.)
    @inlinable
    package static func median<Numbers: RandomAccessCollection<Double>>(ofSorted values: Numbers) -> Double
    where Numbers.Index == Int {
        guard !values.isEmpty else { return .nan }
        let middle = values.count / 2
        return values.count.isMultiple(of: 2) ? (values[middle - 1] + values[middle]) / 2 : values[middle]
    }

    /// The value below which the share `share` of the values lies, interpolated between order statistics (Hyndman &
    /// Fan 1996, The American Statistician 50, 361–365, type 7); NaN where there is none.
    ///
    /// - Parameter share: from 0 to 1; beyond that the least and the largest value are given.
    package static func quantile(ofSorted values: [Double], _ share: Double) -> Double {
        guard let last = values.indices.last else { return .nan }
        let position = min(max(share, 0), 1) * Double(last)
        let low = min(Int(position), last)
        let high = min(low + 1, last)
        // Of two equal ends (infinite ones, say) no mean is taken.
        guard values[low] != values[high] else { return values[low] }
        return values[low] + (position - Double(low)) * (values[high] - values[low])
    }
}
