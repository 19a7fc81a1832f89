import MetaLearners
import MetaLearnersKit
import Testing
import _TestSupport

@testable import MetaLearnersCore

@Suite("Stacks of base learners")
struct StackTests {
    private static let registry = EstimatorRegistry.default

    private static func estimator(_ members: [EstimatorChoice]? = nil, folds: Int = 2) throws
        -> StackEstimator
    {
        var spec = StackSpec()
        spec.members = members
        spec.folds = folds
        return try StackEstimator(spec, registry, at: .root)
    }

    @Test("a stack keeps the contract of base learners", arguments: ConformanceCheck.allCases)
    func conforms(check: ConformanceCheck) throws {
        let few: SpecObject = ["trees": 8, "max_leaves": 4, "min_leaf_size": 3]
        for members in [nil, [EstimatorChoice("trees", few), EstimatorChoice("constant")]] {
            let conformance = EstimatorConformance(
                try Self.estimator(members), [.summarisesAllRows]
            ) { reader throws(MetaLearnersError) in
                try Self.registry.decode("stack", from: &reader)
            }
            #expect(try conformance.violations(of: check) == [])
        }
    }

    @Test("cross-fitted stacks predict what stacks of scikit-learn's models do")
    func reference() throws {
        let fixture = try Fixture("stack")
        let table = try Table(
            fixture.lists("x").enumerated().map { Column("x\($0)", $1) })
        let data = try CausalDataset(
            covariates: table,
            treatment: Treatment(arms: fixture.integers("arm"), labels: ["a", "b", "c"]),
            outcome: Outcome(fixture.numbers("y")))
        let spec = try MetaLearnerSpec([
            "learner": "x", "prediction": "full", "overlap": ["bounds": [0.001, 0.999], "check": false],
            "models": [
                "outcome": ["backend": "stack", "members": ["ols", "constant"]],
                "propensity": [
                    "backend": "stack", "members": ["logistic", ["backend": "logistic", "l2": 30]],
                    "least_advantage": 0,
                ],
                "effect": "constant",
            ],
        ])
        let folds = try FoldAssignment(fixture.integers("fold"), count: 3)
        let model = try MetaLearnerFitter(spec).fit(data, folds: folds)
        func rows(_ output: PredictionRequest.Output, _ source: PredictionRows) throws -> [Double] {
            let columns = try model.predict(PredictionRequest(output), for: source).columns
            return (0..<data.rowCount).flatMap { row in columns.map { $0[row] } }
        }
        #expect(
            Approximate.equal(try rows(.propensities, .training), try fixture.numbers("propensity"), 1e-6))
        #expect(Approximate.equal(try rows(.armMeans, .training), try fixture.numbers("means"), 1e-8))
        #expect(
            Approximate.equal(
                try rows(.propensities, .new(table)), try fixture.numbers("new_propensity"), 1e-6))
        // What is looked into says who counts how much: two arms beside the first, in three folds and in all rows.
        let part = try #require(model.parts.nuisances.first { $0.name == "propensity" })
        #expect(part.summaries.count == 4)
        #expect(part.summaries.allSatisfy { $0["members"] == ["logistic", "logistic"] })
        #expect(part.summaries.allSatisfy { $0["functions"]?.arrayValue?.count == 2 })
    }

    @Test("one that says all has all of it, but for what one row may say of weights")
    func weights() throws {
        var stream = RandomStream(seed: 4)
        let rows = 300
        let x = (0..<rows).map { _ in 2 * stream.uniform() - 1 }
        let y = x.map { 1 + 3 * $0 }
        let task = try TrainingTask(
            features: Table([Column("x", x)]), rows: Array(0..<Int32(rows)), target: y, seed: 1)
        let model = try #require(
            try Self.estimator([EstimatorChoice("ols"), EstimatorChoice("constant")], folds: 5)
                .fit(task, ExecutionContext(threads: 1)) as? FittedStack)
        let weights = try #require(model.weights.functions.first?.weights)
        #expect(abs(weights[0] - 1) < 1e-4 && weights[1] < 1)
        let predicted = try model.predict(task.features, rows: nil, ExecutionContext(threads: 1))
        #expect(Approximate.equal(predicted, y, 1e-3))
    }

    @Test(
        "the first member stays alone where the others know nothing that it does not, and not where they do")
    func firstAlone() throws {
        var stream = RandomStream(seed: 8)
        let rows = 400
        let x = (0..<rows).map { _ in 4 * stream.uniform() - 2 }
        func model(_ score: (Double) -> Double, _ advantage: Double) throws -> FittedStack {
            var stream = RandomStream(seed: 21)
            var labels: [Double] = []
            for value in x { labels.append(stream.uniform() < Logistic.share(score(value)) ? 1 : 0) }
            var spec = StackSpec(members: [EstimatorChoice("constant"), EstimatorChoice("logistic")])
            spec.leastAdvantage = advantage
            let task = try TrainingTask(
                features: Table([Column("x", x)]), rows: Array(0..<Int32(rows)), target: labels,
                objective: .classification(classes: 2), seed: 1)
            return try #require(
                try StackEstimator(spec, Self.registry, at: .root).fit(task, ExecutionContext(threads: 1))
                    as? FittedStack)
        }
        let noise = try model({ _ in 0.4 }, StackSpec().leastAdvantage)
        #expect(noise.weights.functions == [StackWeights.Function(intercept: 0, weights: [1, 0])])
        #expect(try model({ _ in 0.4 }, 0).weights.functions[0].weights != [1, 0])
        #expect(try model({ 2 * $0 }, StackSpec().leastAdvantage).weights.functions[0].weights[1] > 0.7)
    }

    @Test(
        "the error says what is wrong with members",
        arguments: [
            (["members": ["nothing"]], "models.propensity.members.0"),
            (["members": [["backend": "trees", "leaves": 3]]], "models.propensity.members.0.leaves"),
            (["members": [["max_leaves": 3]]], "models.propensity.members.0"),
            (["members": ["logistic", "stack"]], "models.propensity.members.1"),
            (["members": []], "models.propensity.members"), (["members": 3], "models.propensity.members"),
            (["folds": 1], "models.propensity.folds"),
        ] as [(SpecObject, String)])
    func refuses(parameters: SpecObject, place: String) throws {
        let error = #expect(throws: MetaLearnersError.self) {
            _ = try MetaLearnerFitter(
                MetaLearnerSpec(["models": ["propensity": .object(parameters)], "learner": "dr"]))
        }
        #expect(error?.location?.hasPrefix(place) ?? false, "\(String(describing: error))")
    }

    @Test("what a member cannot do the stack cannot")
    func capabilities() throws {
        let data = try SyntheticDataset.linear(rows: 60, seed: 1).dataset
        let spec = try MetaLearnerSpec([
            "learner": "dr", "models": ["propensity": ["backend": "stack", "members": ["ridge", "trees"]]],
        ])
        let error = #expect(throws: MetaLearnersError.self) { _ = try MetaLearnerFitter(spec).fit(data) }
        #expect(error?.kind == .unsupported && error?.location == "models.propensity")
        #expect(try !Self.estimator([EstimatorChoice("logistic")]).backend.capabilities.contains(.regression))
        #expect(
            try Self.estimator().backend.capabilities.isSuperset(of: [.regression, .multiclass, .collective]))
    }

    @Test(
        "propensities of a product are found where a logistic model sees nothing, and plain ones are left alone"
    )
    func standard() throws {
        var stream = RandomStream(seed: 9)
        let rows = 1500
        let columns = (0..<3).map { _ in (0..<rows).map { _ in 2 * stream.uniform() - 1 } }
        func loss(_ propensity: SpecValue?, _ shares: [Double]) throws -> Double {
            var stream = RandomStream(seed: 10)
            let arms = shares.map { Int32(stream.uniform() < $0 ? 1 : 0) }
            let data = try CausalDataset(
                covariates: Table(columns.enumerated().map { Column("x\($0)", $1) }),
                treatment: Treatment(arms: arms, labels: ["0", "1"]), outcome: Outcome(columns[2]))
            var models: SpecObject = ["outcome": "constant", "effect": "constant"]
            models["propensity"] = propensity
            let spec = try MetaLearnerSpec(["learner": "dr", "models": .object(models)])
            let model = try MetaLearnerFitter(spec).fit(data)
            let found = try model.predict(PredictionRequest(.propensities), for: .training).columns[1]
            return zip(found, shares).reduce(0.0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) } / Double(rows)
        }
        let product = (0..<rows).map { Logistic.share(6 * columns[0][$0] * columns[1][$0]) }
        let logistic = try loss("logistic", product)
        #expect(try loss(nil, product) < 0.2 * logistic)
        let plain = columns[0].map { Logistic.share(2 * $0) }
        #expect(try loss(nil, plain) < 2.5 * loss("logistic", plain))
    }
}
