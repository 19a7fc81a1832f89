import MetaLearnersCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

extension RandomStream {
    /// A number drawn from the standard normal distribution, by the method of Box & Muller (1958):
    /// √(−2 ln(1 − u))·cos(2πv) with u and v uniform on [0, 1). Two uniform draws go into each number.
    public mutating func normal() -> Double {
        let radius = (-2 * log(1 - uniform())).squareRoot()
        return radius * cos(2 * .pi * uniform())
    }

    /// Whether an event of `probability` happens. One uniform draw.
    public mutating func bernoulli(_ probability: Double) -> Bool { uniform() < probability }

    /// An index drawn with the given probabilities, which add up to 1. One uniform draw.
    public mutating func index(of probabilities: [Double]) -> Int {
        var left = uniform()
        for (index, probability) in probabilities.enumerated() {
            if left < probability { return index }
            left -= probability
        }
        return probabilities.count - 1
    }
}
