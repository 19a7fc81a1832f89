import CausalAnalysis
import MetaLearners
import MetaLearnersCore
import MetaLearnersKit
import Testing
import _TestSupport

@Suite("What effects depend on: importances, curves, interactions")
struct EffectExplanationTests {
    /// Rows whose effect is 1 + 2·a, or 1 + 2·a + 3·b·c with an interaction; d does nothing.
    private static func dataset(
        rows: Int = 600, arms: Int = 2, interaction: Double = 0, clusters: Bool = false, seed: UInt64 = 5
    ) throws -> CausalDataset {
        var stream = RandomStream(seed: seed)
        let columns = (0..<4).map { _ in (0..<rows).map { _ in stream.normal() } }
        let kinds = (0..<rows).map { _ in ["p", "q", "r"][stream.integer(below: 3)] }
        let treatment = (0..<rows).map { _ in Int32(stream.integer(below: arms)) }
        let outcome = (0..<rows).map { row in
            let effect = 1 + 2 * columns[0][row] + interaction * columns[1][row] * columns[2][row]
            return columns[3][row] + Double(treatment[row]) * effect + 0.5 * stream.normal()
        }
        return try CausalDataset(
            covariates: Table(
                zip(["a", "b", "c", "d"], columns).map { Column($0, $1) } + [
                    Column("kind", categories: kinds)
                ]),
            treatment: Treatment(arms: treatment, labels: (0..<arms).map { "\($0)" }),
            outcome: Outcome(outcome),
            weights: (0..<rows).map { 1 + Double($0 % 3) },
            clusters: clusters ? (0..<rows).map { Int32($0 / 2) } : nil)
    }

    private static func study(
        _ dataset: CausalDataset, _ learner: String = "dr", _ backend: SpecValue = "ridge",
        on other: CausalDataset? = nil
    ) throws -> CausalStudy {
        var spec = SpecObject([("learner", .string(learner)), ("cross_fitting", ["folds": 3])])
        // (auto brings models of its own.)
        if learner != "auto" {
            spec["models"] = ["outcome": backend, "propensity": "logistic", "effect": backend]
        }
        let model = try MetaLearnerFitter(MetaLearnerSpec(.object(spec))).fit(dataset)
        return try CausalStudy(model, on: other ?? dataset)
    }

    private func rows(_ table: ResultTable?, arm: String = "1") throws -> [String: SpecObject] {
        let rows = try #require(table).specValue.arrayValue ?? []
        return Dictionary(
            uniqueKeysWithValues: rows.compactMap(\.objectValue).filter { $0["arm"] == .string(arm) }.map {
                ($0["covariate"]?.stringValue ?? "", $0)
            })
    }

    @Test("The covariate that makes the effect explains it, and shuffling it costs what it must")
    func importances() throws {
        let study = try Self.study(Self.dataset())
        let result = try ImportancesAnalysis().run(study)
        let found = try rows(result.table(named: "importances"))
        #expect(found.count == 5)
        let shares = found.values.compactMap { $0["variance_share"]?.doubleValue }
        #expect(abs(shares.reduce(0, +) - 1) < 1e-9)
        let share = try #require(found["a"]?["variance_share"]?.doubleValue)
        #expect(share > 0.9)
        // Shuffling a makes τ(x) wrong by 2(a' − a), whose square is 8 on average; (W − e)² is 1/4.
        let cost = try #require(found["a"]?["estimate"]?.doubleValue)
        let error = try #require(found["a"]?["std_error"]?.doubleValue)
        #expect(abs(cost - 2) < 4 * error && error > 0.02 && error < 0.5, "\(cost) \(error)")
        for name in ["b", "c", "kind"] {
            #expect(abs(found[name]?["estimate"]?.doubleValue ?? .nan) < 0.1, "\(name)")
        }
        #expect(
            result.findings[0].contains("depend most on a (")
                && result.findings[0].contains("costs R-loss for a"))
        #expect(result.table(named: "splits") == nil && result.charts.count == 1 && result.warnings.isEmpty)
    }

    @Test("Every learner has importances, curves and interactions, with several arms and clusters")
    func learners() throws {
        let dataset = try Self.dataset(rows: 240, arms: 3, clusters: true)
        let trees: SpecValue = ["backend": "trees", "trees": 8, "max_leaves": 5]
        for learner in LearnerKind.allCases {
            let study = try Self.study(dataset, learner.rawValue, learner == .auto ? "ridge" : trees)
            var importances = ImportancesAnalysis()
            importances.rows = 30
            importances.backgroundRows = 5
            importances.repeats = 1
            let result = try importances.run(study)
            for arm in ["1", "2"] {
                let found = try rows(result.table(named: "importances"), arm: arm)
                #expect(found.count == 5, "\(learner.rawValue)")
                #expect(found.values.allSatisfy { $0["estimate"]?.doubleValue != nil }, "\(learner.rawValue)")
            }
            if learner != .auto {
                let splits = try #require(result.table(named: "splits"))
                #expect(splits.numbers("splits").reduce(0, +) > 0 && splits.rows.count % 5 == 0)
                #expect(splits.numbers("gain").allSatisfy { $0 >= 0 })
            }
            var curves = EffectCurvesAnalysis()
            curves.rows = 20
            curves.points = 4
            let shown = try curves.run(study)
            #expect(shown.charts.count == 8 && shown.table(named: "curves") != nil, "\(learner.rawValue)")
            var interactions = EffectInteractionsAnalysis()
            interactions.rows = 8
            interactions.mostColumns = 2
            let pairs = try #require(interactions.run(study).table(named: "interactions"))
            #expect(pairs.rows.count == 2 * 3, "\(learner.rawValue)")
        }
    }

    @Test("Shuffled rows are asked of models that did not see them, where these are at hand")
    func outOfFold() throws {
        // A model that remembers its rows would lose much by shuffling, whatever the truth is.
        let dataset = try Self.dataset(rows: 300)
        let trees: SpecValue = ["backend": "trees", "trees": 60, "min_leaf_size": 1, "max_leaves": 60]
        let held = try rows(
            ImportancesAnalysis().run(Self.study(dataset, "t", trees)).table(named: "importances"))
        let other = try Self.dataset(rows: 300, seed: 77)
        let predicted = try rows(
            ImportancesAnalysis().run(Self.study(dataset, "t", trees, on: other)).table(named: "importances"))
        func cost(_ found: [String: SpecObject], _ name: String) -> Double {
            found[name]?["estimate"]?.doubleValue ?? .nan
        }
        for found in [held, predicted] {
            #expect(cost(found, "a") > 0.7 && cost(found, "a") < 3)
            #expect(abs(cost(found, "kind")) < 0.3)
        }
        let ensemble = try ImportancesAnalysis().run(Self.study(Self.dataset(rows: 240), "ensemble"))
        #expect(ensemble.warnings.contains { $0.contains("saw these rows") })
    }

    @Test("A linear effect has straight curves, of which every row's is parallel to the mean")
    func curves() throws {
        var analysis = EffectCurvesAnalysis()
        analysis.columns = ["a", "kind"]
        let result = try analysis.run(Self.study(Self.dataset()))
        let table = try #require(result.table(named: "curves"))
        let points = (table.specValue.arrayValue ?? []).compactMap(\.objectValue).filter {
            $0["covariate"] == "a"
        }
        #expect(points.count == 15)
        let x = points.compactMap { $0["value"]?.stringValue.flatMap { Double($0) } }
        let y = points.compactMap { $0["effect"]?.doubleValue }
        let slope = (y[14] - y[0]) / (x[14] - x[0])
        #expect(abs(slope - 2) < 0.15)
        for (place, value) in y.enumerated() {
            #expect(abs(value - (y[0] + slope * (x[place] - x[0]))) < 1e-9)
        }
        let chart = try #require(result.charts.first { $0.name == "1_a" })
        #expect(chart.series.count == 2 && chart.series[1].mark == .strands)
        // The curves of 20 rows, with a gap behind each.
        #expect(chart.series[1].y.count == 20 * 16 && chart.series[1].y.count { $0.isNaN } == 20)
        for row in 0..<20 {
            let own = Array(chart.series[1].y[16 * row..<16 * row + 15])
            for (place, value) in own.enumerated() { #expect(abs(value - own[0] - (y[place] - y[0])) < 1e-9) }
        }
        let kinds = (table.specValue.arrayValue ?? []).compactMap(\.objectValue).filter {
            $0["covariate"] == "kind"
        }
        #expect(kinds.compactMap { $0["value"]?.stringValue } == ["p", "q", "r"])
        #expect(result.charts.first { $0.name == "1_kind" }?.categories == ["p", "q", "r"])
        // Unasked, the covariate that matters comes first.
        let unasked = try EffectCurvesAnalysis().run(Self.study(Self.dataset()))
        #expect(unasked.charts.count == 4 && unasked.charts[0].name == "1_a")
        #expect(unasked.findings[0].contains("changes most with a:"))
    }

    @Test("H finds the pair that acts together, is 0 for sums, and is what its definition says")
    func interactions() throws {
        var analysis = EffectInteractionsAnalysis()
        analysis.columns = ["a", "b", "c"]
        analysis.rows = 40
        let sum = try #require(analysis.run(Self.study(Self.dataset())).table(named: "interactions"))
        #expect(sum.numbers("h").allSatisfy { $0 < 1e-6 })
        let products: SpecValue = ["backend": "ridge", "expansion": "splines_interactions"]
        let study = try Self.study(Self.dataset(interaction: 3), "dr", products)
        let result = try analysis.run(study)
        let table = try #require(result.table(named: "interactions"))
        let rows = (table.specValue.arrayValue ?? []).compactMap(\.objectValue)
        let pair = try #require(rows.first { $0["covariate"] == "b" && $0["other"] == "c" })
        #expect((pair["h"]?.doubleValue ?? 0) > 0.8)
        #expect((rows.first { $0["covariate"] == "a" && $0["other"] == "b" }?["h"]?.doubleValue ?? 1) < 0.2)
        #expect(result.findings[0].contains("The covariates b and c"))
        // By its definition, from predictions of the model.
        let fitting = try #require(study.fitting)
        let model = try #require(fitting.model)
        let drawn = fitting.dataset.covariates
        let weights = study.rowWeights
        var stream = RandomStream(seed: 0, path: 0x4558_504C)
        var chosen: [Int32] = []
        stream.select(40, of: study.rowCount) { row, isDrawn in if isDrawn { chosen.append(Int32(row)) } }
        let sample = drawn.selecting(rows: chosen)
        let own = chosen.map { weights[Int($0)] }
        let total = own.reduce(0, +)
        func dependence(_ names: [String]) throws -> [Double] {
            var means: [Double] = []
            for row in 0..<40 {
                let mixed = try Table(
                    sample.columns.map { column in
                        names.contains(column.name)
                            ? column.selecting([Int32](repeating: Int32(row), count: 40)) : column
                    })
                let effects = try model.predict(mixed).effects[0]
                means.append(zip(effects, own).reduce(0) { $0 + $1.0 * $1.1 } / total)
            }
            let mean = zip(means, own).reduce(0) { $0 + $1.0 * $1.1 } / total
            return means.map { $0 - mean }
        }
        let (joint, left, right) = (try dependence(["b", "c"]), try dependence(["b"]), try dependence(["c"]))
        let rest = own.indices.reduce(0) { sum, row in
            let difference = joint[row] - left[row] - right[row]
            return sum + own[row] * difference * difference
        }
        let all = own.indices.reduce(0) { $0 + own[$1] * joint[$1] * joint[$1] }
        #expect(abs((pair["h"]?.doubleValue ?? .nan) - (rest / all).squareRoot()) < 1e-9)
        #expect(abs((pair["strength"]?.doubleValue ?? .nan) - (rest / total).squareRoot()) < 1e-9)
    }

    @Test("What has no model, and names that are no covariates, are refused")
    func refusals() throws {
        let dataset = try Self.dataset(rows: 120)
        let study = try Self.study(dataset)
        let given = try study.replacing(
            GivenColumns(effects: [[Double](repeating: 1, count: 120)]))
        #expect(!given.parts.contains(.model) && study.parts.contains(.model))
        let all: [any Analysis] = [
            ImportancesAnalysis(), EffectCurvesAnalysis(), EffectInteractionsAnalysis(),
        ]
        for analysis in all {
            let error = #expect(throws: MetaLearnersError.self) { try analysis.run(given) }
            #expect(error.says(.unsupported, "the model of its effects"))
        }
        var curves = EffectCurvesAnalysis()
        curves.columns = ["aa"]
        let unknown = #expect(throws: MetaLearnersError.self) { try curves.run(study) }
        #expect(unknown.says(.invalidArgument, "'aa'", "'a'"))
        var interactions = EffectInteractionsAnalysis()
        interactions.columns = ["a"]
        let single = #expect(throws: MetaLearnersError.self) { try interactions.run(study) }
        #expect(single.says(.invalidArgument, "two"))
        let cancelled = CancellationToken()
        cancelled.cancel()
        let stopped = #expect(throws: MetaLearnersError.self) {
            try ImportancesAnalysis().run(study, ExecutionOptions(cancellation: cancelled))
        }
        #expect(stopped?.kind == .cancelled)
    }
}
