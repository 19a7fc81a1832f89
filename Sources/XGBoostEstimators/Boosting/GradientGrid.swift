/// The grid that gradients are rounded to, so fine that nothing is lost in single precision, and so coarse that
/// XGBoost's sums over rows, in double precision, are exact.
///
/// Exact sums do not depend on their order: the trees are the same to the bit whatever the number of threads.
struct GradientGrid: Sendable {
    /// Gradients beyond this need a coarser grid.
    let limit: Double
    /// Added and taken off again, it rounds a number to the grid.
    let rounding: Double

    /// The grid for numbers of about `magnitude` (up to 4 times that) in `count` rows.
    ///
    /// With 24 bits for a number of that magnitude, 2 more for larger ones and 26 for up to 2²⁶ rows, a sum stays
    /// within the 53 bits of a Double; for more rows the grid is coarser.
    init(magnitude: Double, count: Int) {
        let countBits = Int.bitWidth - max(count - 1, 1).leadingZeroBitCount
        let bits = min(24, 50 - countBits)
        let exponent = magnitude > 0 && magnitude.isFinite ? Int(magnitude.exponent) + 1 : 0
        limit = 4 * Self.power(exponent)
        rounding = 1.5 * Self.power(exponent - bits + 52)
    }

    /// The nearest number of the grid.
    @inline(__always) func rounded(_ number: Double) -> Double { (number + rounding) - rounding }

    private static func power(_ exponent: Int) -> Double {
        Double(sign: .plus, exponent: min(max(exponent, -1000), 1000), significand: 1)
    }
}
