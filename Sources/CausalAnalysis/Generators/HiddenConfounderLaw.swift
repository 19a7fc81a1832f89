import MetaLearnersCore

/// A study in which something that nobody measured decides on treatment and outcome alike: every estimate is biased, and
/// sensitivity analyses ought to say so.
///
/// X and U standard normal; e = logistic(x₁/2 + γU); μ_0 = x₁ + x₂²/2 + δU; τ = effect·(1 + x₁/2).
public struct HiddenConfounderLaw: DataLaw {
    public static let name = "hidden_confounder"
    public static let title = "A hidden confounder"
    public static let summary =
        "An unmeasured cause of treatment and outcome: does a sensitivity analysis notice?"
    public static let source = "this project"
    public static let parameters: [Parameter<HiddenConfounderLaw>] =
        Parameter<HiddenConfounderLaw>.common(rows: \.rows, seed: \.seed) + [
            .columns(\.columns, atLeast: 2), .noise(\.noise), .effect(\.effect),
            .number(
                "on_treatment", \.onTreatment, in: -100...100,
                "γ, the confounder's part in the log odds of treatment"),
            .number("on_outcome", \.onOutcome, in: -1e6...1e6, "δ, its part in the outcome"),
        ]

    public var rows = 1000
    public var seed = 1
    /// How many covariates.
    public var columns = 5
    /// Standard deviation of the noise.
    public var noise = 1.0
    /// Factor of the effect.
    public var effect = 1.0
    /// γ.
    public var onTreatment = 1.0
    /// δ.
    public var onOutcome = 1.0

    public init() {}

    public var shape: LawShape {
        var shape = LawShape(columns: columns)
        shape.hidden = ["u"]
        shape.noise = .normal(noise)
        return shape
    }

    public func drawCovariates(_ stream: inout RandomStream, cluster: [Double]) -> [Double] {
        LawFunctions.normals(columns + 1, &stream)
    }

    public func truth(_ x: [Double], _ constants: [LawConstant], cluster: [Double]) -> LawTruth {
        let hidden = x[columns]
        return LawTruth(
            propensity: LawFunctions.logistic(x[0] / 2 + onTreatment * hidden),
            control: x[0] + x[1] * x[1] / 2 + onOutcome * hidden, effect: effect * (1 + x[0] / 2))
    }
}
