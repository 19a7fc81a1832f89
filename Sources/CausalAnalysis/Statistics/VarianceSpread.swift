import MetaLearnersCore

/// How well a variance is known that is estimated by a sum of squared influences: a few large ones tell little of it.
///
/// The sum S = Σ ψ² of n independent influences has the variance Σ ψ⁴ − S²/n, so that it is spread like S/d times a chi-square variable with
/// d = 2S²/(Σ ψ⁴ − S²/n) degrees of freedom (Satterthwaite 1946): about n where influences are normal, and a few where a few rows of a
/// small arm carry nearly all of the variance. No more than the n − 1 of Student's t for a mean.
struct VarianceSpread {
    /// How many influences there are, the size of the largest, Σ ψ², and Σ (ψ/largest)⁴: fourth powers would soon be too large or too small.
    private let count: Int
    private let largest: Double
    private let squares: Double
    private let fourths: Double

    /// The spread where influences add up to so much, in all processes.
    init(count: Int, largest: Double, squares: Double, fourths: Double) {
        (self.count, self.largest, self.squares, self.fourths) = (count, largest, squares, fourths)
    }

    /// The spread of influences that are all here.
    init(_ influences: [Double]) {
        let largest = influences.reduce(0) { max($0, abs($1)) }
        self.init(
            count: influences.count, largest: largest, squares: ExactSum.of(influences) { $0 * $0 },
            fourths: Self.fourths(influences, largest: largest).value)
    }

    /// Σ (ψ/largest)⁴ of some influences.
    static func fourths(_ influences: [Double], largest: Double) -> ExactSum {
        var sum = ExactSum()
        guard largest > 0, largest.isFinite else { return sum }
        sum.add(influences) {
            let square = ($0 / largest) * ($0 / largest)
            return square * square
        }
        return sum
    }

    /// d; nil where there are fewer than two influences or all are 0.
    var degreesOfFreedom: Double? {
        let sum = squares / largest / largest
        guard count > 1, sum > 0, sum.isFinite else { return nil }
        let most = Double(count - 1)
        let spread = fourths - sum * sum / Double(count)
        return spread > 0 ? min(2 * sum * sum / spread, most) : most
    }
}
