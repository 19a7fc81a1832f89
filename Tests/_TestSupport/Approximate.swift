/// Comparison of numbers that rounding may have moved.
public enum Approximate {
    /// Whether `left` and `right` differ by at most `tolerance`, absolutely or relative to the larger one.
    /// NaN equals nothing; infinities equal themselves.
    public static func equal(_ left: Double, _ right: Double, _ tolerance: Double) -> Bool {
        left == right || abs(left - right) <= tolerance * max(1, max(abs(left), abs(right)))
    }

    /// Whether the lists are as long as each other and their elements equal, pair by pair.
    public static func equal(_ left: [Double], _ right: [Double], _ tolerance: Double) -> Bool {
        left.count == right.count && zip(left, right).allSatisfy { equal($0, $1, tolerance) }
    }

    /// The largest absolute difference of the pairs; infinite where lengths differ or a difference is NaN.
    public static func largestDifference(_ left: [Double], _ right: [Double]) -> Double {
        guard left.count == right.count else { return .infinity }
        return zip(left, right).reduce(0) { largest, pair in
            let difference = pair.0 == pair.1 ? 0 : abs(pair.0 - pair.1)
            return difference.isNaN ? .infinity : max(largest, difference)
        }
    }

    /// The root of the mean squared difference; infinite where lengths differ or nothing is compared.
    public static func rootMeanSquare(_ left: [Double], _ right: [Double]) -> Double {
        guard left.count == right.count, !left.isEmpty else { return .infinity }
        let sum = zip(left, right).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
        return (sum / Double(left.count)).squareRoot()
    }

    /// The mean; NaN where there is nothing.
    public static func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(values.count) }
}
