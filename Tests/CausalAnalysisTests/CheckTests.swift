import MetaLearners
import MetaLearnersCore
import MetaLearnersKit
import Testing
import _TestSupport

@testable import CausalAnalysis

@Suite("Overlap, balance and suspicious columns")
struct CheckTests {
    /// Rows whose treatment is decided by `share`, a function of two covariates.
    private func dataset(
        rows: Int = 600, arms: Int = 2, extra: [Column] = [], share: (Double, Double) -> Double
    ) throws -> CausalDataset {
        var stream = RandomStream(seed: 5, path: 1)
        let x1 = (0..<rows).map { _ in stream.normal() }
        let x2 = (0..<rows).map { _ in stream.normal() }
        let treated = (0..<rows).map { stream.bernoulli(share(x1[$0], x2[$0])) }
        let arm = (0..<rows).map { row in treated[row] ? Int32(1 + row % (arms - 1)) : 0 }
        let outcome = (0..<rows).map { x1[$0] + (treated[$0] ? 1 : 0) + stream.normal() }
        return try CausalDataset(
            covariates: Table([Column("x1", x1), Column("x2", x2)] + extra),
            treatment: Treatment(arms: arm, labels: (0..<arms).map { "\($0)" }), outcome: Outcome(outcome))
    }

    private func study(_ dataset: CausalDataset, _ needs: StudyParts = [.propensities]) throws -> CausalStudy
    {
        var spec = MetaLearnerSpec()
        spec.learner = .dr
        spec.models.outcome = RoleModelSpec("ridge")
        spec.models.propensity = RoleModelSpec("logistic")
        return try CausalStudy(MetaLearnerFitter(spec), on: dataset, for: needs)
    }

    @Test("Arms that only products separate have poor overlap, though the model's propensities hide it")
    func hiddenSeparation() throws {
        let result = try OverlapAnalysis().run(study(dataset { $0 * $1 > 0 ? 0.999 : 0.001 }))
        let table = try #require(result.table(named: "overlap"))
        #expect(table.column("propensity") == [.string("the model's"), .string("boosted trees")])
        #expect(table.numbers("outside_share")[0] == 0 && table.numbers("outside_share")[1] > 0.2)
        #expect(table.numbers("auc")[0] < 0.65 && table.numbers("auc")[1] > 0.9)
        #expect(result.values["verdict"] == .string("poor"))
        #expect(result.findings[0].contains("poor"))
        #expect(result.findings.contains { $0.contains("extrapolation") })
        #expect(
            result.findings.contains { $0.contains("overlap.policy: trim") && $0.contains("overlap weights") }
        )
        #expect(result.findings.contains { $0.contains("No column by itself") })
        #expect(result.rowColumns.map(\.name) == ["flexible_propensity_1"])
        #expect(result.rowColumns[0].values.contains { $0 > 0.99 })
    }

    @Test("The column that separates the arms is named first")
    func separatingColumn() throws {
        let result = try OverlapAnalysis().run(study(dataset { _, x2 in x2 > 0 ? 0.995 : 0.005 }))
        let table = try #require(result.table(named: "separating_columns"))
        #expect(table.column("column") == [.string("x2"), .string("x1")])
        #expect(table.numbers("auc")[0] > 0.95 && abs(table.numbers("auc")[1] - 0.5) < 0.1)
        #expect(result.findings.contains { $0.contains("What separates the arms: x2") })
    }

    @Test("A trial has good overlap by either propensity; histograms add up to each arm", arguments: [2, 3])
    func trial(arms: Int) throws {
        let result = try OverlapAnalysis().run(study(dataset(arms: arms) { _, _ in 0.5 }))
        #expect(result.values["verdict"] == .string("good"), "\(result.findings)")
        #expect(!result.findings.contains { $0.contains("extrapolation") })
        let histogram = try #require(result.table(named: "histogram"))
        #expect(histogram.isDetail && histogram.rows.count == 20 * 2 * (arms - 1))
        let total = Double(2 * (arms - 1))
        #expect(abs(histogram.numbers("treated_share").reduce(0, +) - total) < 1e-9)
        #expect(abs(histogram.numbers("control_share").reduce(0, +) - total) < 1e-9)
        #expect(result.charts.count == arms - 1)
    }

    @Test("Propensities that are known by design decide, whatever trees make of chance")
    func knownPropensities() throws {
        let plain = try dataset { _, _ in 0.5 }
        let known = try CausalDataset(
            covariates: plain.covariates, treatment: plain.treatment, outcome: plain.outcome,
            knownPropensities: [0, 1].map { _ in [Double](repeating: 0.5, count: plain.rowCount) })
        let result = try OverlapAnalysis().run(study(known, [.propensities, .armMeans]))
        #expect(result.values["verdict"] == .string("good") && result.findings[0].contains("by design"))
    }

    @Test("Columns without a spec are judged by their own propensities, with a warning")
    func columnsAlone() throws {
        let data = try SyntheticDataset.linear(rows: 200, seed: 3)
        let study = try CausalStudy(data.dataset, given: GivenColumns(propensities: data.propensities))
        let result = try OverlapAnalysis().run(study)
        #expect(result.table(named: "overlap")?.rows.count == 1 && result.warnings.count == 1)
    }

    @Test("Weighting balances what overlap weights balance exactly, and the verdict follows the thresholds")
    func balance() throws {
        let study = try study(dataset { x1, _ in min(max(0.5 + 0.3 * x1, 0.05), 0.95) })
        let result = try BalanceAnalysis().run(study)
        let largest = try #require(result.table(named: "largest"))
        #expect(largest.numbers("largest")[0] > 0.25 && largest.column("verdict")[0] == .string("poor"))
        #expect(largest.numbers("largest")[2] < 0.05 && largest.column("verdict")[2] == .string("good"))
        #expect(result.values["verdict"] == ["1": "poor"])
        var lenient = BalanceAnalysis()
        (lenient.threshold, lenient.severe) = (5, 6)
        #expect(try lenient.run(study).values["verdict"] == ["1": "good"])
        let chart = try #require(result.charts.first)
        #expect(chart.categories == ["x1", "x2"] && chart.series.count == 4 && chart.references.count == 2)
    }

    @Test("Missing values are a difference of their own; a column without values in an arm has a note")
    func missing() throws {
        let plain = try dataset { _, _ in 0.5 }
        let values = plain.treatment.arms.map { $0 == 1 ? Double.nan : 1.5 }
        let given = try CausalDataset(
            covariates: plain.covariates.appending(Column("gone", values)), treatment: plain.treatment,
            outcome: plain.outcome)
        let half = [Double](repeating: 0.5, count: given.rowCount)
        let study = try CausalStudy(given, given: GivenColumns(propensities: [half, half]))
        let table = try #require(try BalanceAnalysis().run(study).table(named: "balance"))
        let own = table.rows.indices.filter { table.column("column")[$0] == .string("gone") }
        #expect(own.count == 2)
        for row in own { #expect(table.column("note")[row] != .null && table.numbers("smd_raw")[row].isNaN) }
    }

    @Test("Each kind of suspicious column is found, and no other is")
    func suspiciousColumns() throws {
        let plain = try dataset { _, _ in 0.5 }
        let rows = plain.rowCount
        let arms = plain.treatment.arms
        let outcome = plain.outcome.values
        var stream = RandomStream(seed: 2, path: 4)
        let noise = (0..<rows).map { _ in stream.normal() }
        let extra = [
            Column("same", [Double](repeating: 3, count: rows)),
            Column("id", (0..<rows).map { Double(7 * $0) }),
            Column("name", categories: (0..<rows).map { "person \($0)" }),
            Column("dose", arms.indices.map { Double(arms[$0]) * 10 + noise[$0] }),
            Column("euros", outcome.map { 3 - 2 * $0 }),
            Column("after", zip(outcome, noise).map { $0 + 0.1 * $1 }),
            Column("rare", noise.indices.map { $0 % 3 == 0 ? noise[$0] : .nan }),
            Column("asked", noise.indices.map { arms[$0] == 1 && $0 % 4 == 0 ? .nan : noise[$0] }),
            Column("noise", noise),
        ]
        let full = try CausalDataset(
            covariates: Table(plain.covariates.columns + extra), treatment: plain.treatment,
            outcome: plain.outcome)
        let result = try SuspiciousColumnsAnalysis().run(CausalStudy(full, given: GivenColumns()))
        let table = try #require(result.table(named: "columns"))
        let found = zip(table.column("column"), table.column("problem")).map {
            "\($0.stringValue ?? "") \($1.stringValue ?? "")"
        }
        #expect(
            found == [
                "same constant", "id identifier", "name identifier", "dose predicts_treatment",
                "euros equals_outcome", "after predicts_outcome", "rare mostly_missing",
                "asked missing_by_arm",
            ])
        #expect(table.column("remedy").allSatisfy { $0.stringValue?.isEmpty == false })
        #expect(result.values["suspicious"] == .integer(8))
    }

    @Test("Pairs without replacement are those of a plain search")
    func matching() {
        var stream = RandomStream(seed: 9, path: 1)
        let scores = (0..<100).map { _ in (stream.uniform() * 20).rounded() / 20 }
        let (treated, control) = (Array(0..<40), Array(40..<100))
        // The outcome is the row, so that what is imputed names the match.
        let matching = PropensityMatching(
            treated, among: control, scores: scores, outcome: scores.indices.map(Double.init),
            weights: [Double](repeating: 1, count: 100), targetsHigh: true,
            PropensityMatching.Settings(replacement: false, caliper: 0.051))
        let matches = Dictionary(uniqueKeysWithValues: matching.targets.map { ($0.row, Int($0.imputed)) })
        #expect(Set(matches.values).count == matches.count)
        #expect(matches.count + matching.unmatched == treated.count)
        var free = Set(control)
        for row in treated.sorted(by: { (-scores[$0], $0) < (-scores[$1], $1) }) {
            let distance = free.map { abs(scores[$0] - scores[row]) }.min() ?? .infinity
            guard let match = matches[row] else {
                #expect(distance > 0.051)
                continue
            }
            // Which of several as near is taken changes what is left; the search follows the matcher.
            #expect(abs(abs(scores[match] - scores[row]) - distance) < 1e-12)
            free.remove(match)
        }
    }
}
