import CausalAnalysis
import MetaLearners
import MetaLearnersCore
import MetaLearnersKit
import Testing
import _TestSupport

@Suite("Refutations")
struct RefutationTests {
    private func spec(_ learner: LearnerKind = .dr) -> MetaLearnerSpec {
        var spec = MetaLearnerSpec()
        spec.learner = learner
        spec.models.outcome = RoleModelSpec("ridge")
        spec.models.effect = RoleModelSpec("ridge")
        spec.crossFitting.folds = 3
        return spec
    }

    private func study(
        _ dataset: CausalDataset, _ learner: LearnerKind = .dr, needs: StudyParts = .scores
    ) throws -> CausalStudy {
        try CausalStudy(MetaLearnerFitter(spec(learner)), on: dataset, for: needs)
    }

    private func strong(rows: Int = 400, arms: Int = 2, clusters: Bool = false) throws -> CausalDataset {
        if arms > 2 { return try SyntheticDataset.multiArm(rows: rows, seed: 4).dataset }
        return clusters
            ? try SyntheticDataset.clustered(clusters: rows / 4, rowsPerCluster: 4, seed: 4).dataset
            : try SyntheticDataset.linear(rows: rows, seed: 4).dataset
    }

    /// Every refutation that fits anew, with few repeats.
    private static func all(repeats: Int = 3) throws -> [any Analysis] {
        var names = [
            "placebo_treatment", "random_common_cause", "data_subset", "dummy_outcome",
        ].map { ["analysis": .string($0), "repeats": .integer(repeats)] as SpecValue }
        names.append([
            "analysis": "unobserved_confounder", "repeats": .integer(repeats),
            "treatment_strengths": [0.1], "outcome_strengths": [0.1],
        ])
        names.append(["analysis": "negative_control", "outcomes": ["x2"]])
        return try names.map { try AnalysisRegistry.default.analysis($0) }
    }

    @Test("An effect that is there passes, and every arm has its rows", arguments: [2, 3])
    func passes(arms: Int) throws {
        let study = try study(strong(arms: arms))
        for analysis in try Self.all() {
            let result = try analysis.run(study)
            #expect(result.isComplete)
            for row in result.tables.flatMap(\.rows) { #expect(!row.contains(.number(.nan))) }
            guard let summary = result.table(named: "summary") else { continue }
            #expect(summary.rows.count == study.armCount - 1)
            #expect(result.values["verdict"] == .string("passed"), "\(result.findings)")
            #expect(result.findings[0].hasPrefix("Passed: "))
            #expect(result.table(named: "repeats")?.rows.count == 3 * (study.armCount - 1))
        }
    }

    @Test("Results do not depend on threads")
    func threads() throws {
        let study = try study(strong(rows: 200))
        for analysis in try Self.all() {
            #expect(
                try analysis.run(study, ExecutionOptions(threads: 1))
                    == analysis.run(study, ExecutionOptions(threads: 4)))
        }
    }

    @Test("A limit of memory reaches the fits of every repeat, and changes no result")
    func memory() throws {
        let study = try study(strong(rows: 200))
        for analysis in try Self.all() {
            let limited = try analysis.run(study, ExecutionOptions(threads: 2, memoryLimit: 1 << 28))
            #expect(try limited == analysis.run(study, ExecutionOptions(threads: 2)))
            let error = #expect(throws: MetaLearnersError.self) {
                try analysis.run(study, ExecutionOptions(threads: 2, memoryLimit: 1))
            }
            #expect(error?.kind == .outOfMemory, "\(type(of: analysis).name)")
        }
    }

    @Test("A dummy outcome leaves the propensities as they are: only arm means are fitted")
    func reuse() throws {
        let study = try study(strong(rows: 200))
        func models(_ name: String) throws -> SpecValue? {
            try AnalysisRegistry.default.analysis(["analysis": .string(name), "repeats": 4]).run(study)
                .values["fitted_models"]
        }
        // Three folds of two arm means, and of the propensity where the treatment changes.
        #expect(try models("dummy_outcome") == .integer(4 * 3 * 2))
        #expect(try models("placebo_treatment") == .integer(4 * 3 * 3))
    }

    @Test("An interrupt leaves the repeats that are done")
    func interrupted() throws {
        let study = try study(strong(rows: 200))
        for analysis in try Self.all(repeats: 6).prefix(5) {
            let token = CancellationToken()
            let options = ExecutionOptions(
                threads: 1,
                progress: { progress in
                    if progress.done == 2 { token.cancel() }
                    return true
                }, cancellation: token)
            let result = try analysis.run(study, options)
            #expect(!result.isComplete)
            if let repeats = result.table(named: "repeats") { #expect(repeats.rows.count == 2) }
        }
        let cancelled = CancellationToken()
        cancelled.cancel()
        let error = #expect(throws: MetaLearnersError.self) {
            try PlaceboTreatmentAnalysis().run(study, ExecutionOptions(cancellation: cancelled))
        }
        #expect(error?.kind == .cancelled)
    }

    @Test("With effects of a model their spread is compared: a placebo has less of it")
    func spread() throws {
        let dataset = try strong(rows: 400)
        let study = try CausalStudy(MetaLearnerFitter(spec(.t)).fit(dataset), on: dataset)
        var analysis = PlaceboTreatmentAnalysis()
        analysis.repeats = 3
        let table = try #require(try analysis.run(study).table(named: "summary"))
        #expect(table.numbers("original_spread")[0] > table.numbers("mean_spread")[0])
        #expect(table.numbers("mean_spread")[0] > 0)
    }

    @Test("Arms are permuted between whole clusters, else between rows; every arm keeps its rows")
    func permutations() {
        var stream = RandomStream(seed: 1, path: 1)
        let clusters: [Int32] = (0..<60).map { Int32($0 / 3) }
        let whole = clusters.map { $0 % 2 }
        let between = PlaceboTreatmentAnalysis.permuted(whole, clusters: clusters, &stream)
        #expect(between != whole && between.reduce(0, +) == 30)
        for row in clusters.indices { #expect(between[row] == between[Int(clusters[row]) * 3]) }
        let mixed: [Int32] = (0..<60).map { $0 % 3 == 0 ? 1 : 0 }
        for clusters in [clusters, nil] {
            let rows = PlaceboTreatmentAnalysis.permuted(mixed, clusters: clusters, &stream)
            #expect(rows.reduce(0, +) == 20 && rows != mixed)
        }
    }

    @Test("A placebo has no effect where rows of a cluster are treated one by one, in small clusters too")
    func placeboOfSmallClusters() throws {
        var stream = RandomStream(seed: 3, path: 1)
        let count = 400
        let x = (0..<count).map { _ in stream.normal() }
        let arms = (0..<count).map { _ in Int32(stream.bernoulli(0.5) ? 1 : 0) }
        let outcome = (0..<count).map { x[$0] + 2 * Double(arms[$0]) + stream.normal() }
        let dataset = try CausalDataset(
            covariates: Table([Column("x", x)]), treatment: Treatment(arms: arms, labels: ["0", "1"]),
            outcome: Outcome(outcome), clusters: (0..<count).map { Int32($0 / 2) })
        let study = try CausalStudy(MetaLearnerFitter(spec(.t)).fit(dataset), on: dataset)
        let table = try #require(try PlaceboTreatmentAnalysis().run(study).table(named: "summary"))
        // Within clusters of two the placebo would keep half of the effect.
        #expect(abs(table.numbers("mean")[0]) < 0.2)
        #expect(try PlaceboTreatmentAnalysis().run(study).findings[0].contains("Passed"))
    }

    /// Data whose treatment and outcome share a cause that is no covariate, with a negative control of each kind.
    private func confounded() throws -> CausalStudy {
        var stream = RandomStream(seed: 8, path: 2)
        let rows = 800
        let hidden = (0..<rows).map { _ in stream.normal() }
        let arms = hidden.map { Int32(stream.bernoulli($0 > 0 ? 0.8 : 0.2) ? 1 : 0) }
        let outcome = (0..<rows).map { hidden[$0] + stream.normal() }
        let before = hidden.map { $0 + stream.normal() }
        let other = hidden.map { $0 + stream.normal() > 0 ? "b" : "a" }
        let harmless = (0..<rows).map { $0 % 7 == 0 ? Double.nan : stream.normal() }
        let x = (0..<rows).map { _ in stream.normal() }
        let table = try Table([
            Column("x", x), Column("before", before), Column("other", categories: other),
            Column("harmless", harmless), Column("w", arms.map(Double.init)), Column("y", outcome),
        ])
        var spec = spec()
        spec.data.treatment = "w"
        spec.data.outcome = "y"
        spec.data.covariates = ["x"]
        let dataset = try CausalDataset(table, spec.data)
        return try CausalStudy(MetaLearnerFitter(spec), on: dataset, for: .scores).grouping(by: table)
    }

    @Test("Negative controls show a hidden confounder, harmless ones do not; others are refused")
    func negativeControls() throws {
        let study = try confounded()
        var analysis = NegativeControlAnalysis()
        analysis.outcomes = ["before", "harmless"]
        analysis.treatments = ["other"]
        let result = try analysis.run(study)
        let table = try #require(result.table(named: "controls"))
        #expect(
            table.column("verdict") == [.string("failed"), .string("passed"), .string("failed")],
            "\(result.findings)")
        #expect(table.column("arm") == [.string("1"), .string("1"), .string("b")])
        #expect(result.findings[0].hasPrefix("Failed: ") && analysis.dataColumns.count == 3)
        #expect(try NegativeControlAnalysis().run(study).findings[0].hasPrefix("Not run"))
        analysis.outcomes = ["befor"]
        let unknown = #expect(throws: MetaLearnersError.self) { try analysis.run(study) }
        #expect(unknown?.description.contains("before") == true)
        analysis.outcomes = []
        analysis.treatments = ["x"]
        #expect(throws: MetaLearnersError.self) { try analysis.run(study) }
    }

    @Test("A simulated confounder takes the effect away as it grows, by about what the formula says")
    func simulatedConfounder() throws {
        let study = try study(strong(rows: 1000))
        var analysis = UnobservedConfounderAnalysis()
        analysis.treatmentStrengths = [0, 0.1, 0.3]
        analysis.outcomeStrengths = [0.3]
        analysis.repeats = 3
        let result = try analysis.run(study)
        let effects = try #require(result.table(named: "strengths")).numbers("estimate")
        let original = try #require(try AIPWAnalysis().run(study).tables.first).numbers("estimate")[0]
        #expect(abs(effects[0] - original) < 0.05 * abs(original) + 0.05)
        let sign = original < 0 ? -1.0 : 1
        #expect(sign * effects[1] < sign * effects[0] && sign * effects[2] < sign * effects[1])
        // Cinelli & Hazlett: bias = √(R²_Y R²_W / (1 − R²_W)) σ_Y/σ_W, here of noise 1 and an arm of one half.
        for (index, share) in [(1, 0.1), (2, 0.3)] {
            let bias = (0.3 * share / (1 - share)).squareRoot() / 0.5
            #expect(abs(effects[0] - sign * bias - effects[index]) < 0.08, "\(effects) \(bias)")
        }
        // Each is a share of what the other has left, so that both may be large.
        let strong = try AnalysisRegistry.default.analysis([
            "analysis": "unobserved_confounder", "treatment_strengths": [0.6], "outcome_strengths": [0.5],
            "repeats": 1,
        ]).run(study)
        #expect(strong.table(named: "strengths")?.numbers("estimate")[0].isFinite == true)
    }

    @Test("Clusters, known propensities and classes of outcomes are refuted as others are")
    func designs() throws {
        let plain = try strong(rows: 240)
        let known = try CausalDataset(
            covariates: plain.covariates, treatment: plain.treatment, outcome: plain.outcome,
            knownPropensities: [0, 1].map { _ in [Double](repeating: 0.5, count: 240) })
        let classes = try CausalDataset(
            covariates: plain.covariates, treatment: plain.treatment,
            outcome: Outcome(
                plain.outcome.values.map { $0 < -1 ? 0 : $0 < 1 ? 1 : 2 },
                kind: .classes(labels: ["a", "b", "c"])))
        var ofClasses = spec()
        ofClasses.models.outcome = RoleModelSpec("trees", SpecObject([("trees", 10)]))
        let fitter = try MetaLearnerFitter(ofClasses)
        let studies = [
            try study(strong(rows: 240, clusters: true)),
            try study(known, needs: [.armMeans, .propensities]),
            try CausalStudy(fitter, nuisancesOf: classes, ofClass: "b"),
        ]
        for study in studies {
            for analysis in try Self.all(repeats: 2) { #expect(try analysis.run(study).isComplete) }
        }
    }

    @Test("Sensitivity analyses have a row for each arm, and say where nothing is to be explained away")
    func sensitivity() throws {
        let study = try study(strong(arms: 3))
        let names = ["omitted_variable_bias", "e_value", "rosenbaum_bounds", "marginal_sensitivity"]
        for name in names {
            let result = try AnalysisRegistry.default.analysis(.string(name)).run(study)
            #expect(result.findings.count == 2 && !result.assumptions.isEmpty, "\(name)")
            let arms = Set(result.tables[0].column("arm").compactMap(\.stringValue))
            #expect(arms == Set(study.armLabels.dropFirst()), "\(name)")
        }
        // Permuted outcomes have no effect.
        var stream = RandomStream(seed: 3, path: 1)
        var outcome = study.outcome
        stream.shuffle(&outcome)
        let dataset = try #require(study.fitting).dataset
        let none = try self.study(
            CausalDataset(
                covariates: dataset.covariates, treatment: dataset.treatment, outcome: Outcome(outcome)))
        let bounds = try MarginalSensitivityAnalysis().run(none)
        #expect(bounds.findings.contains { $0.contains("without any hidden confounding") })
        let value = try EValueAnalysis().run(none)
        #expect(value.table(named: "e_values")?.numbers("e_value_interval").contains(1) == true)
    }

    @Test("Wider sensitivity models have wider bounds; those of a policy are gains per row")
    func nestedBounds() throws {
        let dataset = try strong(rows: 300)
        let study = try CausalStudy(MetaLearnerFitter(spec(.t)).fit(dataset), on: dataset)
        let result = try MarginalSensitivityAnalysis().run(study)
        for table in result.tables {
            for kind in ["free", "quantile_balanced"] {
                let rows = table.rows.indices.filter { table.column("kind")[$0] == .string(kind) }
                let lower = rows.map { table.numbers("lower_bound")[$0] }
                let upper = rows.map { table.numbers("upper_bound")[$0] }
                #expect(lower == lower.sorted(by: >) && upper == upper.sorted(), "\(table.name) \(kind)")
                #expect(abs(lower[0] - upper[0]) < 1e-12)
            }
        }
        let policy = try #require(result.table(named: "policy"))
        let effects = try #require(study.effects)[0]
        let share = Double(effects.count { $0 > 0 }) / 300
        #expect(abs(policy.numbers("treated_share")[0] - share) < 1e-12)
    }
}
