import MetaLearners
import MetaLearnersCore
import Testing
import _TestSupport

@testable import CausalAnalysis

@Suite("Average effects from given nuisances")
struct AverageEffectReferenceTests {
    private func study(_ entry: Fixture) throws -> CausalStudy {
        let propensities = try entry.lists("propensities")
        let weights = try entry.numbers("weights")
        let clusters = try entry.integers("clusters")
        let isBinary = try entry.part("binary").value == true
        let dataset = try CausalDataset(
            covariates: Table([]),
            treatment: Treatment(
                arms: entry.integers("arms"), labels: propensities.indices.map { "arm \($0)" }),
            outcome: Outcome(
                entry.numbers("outcome"), kind: isBinary ? .binary(labels: ["0", "1"]) : .continuous),
            weights: weights.isEmpty ? nil : weights, clusters: clusters.isEmpty ? nil : clusters)
        return try CausalStudy(
            dataset, given: GivenColumns(propensities: propensities, armMeans: entry.lists("arm_outcomes")))
    }

    @Test(
        "Estimates and standard errors agree with weighted least squares in statsmodels; intervals and p-values are of one Student distribution"
    )
    func reference() throws {
        let cases = try Fixture("average_effects").part("cases").parts()
        #expect(cases.count == 7)
        for entry in cases {
            let study = try study(entry)
            for estimand in Estimand.allCases {
                let expected = try entry.part(estimand.rawValue).parts()
                let effects = try study.averageEffects(estimand)
                #expect(effects.count == expected.count)
                for (index, (effect, known)) in zip(effects, expected).enumerated() {
                    let name = try entry.text("name")
                    #expect(effect.arm == "arm \(index + 1)" && effect.control == "arm 0", "\(name)")
                    let student = try #require(
                        StudentInterval(
                            effect.estimate, stdError: effect.stdError, lower: effect.lower,
                            upper: effect.upper))
                    #expect(abs(student.pValue - effect.pValue) < 1e-6, "\(name), \(estimand)")
                    // (statsmodels' own are normal.)
                    let normal = try known.number("p_value")
                    #expect(effect.pValue > normal - 1e-9 && effect.pValue < normal + 0.05)
                    for (value, key) in [(effect.estimate, "estimate"), (effect.stdError, "std_error")] {
                        let reference = try known.number(key)
                        #expect(
                            Approximate.equal(value, reference, 1e-9),
                            "\(name), \(estimand), \(key): \(value)")
                    }
                }
            }
        }
    }

    @Test(
        "An interval of another level is wider or narrower by the Student quantiles, and nothing else changes",
        arguments: [0.5, 0.8, 0.9, 0.95, 0.99, 0.999])
    func levels(level: Double) throws {
        for entry in try Fixture("average_effects").part("cases").parts() {
            let study = try study(entry)
            for estimand in Estimand.allCases {
                let standard = try study.averageEffects(estimand)
                for (effect, other) in zip(try study.averageEffects(estimand, level: level), standard) {
                    #expect(effect.level == level && other.level == 0.95)
                    #expect(effect.estimate == other.estimate && effect.stdError == other.stdError)
                    #expect(effect.pValue == other.pValue && effect.classIndex == nil)
                    let student = try #require(
                        StudentInterval(
                            other.estimate, stdError: other.stdError, lower: other.lower, upper: other.upper))
                    let half = student.halfWidth(level: level)
                    #expect(Approximate.equal(effect.upper - effect.estimate, half, 1e-6))
                    #expect(Approximate.equal(effect.estimate - effect.lower, half, 1e-6))
                    if level == 0.95 { #expect(effect == other) }
                    #expect(effect.specValue.objectValue?["level"] == .number(level))
                }
            }
        }
    }

    @Test("A level that is none is refused", arguments: [0, 1, -0.95, 95, .nan, .infinity])
    func noLevels(level: Double) throws {
        let entry = try #require(try Fixture("average_effects").part("cases").parts().first)
        let study = try study(entry)
        let error = #expect(throws: MetaLearnersError.self) {
            try study.averageEffects(.ate, level: level)
        }
        #expect(error?.kind == .invalidArgument && error?.location == "level")
    }

    @Test("A common factor of the weights changes nothing; rows of weight 0 are not there")
    func weightInvariance() throws {
        let data = try SyntheticDataset.linear(rows: 60, seed: 4)
        func effects(_ weights: [Double], _ rows: Range<Int>) throws -> [AverageEffect] {
            let dataset = try CausalDataset(
                covariates: Table([]),
                treatment: Treatment(arms: Array(data.treatment.arms[rows]), labels: ["0", "1"]),
                outcome: Outcome(Array(data.outcome[rows])), weights: Array(weights[rows]))
            let study = try CausalStudy(
                dataset,
                given: GivenColumns(
                    propensities: data.propensities.map { Array($0[rows]) },
                    armMeans: data.armOutcomes.map { Array($0[rows]) }))
            return try study.averageEffects(.ate) + study.averageEffects(.att)
        }
        let weights = (0..<60).map { $0 < 45 ? 1 + Double($0 % 3) : 0 }
        let all = try effects(weights, 0..<60)
        #expect(try effects(weights.map { $0 * 8 }, 0..<60) == all)
        #expect(try effects(weights, 0..<45) == all)
    }

    @Test(
        "With true nuisances standard errors are what estimates scatter by, and intervals cover as often as they say",
        arguments: ["plain", "weighted", "clustered"])
    func coverage(kind: String) throws {
        let draws = 400
        for estimand in Estimand.allCases {
            var estimates: [Double] = []
            var errors: [Double] = []
            var covered = 0
            let truth = kind == "clustered" ? 1 : 0.5
            for seed in 0..<UInt64(draws) {
                let data =
                    try kind == "clustered"
                    ? SyntheticDataset.clustered(clusters: 50, rowsPerCluster: 4, seed: seed)
                    : .linear(rows: 200, share: 0.4, seed: seed)
                let dataset = try CausalDataset(
                    covariates: data.covariates, treatment: data.treatment, outcome: Outcome(data.outcome),
                    weights: kind == "weighted" ? (0..<200).map { $0 % 4 == 0 ? 4 : 1 } : nil,
                    clusters: data.dataset.clusters)
                let effect = try CausalStudy(
                    dataset,
                    given: GivenColumns(propensities: data.propensities, armMeans: data.armOutcomes)
                ).averageEffects(estimand)[0]
                estimates.append(effect.estimate)
                errors.append(effect.stdError)
                covered += effect.lower <= truth && truth <= effect.upper ? 1 : 0
            }
            let mean = Approximate.mean(estimates)
            let scatter = Approximate.rootMeanSquare(
                estimates, [Double](repeating: mean, count: estimates.count))
            // A twentieth is what the scatter of so many draws is known to, within a factor of two.
            #expect(abs(Approximate.mean(errors) / scatter - 1) < 0.12, "\(estimand)")
            #expect(abs(mean - truth) < 3.5 * scatter / Double(draws).squareRoot(), "\(estimand)")
            #expect((360...392).contains(covered), "\(estimand): \(covered)")
        }
    }

    @Test("Nuisances of other rows or arms, or impossible ones, are refused")
    func errors() throws {
        let data = try SyntheticDataset.linear(rows: 10, seed: 4)
        let half = [Double](repeating: 0.5, count: 10)
        func kind(_ body: () throws -> Void) -> MetaLearnersError.Kind? {
            #expect(throws: MetaLearnersError.self, performing: { try body() })?.kind
        }
        #expect(kind { _ = try NuisanceEstimates(propensities: [half]) } == .invalidArgument)
        #expect(kind { _ = try NuisanceEstimates(propensities: [half, [0.5]]) } == .invalidArgument)
        #expect(
            kind { _ = try NuisanceEstimates(propensities: [half, half.map { $0 * 2 }]) } == .invalidArgument)
        #expect(
            kind { _ = try NuisanceEstimates(propensities: [half, half.map { _ in .nan }]) }
                == .invalidArgument)
        #expect(
            kind { _ = try NuisanceEstimates(propensities: [half, half], armOutcomes: [half]) }
                == .invalidArgument)
        func given(_ propensities: [[Double]]) throws -> CausalStudy {
            try CausalStudy(data.dataset, given: GivenColumns(propensities: propensities))
        }
        #expect(kind { _ = try given([half, half, half]) } == .invalidArgument)
        #expect(kind { _ = try given([[0.5], [0.5]]) } == .invalidArgument)
        #expect(kind { _ = try given([half, half]).averageEffects(.ate) } == .unsupported)
    }
}
