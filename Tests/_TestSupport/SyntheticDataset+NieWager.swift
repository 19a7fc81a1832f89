import MetaLearnersCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The four simulation setups of Nie & Wager (2021, arXiv 1712.04912, section 6.2):
/// Y = b(X) + (W − ½)τ(X) + σε with W ~ Bernoulli(e(X)) and ε standard normal.
public enum NieWagerSetup: String, Sendable, CaseIterable {
    /// Difficult nuisances, an easy effect; X uniform on [0, 1].
    case a
    /// A randomised trial; X standard normal.
    case b
    /// An easy propensity, a difficult baseline, a constant effect; X standard normal.
    case c
    /// Unrelated arms; X standard normal.
    case d

    /// The main effect b(x).
    public func baseline(_ x: [Double]) -> Double {
        switch self {
        case .a:
            let centred = x[2] - 0.5
            return sin(.pi * x[0] * x[1]) + 2 * centred * centred + x[3] + 0.5 * x[4]
        case .b: return max(x[0] + x[1], x[2], 0) + max(x[3] + x[4], 0)
        case .c: return 2 * log1p(exp(x[0] + x[1] + x[2]))
        case .d: return (max(x[0] + x[1] + x[2], 0) + max(x[3] + x[4], 0)) / 2
        }
    }

    /// The propensity e(x) = P(W = 1 | X = x).
    public func propensity(_ x: [Double]) -> Double {
        switch self {
        case .a: max(0.1, min(sin(.pi * x[0] * x[1]), 0.9))
        case .b: 0.5
        case .c: 1 / (1 + exp(x[1] + x[2]))
        case .d: 1 / (1 + exp(-x[0]) + exp(-x[1]))
        }
    }

    /// The effect τ(x).
    public func effect(_ x: [Double]) -> Double {
        switch self {
        case .a: (x[0] + x[1]) / 2
        case .b: x[0] + log1p(exp(x[1]))
        case .c: 1
        case .d: max(x[0] + x[1] + x[2], 0) - max(x[3] + x[4], 0)
        }
    }
}

extension SyntheticDataset {
    /// Draws from one of Nie & Wager's setups.
    ///
    /// - Parameters:
    ///   - rows: how many rows (n).
    ///   - columns: how many covariates (p), at least 5; those beyond the fifth are noise.
    ///   - noise: the standard deviation σ.
    public static func nieWager(
        _ setup: NieWagerSetup, rows: Int, columns: Int = 6, noise: Double = 1, seed: UInt64
    ) throws(MetaLearnersError) -> SyntheticDataset {
        var stream = Stream.covariates.open(seed)
        let x = (0..<rows).map { _ in
            (0..<max(columns, 5)).map { _ in setup == .a ? stream.uniform() : stream.normal() }
        }
        let propensity = x.map(setup.propensity)
        let baseline = x.map(setup.baseline)
        let effect = x.map(setup.effect)
        return try draw(
            rows: x, propensities: [propensity.map { 1 - $0 }, propensity],
            armOutcomes: [
                zip(baseline, effect).map { $0 - $1 / 2 }, zip(baseline, effect).map { $0 + $1 / 2 },
            ], noise: noise, seed: seed)
    }
}
