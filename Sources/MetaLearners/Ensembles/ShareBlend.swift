import LinearEstimators
import MetaLearnersCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The stacked propensity of an arm against the control, in one fold: a linear function, logistic curves of others, and
/// trees.
struct ShareBlend: Sendable {
    /// The constant and the linear probability, weighted already.
    let level: LinearFunction
    /// Log-odds, and what the probabilities that they give count.
    let logits: [LinearFunction]
    let logitWeights: [Double]
    /// Trees that classify, and what the probability of class 1 counts.
    let trees: any FittedEstimator
    let treesWeight: Double

    /// Stacked propensities stay within this distance of 0 and 1; the overlap policy may be stricter.
    private static let margin = 1e-3

    static func clipped(_ share: Double) -> Double { min(max(share, margin), 1 - margin) }

    static func logistic(_ odds: Double) -> Double { 1 / (1 + exp(-odds)) }
}

extension LinearFunction {
    /// Adds `factor` times another function on the same columns.
    mutating func add(_ other: LinearFunction, times factor: Double) {
        guard factor != 0 else { return }
        intercept += factor * other.intercept
        for column in coefficients.indices { coefficients[column] += factor * other.coefficients[column] }
    }
}
