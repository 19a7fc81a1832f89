#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif
import MetaLearnersCore

/// The six simulations of Künzel, Sekhon, Bickel & Yu (2019), with coefficients drawn from their distributions under the seed.
///
/// Covariates of simulations 1 to 5 are normal with the correlation ρ^|i−j| (the paper draws a random correlation matrix);
/// those of the sixth are uniform on [0, 1].
public struct KunzelLaw: DataLaw {
    public static let name = "kunzel"
    public static let title = "Künzel simulations 1 to 6"
    public static let summary =
        "Rare treatment, complex and missing effects, confounding: where does the X-learner gain?"
    public static let source = "Künzel, Sekhon, Bickel & Yu 2019, PNAS 116, supporting information"
    public static let parameters: [Parameter<KunzelLaw>] =
        [.integer("setup", \.setup, in: 1...6, "which of the six simulations")]
        + Parameter<KunzelLaw>.common(rows: \.rows, seed: \.seed) + [
            .columns(\.columns, atLeast: 20), .noise(\.noise), .effect(\.effect),
            .number(
                "correlation", \.correlation, in: -0.99...0.99,
                "ρ, the correlation of neighbouring covariates (simulations 1 to 5)"),
        ]

    /// Which of the six.
    public var setup = 1
    public var rows = 1000
    public var seed = 1
    /// How many covariates.
    public var columns = 20
    /// Standard deviation of the noise.
    public var noise = 1.0
    /// Factor of the effect.
    public var effect = 1.0
    /// Correlation of neighbouring covariates.
    public var correlation = 0.0

    public init() {}

    public var shape: LawShape {
        var shape = LawShape(columns: columns)
        shape.noise = .normal(noise)
        return shape
    }

    public var constants: [LawConstant] {
        var stream = RandomStream(seed: UInt64(seed), path: GeneratedData.Part.constants.rawValue)
        func uniforms(_ count: Int, _ low: Double, _ high: Double) -> [Double] {
            (0..<count).map { _ in low + (high - low) * stream.uniform() }
        }
        switch setup {
        case 1: return [LawConstant("beta", uniforms(columns, -5, 5))]
        case 2:
            return [
                LawConstant("beta_0", uniforms(columns, 1, 30)),
                LawConstant("beta_1", uniforms(columns, 1, 30)),
            ]
        case 4: return [LawConstant("beta", uniforms(5, 1, 30))]
        case 5: return [LawConstant("beta", uniforms(15, -15, 15))]
        default: return []
        }
    }

    public func drawCovariates(_ stream: inout RandomStream, cluster: [Double]) -> [Double] {
        if setup == 6 { return LawFunctions.uniforms(columns, &stream) }
        var x = LawFunctions.normals(columns, &stream)
        guard correlation != 0 else { return x }
        let rest = (1 - correlation * correlation).squareRoot()
        for index in 1..<columns { x[index] = correlation * x[index - 1] + rest * x[index] }
        return x
    }

    public func truth(_ x: [Double], _ constants: [LawConstant], cluster: [Double]) -> LawTruth {
        func product(_ index: Int, _ range: Range<Int>? = nil) -> Double {
            let beta = constants[index].values
            return (range ?? beta.indices).reduce(0) { $0 + x[$1] * beta[$1] }
        }
        switch setup {
        case 1:
            return LawTruth(
                propensity: 0.01, control: product(0) + (x[0] > 0.5 ? 5 : 0),
                effect: x[1] > 0.1 ? 8 * effect : 0)
        case 2:
            let control = product(0)
            return LawTruth(propensity: 0.5, control: control, effect: effect * (product(1) - control))
        case 3:
            let half = 0.5 * Self.step(x[0]) * Self.step(x[1])
            return LawTruth(propensity: 0.5, control: -half, effect: effect * 2 * half)
        case 4: return LawTruth(propensity: 0.5, control: product(0), effect: 0)
        case 5:
            let range = x[19] < -0.4 ? 0..<5 : x[19] <= 0.4 ? 5..<10 : 10..<15
            return LawTruth(propensity: 0.5, control: product(0, range), effect: 0)
        default:
            return LawTruth(
                propensity: (1 + LawFunctions.beta24(x[0])) / 4, control: 2 * x[0] - 1, effect: 0)
        }
    }

    /// ς(x) = 2/(1 + e^(−12(x − ½))).
    private static func step(_ x: Double) -> Double { 2 / (1 + exp(-12 * (x - 0.5))) }
}
