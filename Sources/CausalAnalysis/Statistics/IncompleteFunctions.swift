#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif
import MetaLearnersCore

/// The incomplete beta and gamma functions, of which the distributions of test statistics are made.
///
/// Both are a density times a continued fraction or a series. The densities are written by deviances from the mean and by the
/// error of Stirling's formula (Loader 2000, "Fast and accurate computation of binomial probabilities"), because differences
/// of logarithms of large factorials would lose the digits that are asked for.
enum IncompleteFunctions {
    /// The share I_x(a, b) of the beta function that lies below x, and the share above.
    ///
    /// - Parameters:
    ///   - x: from 0 to 1.
    ///   - complement: 1 − x, which the caller may know better than the difference does.
    static func beta(_ a: Double, _ b: Double, _ x: Double, complement: Double) -> (
        lower: Double, upper: Double
    ) {
        guard x > 0 else { return (0, 1) }
        guard complement > 0 else { return (1, 0) }
        // The fraction converges fast on the side of the mean where the share is small.
        if x > (a + 1) / (a + b + 2) {
            let (lower, upper) = smallBeta(b, a, complement, complement: x)
            return (upper, lower)
        }
        return smallBeta(a, b, x, complement: complement)
    }

    private static func smallBeta(_ a: Double, _ b: Double, _ x: Double, complement: Double) -> (
        lower: Double, upper: Double
    ) {
        let share = betaKernel(a, b, x, complement) / a * betaFraction(a, b, x)
        return (share, 1 - share)
    }

    /// xᵃ (1 − x)ᵇ / B(a, b).
    private static func betaKernel(_ a: Double, _ b: Double, _ x: Double, _ complement: Double) -> Double {
        let total = a + b
        let exponent =
            stirlingError(total) - stirlingError(a) - stirlingError(b) - deviance(a, total * x)
            - deviance(b, total * complement)
        return exp(exponent) * (a * b / (2 * Double.pi * total)).squareRoot()
    }

    /// The continued fraction of I_x(a, b) by Lentz's method (Abramowitz & Stegun 26.5.8).
    private static func betaFraction(_ a: Double, _ b: Double, _ x: Double) -> Double {
        let tiny = 1e-300
        func away(_ value: Double) -> Double { abs(value) < tiny ? tiny : value }
        var c = 1.0
        var d = 1 / away(1 - (a + b) * x / (a + 1))
        var fraction = d
        for step in 1...1_000_000 {
            let m = Double(step)
            let even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
            d = 1 / away(1 + even * d)
            c = away(1 + even / c)
            fraction *= d * c
            let odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
            d = 1 / away(1 + odd * d)
            c = away(1 + odd / c)
            let factor = d * c
            fraction *= factor
            if abs(factor - 1) < 1e-16 { break }
        }
        return fraction
    }

    /// The share P(a, x) of the gamma function that lies below x, and the share above.
    static func gamma(_ a: Double, _ x: Double) -> (lower: Double, upper: Double) {
        guard x > 0 else { return (0, 1) }
        guard x.isFinite else { return (1, 0) }
        // xᵃ e⁻ˣ / Γ(a + 1).
        let kernel = exp(-stirlingError(a) - deviance(a, x)) / (2 * Double.pi * a).squareRoot()
        if x < a + 1 {
            var term = 1.0
            var sum = 1.0
            var next = a
            repeat {
                next += 1
                term *= x / next
                sum += term
            } while term > sum * 1e-17
            let lower = kernel * sum
            return (lower, 1 - lower)
        }
        let tiny = 1e-300
        var b = x + 1 - a
        var c = 1 / tiny
        var d = 1 / b
        var fraction = d
        for step in 1...1_000_000 {
            let n = Double(step)
            let numerator = -n * (n - a)
            b += 2
            d = numerator * d + b
            d = 1 / (abs(d) < tiny ? tiny : d)
            c = b + numerator / c
            if abs(c) < tiny { c = tiny }
            let factor = d * c
            fraction *= factor
            if abs(factor - 1) < 1e-16 { break }
        }
        let upper = kernel * a * fraction
        return (1 - upper, upper)
    }

    /// log Γ(n + 1) − (n + ½) log n + n − ½ log 2π, for n > 0.
    private static func stirlingError(_ n: Double) -> Double {
        guard n > 16 else {
            return lgamma(n + 1) - (n + 0.5) * Double.log(n) + n - 0.5 * Double.log(2 * Double.pi)
        }
        let square = n * n
        let terms = [1.0 / 12, 1.0 / 360, 1.0 / 1260, 1.0 / 1680, 1.0 / 1188, 691.0 / 360_360, 1.0 / 156]
        return terms.reversed().reduce(0) { $1 - $0 / square } / n
    }

    /// x log(x/m) + m − x, without loss of digits where x is near m.
    private static func deviance(_ x: Double, _ m: Double) -> Double {
        guard abs(x - m) < 0.1 * (x + m) else { return x * Double.log(x / m) + m - x }
        let ratio = (x - m) / (x + m)
        var sum = (x - m) * ratio
        var term = 2 * x * ratio
        let square = ratio * ratio
        for step in 1...1000 {
            term *= square
            let next = sum + term / Double(2 * step + 1)
            if next == sum { break }
            sum = next
        }
        return sum
    }
}
