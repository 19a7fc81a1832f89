/// The standard normal distribution.
package enum StandardNormal {
    /// The probability of a number above z: ½·erfc(z/√2).
    package static func upperTail(_ z: Double) -> Double {
        0.5 * Double.complementaryErrorFunction(z / 2.0.squareRoot())
    }

    /// The density at z: e^(−z²/2)/√(2π).
    package static func density(_ z: Double) -> Double {
        Double.exp(-z * z / 2) / (2 * Double.pi).squareRoot()
    }

    /// The number that a share of `probability` lies below, for 0.5 ≤ probability < 1.
    ///
    /// Newton's method on the upper tail from 0: its steps never overshoot, since the tail is convex there.
    package static func quantile(_ probability: Double) -> Double {
        let tail = 1 - probability
        var z = 0.0
        for _ in 0..<200 {
            let next = z + (upperTail(z) - tail) / density(z)
            guard next.isFinite, next > z else { break }
            z = next
        }
        return z
    }
}
