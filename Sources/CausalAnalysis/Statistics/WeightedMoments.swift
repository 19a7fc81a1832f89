/// Sums over weighted values, missing ones left out.
struct WeightedMoments {
    /// Σ w.
    private(set) var total = 0.0
    /// The largest weight, and Σ w² in its square: weights of inverse propensities may be too large to be squared.
    private var largest = 0.0
    private var squares = 0.0
    /// The mean; 0 where there is no weight.
    private(set) var mean = 0.0
    /// Σ w (x − mean)².
    private var deviations = 0.0

    /// Takes a value into account.
    mutating func add(_ value: Double, weight: Double) {
        guard weight > 0, !value.isNaN else { return }
        total += weight
        if weight > largest {
            squares *= (largest / weight) * (largest / weight)
            largest = weight
        }
        squares += (weight / largest) * (weight / largest)
        let distance = value - mean
        mean += distance * weight / total
        deviations += weight * distance * (value - mean)
    }

    /// The variance with Σ w − Σ w²/Σ w below: n − 1 where all weights are 1. Nil for fewer than two values.
    var variance: Double? {
        guard total > 0 else { return nil }
        let degrees = total - squares * (largest / total) * largest
        return degrees > 1e-12 * total ? max(deviations / degrees, 0) : nil
    }

    /// (Σ w)² / Σ w²: how many rows of equal weights say as much (Kish 1965).
    var effectiveSize: Double {
        // (Where the sum is infinite, one row says all there is.)
        guard total.isFinite else { return 1 }
        guard squares > 0 else { return 0 }
        return (total / largest) * (total / largest) / squares
    }
}
