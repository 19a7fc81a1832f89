#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif
import MetaLearnersCore

/// The four set-ups of Nie & Wager (2021): Y = b(X) + (W − ½)τ(X) + σε.
public struct NieWagerLaw: DataLaw {
    /// Which of them.
    public enum Setup: String, Sendable, CaseIterable {
        /// Difficult nuisances and an easy effect; X uniform on [0, 1].
        case a
        /// A randomised trial; X standard normal.
        case b
        /// An easy propensity, a difficult baseline, a constant effect; X standard normal.
        case c
        /// Arms that have nothing in common; X standard normal.
        case d
    }

    public static let name = "nie_wager"
    public static let title = "Nie–Wager set-ups A to D"
    public static let summary =
        "Nuisances and effects of different difficulty: which learner copes with which?"
    public static let source = "Nie & Wager 2021, Biometrika 108, section 4 (arXiv 1712.04912)"
    public static let parameters: [Parameter<NieWagerLaw>] =
        [.choice("setup", \.setup, "which of the four: a, b, c or d")]
        + Parameter<NieWagerLaw>.common(rows: \.rows, seed: \.seed) + [
            .columns(\.columns, atLeast: 5), .noise(\.noise), .effect(\.effect),
        ]

    /// Which of the four.
    public var setup = Setup.a
    public var rows = 1000
    public var seed = 1
    /// How many covariates.
    public var columns = 6
    /// Standard deviation of the noise.
    public var noise = 1.0
    /// Factor of the effect.
    public var effect = 1.0

    public init() {}

    public var shape: LawShape {
        var shape = LawShape(columns: columns)
        shape.noise = .normal(noise)
        return shape
    }

    public func drawCovariates(_ stream: inout RandomStream, cluster: [Double]) -> [Double] {
        setup == .a ? LawFunctions.uniforms(columns, &stream) : LawFunctions.normals(columns, &stream)
    }

    public func truth(_ x: [Double], _ constants: [LawConstant], cluster: [Double]) -> LawTruth {
        let (baseline, propensity, tau) = functions(x)
        return LawTruth(
            propensity: propensity, control: baseline - effect * tau / 2, effect: effect * tau)
    }

    /// b(x), e(x) and τ(x).
    private func functions(_ x: [Double]) -> (baseline: Double, propensity: Double, effect: Double) {
        switch setup {
        case .a:
            let wave = sin(.pi * x[0] * x[1])
            return (
                wave + 2 * (x[2] - 0.5) * (x[2] - 0.5) + x[3] + 0.5 * x[4], max(0.1, min(wave, 0.9)),
                (x[0] + x[1]) / 2
            )
        case .b:
            return (
                max(x[0] + x[1], x[2], 0) + max(x[3] + x[4], 0), 0.5, x[0] + log1p(exp(x[1]))
            )
        case .c:
            return (2 * log1p(exp(x[0] + x[1] + x[2])), 1 / (1 + exp(x[1] + x[2])), 1)
        case .d:
            let treated = max(x[0] + x[1] + x[2], 0)
            let control = max(x[3] + x[4], 0)
            return ((treated + control) / 2, 1 / (1 + exp(-x[0]) + exp(-x[1])), treated - control)
        }
    }
}
