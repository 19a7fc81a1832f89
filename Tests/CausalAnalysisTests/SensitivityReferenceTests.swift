import MetaLearners
import MetaLearnersCore
import MetaLearnersKit
import Testing
import _TestSupport

@testable import CausalAnalysis

@Suite("Quantile-balanced sensitivity bounds against linear programmes")
struct SensitivityReferenceTests {
    @Test("The extremes are those of the linear programmes that define them, with ties and constant features")
    func programmes() throws {
        for entry in try Fixture("sensitivity").part("programmes").parts() {
            let kind = try entry.text("kind")
            let (residuals, weights) = (try entry.numbers("residuals"), try entry.numbers("weights"))
            let balance = QuantileBalance(
                residuals: residuals, feature: try entry.numbers("feature"), weights: weights)
            for (key, isUpper) in [("upper", true), ("lower", false)] {
                for (lambda, known) in zip(try entry.numbers("lambdas"), try entry.numbers(key)) {
                    let penalties = balance.penalties(lambda, isUpper: isUpper)
                    let found = weights.indices.reduce(0) {
                        $0 + weights[$1] * (residuals[$1] + penalties[$1])
                    }
                    #expect(
                        Approximate.equal(found, known, 1e-8), "\(kind) \(key) \(lambda)")
                }
            }
        }
    }

    @Test(
        "Bounds of an average effect are those of the programmes; they lie within the free ones and meet them at Λ = 1"
    )
    func studies() throws {
        for entry in try Fixture("sensitivity").part("studies").parts() {
            let isBinary = try entry.part("binary").value == true
            let dataset = try CausalDataset(
                covariates: Table([]),
                treatment: Treatment(arms: entry.integers("arms"), labels: ["0", "1"]),
                outcome: Outcome(
                    entry.numbers("outcome"), kind: isBinary ? .binary(labels: ["0", "1"]) : .continuous),
                weights: entry.numbers("weights"))
            let share = try entry.numbers("e")
            let study = try CausalStudy(
                dataset,
                given: GivenColumns(
                    propensities: [share.map { 1 - $0 }, share], armMeans: entry.lists("means")))
            var analysis = MarginalSensitivityAnalysis()
            analysis.lambdas = try entry.numbers("lambdas")
            let result = try analysis.run(study)
            let table = try #require(result.table(named: "bounds"))
            let count = analysis.lambdas.count
            #expect(
                table.column("kind").map(\.stringValue)
                    == [String](repeating: "free", count: count)
                    + [String](repeating: "quantile_balanced", count: count))
            for key in ["lower", "upper"] {
                let ends = table.numbers(key + "_bound")
                for (index, known) in try entry.numbers(key).enumerated() {
                    #expect(
                        Approximate.equal(ends[count + index], known, 1e-8), "\(isBinary) \(key) \(index)")
                    let room = (key == "lower" ? 1 : -1) * (ends[count + index] - ends[index])
                    #expect(index == 0 ? abs(room) < 1e-12 : room > -1e-12)
                }
            }
            // A continuous outcome has no covariates here that could tell its quantiles.
            #expect(result.warnings.contains { $0.contains("one quantile for all rows") } == !isBinary)
        }
    }

    @Test("The spread that trees find makes bounds narrower where residuals scatter by the covariates")
    func spread() throws {
        var stream = RandomStream(seed: 4, path: 2)
        let x = (0..<1200).map { _ in stream.normal() }
        let arms = x.map { _ in Int32(stream.uniform() < 0.5 ? 1 : 0) }
        let outcome = x.indices.map { Double(arms[$0]) + stream.normal() * (x[$0] > 0 ? 3 : 0.3) }
        let dataset = try CausalDataset(
            covariates: Table([Column("x", x)]), treatment: Treatment(arms: arms, labels: ["0", "1"]),
            outcome: Outcome(outcome))
        let spec = try MetaLearnerSpec([
            "learner": "dr", "models": ["outcome": "ols", "propensity": "logistic", "effect": "ols"],
        ])
        let study = try CausalStudy(MetaLearnerFitter(spec), nuisancesOf: dataset)
        var analysis = MarginalSensitivityAnalysis()
        analysis.lambdas = [2]
        let table = try #require(try analysis.run(study).table(named: "bounds"))
        let widths = zip(table.numbers("upper_bound"), table.numbers("lower_bound")).map { $0 - $1 }
        #expect(widths[1] < 0.95 * widths[0], "\(widths)")
    }
}
