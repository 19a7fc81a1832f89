import MetaLearnersCore
import MetaLearnersKit
import Testing
import _TestSupport

@testable import MetaLearners

@Suite("The second look at overlap")
struct OverlapCheckTests {
    /// The treatment is whether x is between −1 and 1: no straight line through x sees that.
    private func data(
        rows: Int = 600, isSeparated: Bool = true, weighted: Bool = false, clustered: Bool = false
    ) throws -> CausalDataset {
        var stream = RandomStream(seed: 5)
        let x = (0..<rows).map { _ in stream.normal() }
        let noise = (0..<rows).map { _ in stream.normal() }
        let arms = x.map { Int32(isSeparated ? (abs($0) < 0.7 ? 1 : 0) : (stream.uniform() < 0.5 ? 1 : 0)) }
        return try CausalDataset(
            covariates: Table([
                Column("noise", noise), Column("dose", x),
                Column("kind", categories: noise.indices.map { ["a", "b"][$0 % 2] }),
            ]), treatment: Treatment(arms: arms, labels: ["0", "1"]),
            outcome: Outcome(zip(x, arms).map { $0 + Double($1) }),
            weights: weighted ? x.map { 1 + abs($0) } : nil,
            clusters: clustered ? (0..<Int32(rows)).map { $0 / 2 } : nil)
    }

    private func fit(
        _ data: CausalDataset, _ learner: LearnerKind = .dr, propensity: SpecValue = "logistic",
        overlap: SpecValue = [:], threads: Int = 1, registry: Registry = .default
    ) throws -> CATEModel {
        let spec = try MetaLearnerSpec([
            "learner": .string(learner.rawValue), "overlap": overlap, "cross_fitting": ["folds": 2],
            "models": learner == .auto
                ? .null : ["outcome": "ols", "effect": "ols", "propensity": propensity],
        ])
        return try MetaLearnerFitter(spec, registry: registry).fit(data, ExecutionOptions(threads: threads))
    }

    private func found(_ model: CATEModel) -> [String] {
        model.warnings.filter { $0.contains("trees tell the arm") }
    }

    @Test(
        "Whatever the learner, the model says that rows have no counterpart",
        arguments: LearnerKind.single + [.ensemble])
    func everyLearner(learner: LearnerKind) throws {
        let warning = try #require(found(fit(data(), learner)).first)
        #expect(warning.contains("of 600 rows") && warning.contains("differ most in 'dose'"))
        #expect(warning.contains("extrapolation") && warning.contains("models.propensity: trees"))
        #expect(try found(fit(data(isSeparated: false), learner)).isEmpty)
    }

    @Test("What auto stacks follows the treatment by itself, so that its own bounds count the rows")
    func auto() throws {
        let model = try fit(data(), .auto)
        #expect(model.overlap.touched > 300 || !found(model).isEmpty)
        #expect(try found(fit(data(isSeparated: false), .auto)).isEmpty)
    }

    @Test("With weights, clusters and one fold too; with more rows than it looks at, of a sample")
    func rows() throws {
        #expect(try found(fit(data(weighted: true, clustered: true))).count == 1)
        let many = try fit(data(rows: SecondOpinion.mostRows + 500))
        #expect(found(many).first?.contains("of \(SecondOpinion.mostRows) sampled rows") == true)
    }

    @Test("It changes nothing but the warning, and says the same on any number of threads")
    func rest() throws {
        let data = try data()
        let (with, without) = (try fit(data), try fit(data, overlap: ["check": false]))
        #expect(found(without).isEmpty)
        #expect(with.trainingEffects == without.trainingEffects)
        #expect(try with.predict(data.covariates).effects == without.predict(data.covariates).effects)
        #expect(try fit(data, threads: 3).encoded() == with.encoded())
        #expect(found(try CATEModel(bytes: with.encoded())).count == 1)
    }

    @Test(
        "There is nothing to check where trees or the design give propensities, or the registry has no trees")
    func nothing() throws {
        let data = try data()
        let trimmed = try fit(
            data, propensity: "trees", overlap: ["policy": "trim", "bounds": [0.001, 0.999]])
        #expect(found(trimmed).isEmpty)
        let known = try CausalDataset(
            covariates: data.covariates, treatment: data.treatment, outcome: data.outcome,
            knownPropensities: [[Double]](repeating: [Double](repeating: 0.5, count: data.rowCount), count: 2)
        )
        #expect(try found(fit(known)).isEmpty)
        let estimators = EstimatorRegistry().registering(ConstantEstimator.self)
        let few = try MetaLearnerFitter(
            MetaLearnerSpec([
                "learner": "t",
                "models": ["outcome": "constant", "propensity": "constant", "effect": "constant"],
            ]),
            registry: Registry(estimators).registering(TLearner.self))
        #expect(try found(few.fit(data)).isEmpty)
    }

    @Test("Steep but logistic treatments give no alarm", arguments: [1.0, 2, 4], [1, 2, 3] as [UInt64])
    func falseAlarms(steepness: Double, seed: UInt64) throws {
        var stream = RandomStream(seed: seed)
        let columns = (0..<5).map { _ in (0..<2000).map { _ in stream.normal() } }
        let arms = columns[0].map { Int32(stream.uniform() < 1 / (1 + Double.exp(-steepness * $0)) ? 1 : 0) }
        let data = try CausalDataset(
            covariates: Table(columns.enumerated().map { Column("x\($0)", $1) }),
            treatment: Treatment(arms: arms, labels: ["0", "1"]), outcome: Outcome(columns[1]))
        #expect(try found(fit(data)).isEmpty)
    }
}
