#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif
import MetaLearnersCore

/// The three set-ups of Wager & Athey (2018): confounding without an effect, and two smooth effects without confounding.
/// Covariates are uniform on [0, 1]; μ_w = m(x) + (w − ½)τ(x).
public struct WagerAtheyLaw: DataLaw {
    /// Which of them.
    public enum Setup: String, Sendable, CaseIterable {
        /// e(x) = ¼(1 + β₂,₄(x₁)), m(x) = 2x₁ − 1, no effect (their equation 27).
        case confounding
        /// e = ½, m = 0, τ(x) = ς(x₁)ς(x₂), ς(x) = 1 + 1/(1 + e^(−20(x − ⅓))) (their equation 28).
        case smooth
        /// The same with ς(x) = 2/(1 + e^(−12(x − ½))) (their equation 29).
        case sharp
    }

    public static let name = "wager_athey"
    public static let title = "Wager–Athey set-ups"
    public static let summary =
        "Confounding without an effect, and effects of two covariates: what do forests find?"
    public static let source = "Wager & Athey 2018, JASA 113, section 5"
    public static let parameters: [Parameter<WagerAtheyLaw>] =
        [.choice("setup", \.setup, "which of the three")]
        + Parameter<WagerAtheyLaw>.common(rows: \.rows, seed: \.seed) + [
            .columns(\.columns, atLeast: 2), .noise(\.noise), .effect(\.effect),
        ]

    /// Which of the three.
    public var setup = Setup.smooth
    public var rows = 1000
    public var seed = 1
    /// How many covariates.
    public var columns = 10
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
        LawFunctions.uniforms(columns, &stream)
    }

    public func truth(_ x: [Double], _ constants: [LawConstant], cluster: [Double]) -> LawTruth {
        let tau: Double
        switch setup {
        case .confounding:
            return LawTruth(
                propensity: (1 + LawFunctions.beta24(x[0])) / 4, control: 2 * x[0] - 1, effect: 0)
        case .smooth:
            func step(_ x: Double) -> Double { 1 + 1 / (1 + exp(-20 * (x - 1.0 / 3))) }
            tau = step(x[0]) * step(x[1])
        case .sharp:
            func step(_ x: Double) -> Double { 2 / (1 + exp(-12 * (x - 0.5))) }
            tau = step(x[0]) * step(x[1])
        }
        return LawTruth(propensity: 0.5, control: -effect * tau / 2, effect: effect * tau)
    }
}
