#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The standard normal distribution.
package enum StandardNormal {
    /// The number that a share of `probability` lies below, for 0.5 ≤ probability < 1.
    ///
    /// Newton's method on the upper tail from 0: its steps never overshoot, since the tail is convex there.
    package static func quantile(_ probability: Double) -> Double {
        let tail = 1 - probability
        var z = 0.0
        for _ in 0..<200 {
            let excess = 0.5 * erfc(z / 2.0.squareRoot()) - tail
            let density = exp(-z * z / 2) / (2 * Double.pi).squareRoot()
            let next = z + excess / density
            guard next.isFinite, next > z else { break }
            z = next
        }
        return z
    }
}
