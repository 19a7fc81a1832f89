#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif
import MetaLearnersCore

/// A programme that was tried on a few and is to be offered to many: a trial of 5,000 and a population of 1,000,000 of one
/// law, with a cost for each person.
///
/// People have an age, years of education, an income, an earlier spell of unemployment, a region, a score of motivation, and
/// noise. Treatment raises yearly earnings (in thousands) most for the young who were out of work and are motivated, and harms
/// some. In the trial everybody is treated with probability ½; in the population nobody is.
public struct ScaledProgrammeLaw: DataLaw {
    /// Who is drawn.
    public enum Sample: String, Sendable, CaseIterable {
        /// Randomised: half are treated.
        case trial
        /// Nobody is treated yet.
        case population
    }

    static let regions = ["centre", "east", "north", "south", "west"]

    public static let name = "scaled_programme"
    public static let title = "A programme, scaled from a trial to a population"
    public static let summary =
        "A trial of 5,000, a population of 1,000,000: whom to treat with a budget for some?"
    public static let source = "this project"
    public static let parameters: [Parameter<ScaledProgrammeLaw>] =
        [
            .choice(
                "sample", \.sample,
                "who is drawn: the trial, of which half are treated, or the population, of which nobody is")
        ]
        + Parameter<ScaledProgrammeLaw>.common(rows: \.rows, seed: \.seed) + [
            .columns(\.columns, atLeast: 6), .noise(\.noise), .effect(\.effect),
        ]

    /// Who is drawn.
    public var sample = Sample.trial
    public var rows = 5000
    public var seed = 1
    /// How many covariates.
    public var columns = 20
    /// Standard deviation of the noise.
    public var noise = 4.0
    /// Factor of the effect.
    public var effect = 1.0

    public init() {}

    public var shape: LawShape {
        var shape = LawShape(
            [
                LawShape.Covariate("age"), LawShape.Covariate("education"), LawShape.Covariate("income"),
                LawShape.Covariate("was_unemployed"), LawShape.Covariate("region", levels: Self.regions),
                LawShape.Covariate("motivation"),
            ] + (6..<columns).map { LawShape.Covariate("x\($0 + 1)") })
        shape.noise = .normal(noise)
        shape.extras = ["cost"]
        return shape
    }

    public func drawCovariates(_ stream: inout RandomStream, cluster: [Double]) -> [Double] {
        let age = Double(18 + stream.integer(below: 48))
        let education = Double(8 + stream.integer(below: 11))
        let income = exp(2.2 + 0.08 * (education - 12) + 0.5 * stream.standardNormal())
        let wasUnemployed = stream.uniform() < LawFunctions.logistic(0.4 - 0.06 * (income - 9)) ? 1.0 : 0
        let region = Double(stream.integer(below: Self.regions.count))
        let motivation = stream.standardNormal()
        let others = LawFunctions.normals(columns - 6, &stream)
        // It costs more to reach those who live far out (north and west).
        let cost = (10 + (region == 2 || region == 4 ? 4 : 0) + (5 * stream.uniform()).rounded()) * 100
        return [age, education, income, wasUnemployed, region, motivation] + others + [cost]
    }

    public func truth(_ x: [Double], _ constants: [LawConstant], cluster: [Double]) -> LawTruth {
        let (age, education, income, wasUnemployed, region, motivation) = (x[0], x[1], x[2], x[3], x[4], x[5])
        let control =
            income + 0.3 * (education - 12) - 1.5 * wasUnemployed + 0.5 * motivation + 0.4 * region
            - 0.002 * (age - 40) * (age - 40)
        let tau =
            2 * wasUnemployed * LawFunctions.logistic((40 - age) / 5)
            + 1.5 * LawFunctions.logistic(2 * motivation) - 1.2 * LawFunctions.logistic((income - 14) / 2)
        return LawTruth(
            propensities: sample == .trial ? [0.5, 0.5] : [1, 0], means: [control, control + effect * tau])
    }
}
