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
        let share = betaKernel(a, b, x, complement) / a * betaFraction(a, b, x, complement)
        return (share, 1 - share)
    }

    /// xᵃ (1 − x)ᵇ / B(a, b).
    private static func betaKernel(_ a: Double, _ b: Double, _ x: Double, _ complement: Double) -> Double {
        let total = a + b
        // a − (a + b)x, without the digits that the difference would lose.
        let distance = a * complement - b * x
        let exponent =
            stirlingError(total) - stirlingError(a) - stirlingError(b) - deviance(a, total * x, distance)
            - deviance(b, total * complement, -distance)
        return exp(exponent) * (a * b / (2 * Double.pi * total)).squareRoot()
    }

    /// The continued fraction of I_x(a, b) (Didonato & Morris 1992, ACM TOMS 18, eq. 9), whose terms hold a − (a + b)x instead
    /// of x alone: near the mean that is what decides, and 1 − x would have lost it.
    private static func betaFraction(_ a: Double, _ b: Double, _ x: Double, _ complement: Double) -> Double {
        let distance = a * complement - b * x
        // Lentz's method for β₀ + α₁/(β₁ + α₂/(β₂ + …)), of which the inverse is asked for.
        func beta(_ n: Double) -> Double {
            n + n * (b - n) * x / (a + 2 * n - 1)
                + (a + n) / (a + 2 * n + 1) * (distance + 1 + n * (1 + complement))
        }
        func alpha(_ n: Double) -> Double {
            let below = a + 2 * n - 1
            return (a + n - 1) * (a + b + n - 1) * n * (b - n) * x * x / (below * below)
        }
        let tiny = 1e-300
        func away(_ value: Double) -> Double { abs(value) < tiny ? tiny : value }
        var fraction = away(beta(0))
        var c = fraction
        var d = 0.0
        for step in 1...1_000_000 {
            let n = Double(step)
            d = 1 / away(beta(n) + alpha(n) * d)
            c = away(beta(n) + alpha(n) / c)
            let factor = c * d
            fraction *= factor
            if abs(factor - 1) < 1e-16 { break }
        }
        return a / fraction
    }

    /// The share P(a, x) of the gamma function that lies below x, and the share above.
    static func gamma(_ a: Double, _ x: Double) -> (lower: Double, upper: Double) {
        guard x > 0 else { return (0, 1) }
        guard x.isFinite else { return (1, 0) }
        // xᵃ e⁻ˣ / Γ(a + 1).
        let kernel = exp(-stirlingError(a) - deviance(a, x, a - x)) / (2 * Double.pi * a).squareRoot()
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

    /// x log(x/m) + m − x for an m that is `distance` below x, without loss of digits where that is small.
    private static func deviance(_ x: Double, _ m: Double, _ distance: Double) -> Double {
        guard abs(distance) < 0.1 * (x + m) else { return x * Double.log(x / m) - distance }
        let ratio = distance / (x + m)
        var sum = distance * ratio
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
