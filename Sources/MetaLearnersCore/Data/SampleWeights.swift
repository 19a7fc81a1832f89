/// Sample weights on the scale that all fits see: their mean is 1 over the rows that have any.
///
/// Weights say how much rows count against each other. Penalties, least leaf sizes and stopping rules have a scale of
/// their own, so weights that add up to 1, or to a population, would change what is fitted. Here any common factor
/// is taken out, once, before anything sees the weights.
package enum SampleWeights {
    /// Bits of a ratio that are kept, beside ratios of small integers, which are kept in full.
    ///
    /// Multiplying by a factor rounds every weight by up to 2⁻⁵³ of itself. Ratios rounded to 30 bits do not show it,
    /// but for one weight in some 10⁷; they differ from the exact ones by less than 1 in 10⁹.
    private static let keptBits = 30
    /// The greatest denominator of ratios that are kept in full, so that counts stay counts.
    private static let largestDenominator = 4096.0

    /// `weights` with mean 1 over the rows whose weight is positive.
    ///
    /// They must be finite, not negative, and not all 0. Any positive factor, however small or large, gives the same
    /// result, to the bit, as long as no product with it leaves the range of normal numbers.
    ///
    /// - Complexity: O(rows).
    package static func scaled(_ weights: [Double], _ distribution: DistributedRows? = nil)
        throws(MetaLearnersError) -> [Double]
    {
        var largest = weights.max() ?? 0
        if let distribution { largest = try distribution.maximum([largest])[0] }
        guard largest > 0 else { return weights }
        // Divided by the largest first, so that no sum overflows or vanishes.
        let ratios = weights.map { steady($0 / largest) }
        var positive = ratios.reduce(0) { $0 + ($1 > 0 ? 1 : 0) }
        var sum = ExactSum()
        sum.add(ratios) { $0 }
        if let distribution {
            positive = try distribution.sum(positive)
            sum = try distribution.sum([sum])[0]
        }
        let scale = Double(positive) / sum.value
        return ratios.map { $0 * scale }
    }

    /// A ratio in 0...1 without the noise of a factor that was multiplied in.
    private static func steady(_ ratio: Double) -> Double {
        if ratio == 0 || ratio == 1 { return ratio }
        if let fraction = smallFraction(ratio) { return fraction }
        let unit = Double(sign: .plus, exponent: ratio.exponent - (keptBits - 1), significand: 1)
        guard unit > 0 else { return ratio }
        return (ratio / unit).rounded() * unit
    }

    /// The ratio of small integers that `ratio` is but for rounding, by its continued fraction; nil where it is none.
    private static func smallFraction(_ ratio: Double) -> Double? {
        var (numerator, formerNumerator) = (0.0, 1.0)
        var (denominator, formerDenominator) = (1.0, 0.0)
        var rest = ratio
        while true {
            rest = 1 / rest
            let whole = rest.rounded(.down)
            (numerator, formerNumerator) = (whole * numerator + formerNumerator, numerator)
            (denominator, formerDenominator) = (whole * denominator + formerDenominator, denominator)
            guard denominator <= largestDenominator else { return nil }
            let fraction = numerator / denominator
            if abs(fraction - ratio) <= ratio * 0x1p-50 { return fraction }
            rest -= whole
            guard rest > 0 else { return nil }
        }
    }
}
