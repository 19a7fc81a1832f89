#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A distribution of a test statistic: its shares below and above a number, and its quantiles, to about 1e-13.
package protocol TestDistribution: Sendable {
    /// Where the density is not 0.
    var support: ClosedRange<Double> { get }

    /// P(X ≤ x) and P(X > x), of which the smaller one is right in all its digits.
    func shares(_ x: Double) -> (lower: Double, upper: Double)
}

extension TestDistribution {
    /// P(X ≤ x).
    package func cdf(_ x: Double) -> Double { shares(x).lower }

    /// P(X > x).
    package func upperTail(_ x: Double) -> Double { shares(x).upper }

    /// The number that a share of `probability` lies below; an end of the support for 0 and 1, NaN for what is no probability.
    package func quantile(_ probability: Double) -> Double {
        guard probability >= 0, probability <= 1 else { return .nan }
        if probability == 0 { return support.lowerBound }
        if probability == 1 { return support.upperBound }
        return root { probability < 0.5 ? $0.lower - probability : 1 - probability - $0.upper }
    }

    /// The number that a share of `probability` lies above, for probabilities too small to be taken from 1.
    package func upperQuantile(_ probability: Double) -> Double {
        guard probability > 0, probability < 0.5 else { return quantile(1 - probability) }
        return root { probability - $0.upper }
    }

    /// Where an increasing function of the shares passes 0: bisection down to neighbouring numbers, of which steps through
    /// powers of two first find the ends.
    private func root(_ excess: ((lower: Double, upper: Double)) -> Double) -> Double {
        var low = 0.0
        var high = 0.0
        let atZero = excess(shares(0))
        if atZero == 0 { return 0 }
        if atZero < 0 {
            high = 1
            while excess(shares(high)) < 0, high < 1e300 { (low, high) = (high, high * 2) }
            // Numbers near 0 are found by their order of magnitude.
            while low == 0, high > 1e-300, excess(shares(high / 2)) >= 0 { high /= 2 }
            if low == 0 { low = high / 2 }
        } else {
            low = max(-1, support.lowerBound)
            while excess(shares(low)) > 0, low > -1e300, low > support.lowerBound {
                (low, high) = (low * 2, low)
            }
        }
        for _ in 0..<200 {
            let middle = low + (high - low) / 2
            guard middle > low, middle < high else { break }
            if excess(shares(middle)) < 0 { low = middle } else { high = middle }
        }
        return low + (high - low) / 2
    }
}

/// The standard normal distribution.
package struct NormalDistribution: TestDistribution {
    package init() {}

    package var support: ClosedRange<Double> { -.infinity ... .infinity }

    package func shares(_ x: Double) -> (lower: Double, upper: Double) {
        let root = 2.0.squareRoot()
        return (0.5 * erfc(-x / root), 0.5 * erfc(x / root))
    }
}

/// Student's t distribution.
package struct StudentDistribution: TestDistribution {
    /// The degrees of freedom, more than 0; need not be whole.
    package let degreesOfFreedom: Double

    package init(_ degreesOfFreedom: Double) { self.degreesOfFreedom = degreesOfFreedom }

    package var support: ClosedRange<Double> { -.infinity ... .infinity }

    package func shares(_ x: Double) -> (lower: Double, upper: Double) {
        guard x.isFinite else { return x > 0 ? (1, 0) : (0, 1) }
        let total = degreesOfFreedom + x * x
        let outside = IncompleteFunctions.beta(
            degreesOfFreedom / 2, 0.5, degreesOfFreedom / total, complement: x * x / total
        ).lower
        return x >= 0 ? (1 - outside / 2, outside / 2) : (outside / 2, 1 - outside / 2)
    }
}

/// The F distribution.
package struct FDistribution: TestDistribution {
    /// The degrees of freedom of the numerator and of the denominator, more than 0.
    package let degreesOfFreedom: (numerator: Double, denominator: Double)

    package init(_ numerator: Double, _ denominator: Double) { degreesOfFreedom = (numerator, denominator) }

    package var support: ClosedRange<Double> { 0 ... .infinity }

    package func shares(_ x: Double) -> (lower: Double, upper: Double) {
        guard x > 0 else { return (0, 1) }
        guard x.isFinite else { return (1, 0) }
        let (numerator, denominator) = degreesOfFreedom
        let total = denominator + numerator * x
        return IncompleteFunctions.beta(
            numerator / 2, denominator / 2, numerator * x / total, complement: denominator / total)
    }
}

/// The chi-square distribution.
package struct ChiSquareDistribution: TestDistribution {
    /// The degrees of freedom, more than 0.
    package let degreesOfFreedom: Double

    package init(_ degreesOfFreedom: Double) { self.degreesOfFreedom = degreesOfFreedom }

    package var support: ClosedRange<Double> { 0 ... .infinity }

    package func shares(_ x: Double) -> (lower: Double, upper: Double) {
        IncompleteFunctions.gamma(degreesOfFreedom / 2, x / 2)
    }
}
