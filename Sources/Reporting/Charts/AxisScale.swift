import CausalAnalysis
import MetaLearnersCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Numbers along an axis: from where to where, with round numbers marked, and where on the page each number stands.
struct AxisScale {
    /// The numbers that are marked, ascending.
    let ticks: [Double]
    private let isShare: Bool
    private let low: Double
    private let high: Double
    private let start: Double
    private let end: Double

    /// An axis that holds all of `values`, drawn from `start` to `end`.
    ///
    /// - Parameters:
    ///   - count: about how many numbers to mark.
    ///   - isTight: whether the axis ends with the values instead of the next round numbers.
    init(
        _ values: [Double], from start: Double, to end: Double, count: Int, isShare: Bool,
        isTight: Bool = false
    ) {
        // Numbers whose differences would be infinite stand at the ends.
        let finite = values.filter(\.isFinite).map { min(max($0, -1e300), 1e300) }
        var low = finite.min() ?? 0
        var high = finite.max() ?? 1
        if low == high {
            let room = low == 0 ? 1 : abs(low) * 0.1
            low -= room
            high += room
        }
        let step = Self.roundStep((high - low) / Double(max(count, 1)))
        let first = (low / step).rounded(isTight ? .up : .down)
        let last = (high / step).rounded(isTight ? .down : .up)
        ticks = (0...max(Int(last - first), 0)).map { (first + Double($0)) * step }
        self.low = isTight ? low : first * step
        self.high = isTight ? high : last * step
        self.start = start
        self.end = end
        self.isShare = isShare
    }

    /// The least of 1, 2 and 5 times a power of ten that is no less than `step`.
    private static func roundStep(_ step: Double) -> Double {
        guard step > 0, step.isFinite else { return 1 }
        let power = pow(10, log10(step).rounded(.down))
        for factor in [1.0, 2, 5] where factor * power >= step * (1 - 1e-9) { return factor * power }
        return 10 * power
    }

    /// Where a number stands.
    func place(_ value: Double) -> Double { start + (value - low) / (high - low) * (end - start) }

    /// The value whose bar or area begins at the axis: 0, or the end that is nearer to it.
    var base: Double { min(max(0, low), high) }

    /// Whether the axis reaches so far.
    func holds(_ value: Double) -> Bool { value >= low && value <= high }

    /// What the marks say.
    var labels: [String] {
        let step = ticks.count > 1 ? ticks[1] - ticks[0] : 1
        let unit = isShare ? step * 100 : step
        let decimals = unit >= 1 || unit <= 0 ? 0 : min(Int((-log10(unit)).rounded(.up)), 12)
        return ticks.map { tick in
            let number = isShare ? tick * 100 : tick
            if abs(number) >= 1000, decimals == 0, let whole = Int(exactly: number.rounded()) {
                return NumberText.grouped(whole) + (isShare ? " %" : "")
            }
            return NumberText.fixed(number, decimals: decimals) + (isShare ? " %" : "")
        }
    }
}
