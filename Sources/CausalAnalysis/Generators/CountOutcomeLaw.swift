import MetaLearnersCore

/// An outcome that counts, such as visits to a doctor: Poisson, effects multiply the rate.
///
/// X standard normal; e = logistic(x₁/2); μ_w = rate·exp(x₁/2 + w·effect·(0.2 + x₂/4)).
public struct CountOutcomeLaw: DataLaw {
    public static let name = "count_outcome"
    public static let title = "A count as the outcome"
    public static let summary = "Rates that treatment multiplies: who gains most in numbers?"
    public static let source = "this project"
    public static let parameters: [Parameter<CountOutcomeLaw>] =
        Parameter<CountOutcomeLaw>.common(rows: \.rows, seed: \.seed) + [
            .columns(\.columns, atLeast: 2), .effect(\.effect),
            .number(
                "rate", \.rate, in: 0...100, exclusiveLower: true, "the rate of an untreated unit with x = 0"),
        ]

    public var rows = 1000
    public var seed = 1
    /// How many covariates.
    public var columns = 5
    /// Factor of the effect.
    public var effect = 1.0
    /// The base rate.
    public var rate = 1.0

    public init() {}

    public var shape: LawShape {
        var shape = LawShape(columns: columns)
        shape.noise = .poisson
        return shape
    }

    public func drawCovariates(_ stream: inout RandomStream, cluster: [Double]) -> [Double] {
        LawFunctions.normals(columns, &stream)
    }

    public func truth(_ x: [Double], _ constants: [LawConstant], cluster: [Double]) -> LawTruth {
        let propensity = LawFunctions.logistic(x[0] / 2)
        return LawTruth(
            propensities: [1 - propensity, propensity],
            means: [
                rate * Double.exp(x[0] / 2), rate * Double.exp(x[0] / 2 + effect * (0.2 + x[1] / 4)),
            ])
    }
}
