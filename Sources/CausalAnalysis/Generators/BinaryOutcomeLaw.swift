import MetaLearnersCore

/// An outcome of yes and no, whose effects are differences of probabilities.
///
/// X standard normal; e = logistic(x₁/2); μ_w = logistic(−½ + x₁ + w·effect·(½ + slope·x₂)).
public struct BinaryOutcomeLaw: DataLaw {
    public static let name = "binary_outcome"
    public static let title = "A binary outcome"
    public static let summary = "Effects on the log odds: how large are they as differences of probabilities?"
    public static let source = "this project"
    public static let parameters: [Parameter<BinaryOutcomeLaw>] =
        Parameter<BinaryOutcomeLaw>.common(rows: \.rows, seed: \.seed) + [
            .columns(\.columns, atLeast: 2), .effect(\.effect),
            .number("slope", \.slope, in: -100...100, "by how much effects on the log odds differ"),
        ]

    public var rows = 1000
    public var seed = 1
    /// How many covariates.
    public var columns = 5
    /// Factor of the effect.
    public var effect = 1.0
    /// How much effects differ.
    public var slope = 0.5

    public init() {}

    public var shape: LawShape {
        var shape = LawShape(columns: columns)
        shape.noise = .bernoulli
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
                LawFunctions.logistic(-0.5 + x[0]),
                LawFunctions.logistic(-0.5 + x[0] + effect * (0.5 + slope * x[1])),
            ])
    }
}
