import MetaLearnersKit
import Testing
import _TestSupport

@Suite("What is made for Swift")
struct SwiftInterfaceTests {
    @Test("Models with typed parameters are those of the same keys in a spec")
    func typedModels() throws {
        let typed: [(RoleModelSpec, RoleModelSpec)] = [
            (.trees { $0.maxLeaves = 4 }, RoleModelSpec("trees", ["max_leaves": 4])),
            (.forest { $0.honest = true }, RoleModelSpec("forest", ["honest": true])),
            (.xgboost { $0.trees = 30 }, RoleModelSpec("xgboost", ["trees": 30])),
            (.ridge(), RoleModelSpec("ridge")), (.ols(), RoleModelSpec("ols")),
            (.lasso(), RoleModelSpec("lasso")), (.elasticNet(), RoleModelSpec("elastic_net")),
            (.logistic(), RoleModelSpec("logistic")), (.constant, RoleModelSpec("constant")),
        ]
        for (one, other) in typed { #expect(one == other) }
        // A value that is the default's is not said again.
        #expect(RoleModelSpec.trees { $0.minLeafSize = 20 }.choice.parameters.isEmpty)
        var spec = MetaLearnerSpec()
        spec.learner = .t
        spec.models.outcome = .trees { $0.minLeafSize = 0 }
        let error = #expect(throws: MetaLearnersError.self) { try MetaLearnerFitter(spec) }
        #expect(error?.location == "models.outcome.min_leaf_size")
    }

    @Test("Objects are literals, in the order in which they are written")
    func literals() {
        let object: SpecObject = ["b": 1, "a": ["x", true, .null]]
        #expect(object.keys == ["b", "a"])
        #expect(SpecValue.object(object).json() == #"{"b": 1, "a": ["x", true, null]}"#)
    }

    @Test("Columns of whole numbers and of true and false are numbers")
    func columns() throws {
        let column = Column("age", [40, -3, Int.max] as [Int])
        #expect(column.kind == .numeric && column.values.doubles() == [40, -3, Double(Int.max)])
        #expect(column.asCategorical().levels?.last == String(Int.max))
        #expect(Column("old", [true, false]).values.doubles() == [1, 0])
    }

    @Test("Treatments are made of texts, with the control named, and of true and false")
    func treatments() throws {
        let texts = try Treatment(["b", "none", "a", "b"], control: "none")
        #expect(texts == (try Treatment(arms: [2, 0, 1, 2], labels: ["none", "a", "b"])))
        let flags = try Treatment([true, false, true])
        #expect(flags == (try Treatment(arms: [1, 0, 1], labels: ["false", "true"])))
        #expect(throws: MetaLearnersError.self) { try Treatment(["a", "b"], control: "c") }
        #expect(throws: MetaLearnersError.self) { try Treatment(["a", "a"], control: "a") }
        #expect(throws: MetaLearnersError.self) { try Treatment([true, true]) }
        #expect(throws: MetaLearnersError.self) { try Treatment([Bool]()) }
    }

    @Test("Warnings call treatment and outcome by the names that they are given")
    func names() throws {
        let numbers = (0..<40).map { Double($0 % 7) }
        let dataset = try CausalDataset(
            covariates: Table([Column("x", numbers)]), treatment: Treatment((0..<40).map { $0 < 5 }),
            outcome: Outcome(
                (0..<40).map { Double($0 % 3) }, kind: .classes(labels: ["good", "Good", "bad"])),
            treatmentName: "coaching", outcomeName: "grade")
        #expect(dataset.warnings.contains { $0.hasPrefix("coaching: arm 'true' has only 5") })
        #expect(dataset.warnings.contains { $0.hasPrefix("grade: 'good' and 'Good' differ") })
    }

    @Test("A fit that is awaited gives the model of one that is waited for")
    func awaiting() async throws {
        let data = try SyntheticDataset.linear(rows: 90, seed: 4).dataset
        let fitter = try MetaLearnerFitter(Linear.spec(.dr))
        let waited = try Self.fit(fitter, data)
        #expect(try await fitter.fit(data).encoded() == waited.encoded())
    }

    private static func fit(_ fitter: MetaLearnerFitter, _ data: CausalDataset) throws -> CATEModel {
        try fitter.fit(data)
    }

    @Test("A cancelled task stops its fit, before and while it runs; so does its token")
    func cancelling() async throws {
        let data = try SyntheticDataset.nieWager(.a, rows: 4000, seed: 4).dataset
        var spec = MetaLearnerSpec()
        spec.learner = .dr
        spec.models.outcome = .trees { $0.trees = 5000 }
        spec.models.effect = spec.models.outcome
        let fitter = try MetaLearnerFitter(spec)
        let (began, begins) = AsyncStream.makeStream(of: Void.self)
        let task = Task {
            begins.yield()
            return try await fitter.fit(data, ExecutionOptions(threads: 1))
        }
        for await _ in began { break }
        task.cancel()
        let token = CancellationToken()
        token.cancel()
        for result in [
            await task.result,
            await Task { try await fitter.fit(data, ExecutionOptions(cancellation: token)) }.result,
        ] {
            let error = #expect(throws: MetaLearnersError.self) { try result.get() }
            #expect(error?.kind == .cancelled)
        }
    }
}
