import MetaLearnersCore

/// An observational study of several arms, for whom different arms are best.
///
/// X standard normal; e_k proportional to exp(k·x₂/4); μ_0 = x₁ + x₂²/2; τ_k = effect·(k(½ + x₁/2) − x₂/2).
public struct SeveralArmsLaw: DataLaw {
    public static let name = "several_arms"
    public static let title = "Several arms"
    public static let summary = "Arms of growing strength and risk: which arm for whom?"
    public static let source = "this project"
    public static let parameters: [Parameter<SeveralArmsLaw>] =
        Parameter<SeveralArmsLaw>.common(rows: \.rows, seed: \.seed) + [
            .integer("arms", \.arms, in: 2...100, "how many arms, the control included"),
            .columns(\.columns, atLeast: 2), .noise(\.noise), .effect(\.effect),
        ]

    public var rows = 1000
    public var seed = 1
    /// How many arms.
    public var arms = 3
    /// How many covariates.
    public var columns = 5
    /// Standard deviation of the noise.
    public var noise = 1.0
    /// Factor of the effect.
    public var effect = 1.0

    public init() {}

    public var shape: LawShape {
        var shape = LawShape(columns: columns)
        shape.arms = (0..<arms).map { "\($0)" }
        shape.noise = .normal(noise)
        return shape
    }

    public func drawCovariates(_ stream: inout RandomStream, cluster: [Double]) -> [Double] {
        LawFunctions.normals(columns, &stream)
    }

    public func truth(_ x: [Double], _ constants: [LawConstant], cluster: [Double]) -> LawTruth {
        let odds = (0..<arms).map { Double.exp(Double($0) * x[1] / 4) }
        let total = odds.reduce(0, +)
        let control = x[0] + x[1] * x[1] / 2
        return LawTruth(
            propensities: odds.map { $0 / total },
            means: (0..<arms).map { arm in
                arm == 0
                    ? control : control + effect * (Double(arm) * (0.5 + x[0] / 2) - x[1] / 2)
            })
    }
}
