import MetaLearnersCore

@testable import CausalAnalysis

/// The Student distribution that an interval and a p-value are of, found from the interval itself.
struct StudentInterval {
    let degreesOfFreedom: Double
    private let estimate: Double
    private let stdError: Double

    /// nil where the ends do not lie about the estimate as those of such an interval do: alike on both sides, and no nearer than the normal ones.
    init?(_ estimate: Double, stdError: Double, lower: Double, upper: Double, level: Double = 0.95) {
        let quantile = (upper - lower) / 2 / stdError
        let probability = (1 + level) / 2
        guard abs((upper + lower) / 2 - estimate) <= 1e-9 * (abs(estimate) + upper - lower),
            quantile > StandardNormal.quantile(probability) * (1 - 1e-9)
        else { return nil }
        var (low, high) = (1.0, 1e12)
        for _ in 0..<200 {
            let middle = (low * high).squareRoot()
            if StudentDistribution(middle).quantile(probability) > quantile {
                low = middle
            } else {
                high = middle
            }
        }
        degreesOfFreedom = low
        self.estimate = estimate
        self.stdError = stdError
    }

    /// Half the width of the interval of another level.
    func halfWidth(level: Double) -> Double {
        StudentDistribution(degreesOfFreedom).quantile((1 + level) / 2) * stdError
    }

    /// The two-sided p-value of zero.
    var pValue: Double { 2 * StudentDistribution(degreesOfFreedom).upperTail(abs(estimate) / stdError) }
}
