import Foundation
import MetaLearners
import MetaLearnersCore
import MetaLearnersKit
import PluginEstimators
import Testing
import _TestSupport

@Suite("Plug-ins and the registry")
struct PluginTests {
    private func make(_ parameters: SpecObject) throws -> any BaseEstimator {
        try BuiltPlugin.registry(BuiltPlugin.hostile("GOOD"))
            .makeEstimator(EstimatorChoice("hostile", parameters), at: SpecPath.root.appending("outcome"))
    }

    private func task() throws -> TrainingTask {
        try TrainingTask(features: Table([Column("x", [1, 2, 3])]), rows: [0, 1, 2], target: [0, 1, 5])
    }

    @Test("parameters are checked, defaults filled in, and the whole is what the spec says")
    func parameters() throws {
        #expect(
            try make(SpecObject([("trees", 3), ("shape", "square")])).spec.specValue == [
                "trees": 3, "shape": "square", "share": .number(0.5), "engine": [:], "list": [],
                "anything": .null,
                "verbose": false,
            ])
        let bad: [(String, SpecValue, MetaLearnersError.Kind)] = [
            ("trees", 0, .invalidSpec), ("trees", 2.5, .invalidSpec), ("trees", "many", .invalidSpec),
            ("shape", "flat", .invalidSpec), ("shape", 1, .invalidSpec), ("share", 0, .invalidSpec),
            ("share", 1.5, .invalidSpec), ("engine", 1, .invalidSpec), ("list", [:], .invalidSpec),
            ("verbose", 1, .invalidSpec), ("tree", 1, .invalidSpec), ("l2", 1, .unsupported),
            ("max_depth", 2, .unsupported),
        ]
        for (key, value, kind) in bad {
            do {
                _ = try make(SpecObject([(key, value)]))
                Issue.record("\(key): \(value) is taken")
            } catch let error as MetaLearnersError {
                #expect(error.kind == kind, "\(error)")
                #expect(error.location == "outcome.\(key)", "\(error)")
            }
        }
        for good: SpecValue in [1, "text", ["a"], ["b": 2], false] {
            _ = try make(SpecObject([("anything", good)]))
        }
    }

    @Test("an approximate parameter gives a warning where it is set to something else")
    func approximate() throws {
        #expect(try make(SpecObject()).fit(task(), ExecutionContext()).warnings == [])
        #expect(try make(SpecObject([("trees", 10)])).fit(task(), ExecutionContext()).warnings == [])
        let warnings = try make(SpecObject([("trees", 11)])).fit(task(), ExecutionContext()).warnings
        #expect(warnings == ["trees is approximated (by rounds): there are none"])
    }

    @Test("a name that is taken is refused, the same plug-in twice is once")
    func names() throws {
        let once = try BuiltPlugin.registry(BuiltPlugin.neighbours())
        let twice = try once.loadingPlugin(at: BuiltPlugin.neighbours())
        #expect(twice.descriptions.map(\.name) == ["knn"])
        let both = try once.loadingPlugin(at: BuiltPlugin.hostile("GOOD"))
        #expect(both.descriptions.map(\.name) == ["knn", "hostile"])
        let path = try BuiltPlugin.hostile("WARNS")
        #expect {
            try both.loadingPlugin(at: path)
        } throws: { error in
            let error = error as? MetaLearnersError
            return error?.kind == .invalidArgument && error?.description.contains("taken already") == true
        }
    }

    @Test("a model whose plug-in is not loaded says which it is and how to give it")
    func missing() throws {
        let registry = try BuiltPlugin.registry(BuiltPlugin.neighbours())
        var writer = BinaryWriter()
        try registry.makeEstimator(EstimatorChoice("knn"), at: .root).fit(task(), ExecutionContext())
            .encode(to: &writer)
        #expect {
            var reader = BinaryReader(writer.bytes[...])
            _ = try EstimatorRegistry().decode("knn", from: &reader)
        } throws: { error in
            guard let error = error as? MetaLearnersError else { return false }
            return error.kind == .unsupported && error.problem.contains("'knn' 1.0.0")
                && error.remedy?.contains("METALEARNERS_PLUGIN_PATH") == true
        }
    }

    @Test("a path names files and folders, and one that fails keeps nobody out")
    func path() throws {
        let folder = NSTemporaryDirectory() + "metalearners-path-\(getpid())"
        try? FileManager.default.removeItem(atPath: folder)
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try FileManager.default.copyItem(atPath: BuiltPlugin.hostile("GOOD"), toPath: folder + "/a.so")
        try "no library".write(toFile: folder + "/b.so", atomically: true, encoding: .utf8)
        try "no library".write(toFile: folder + "/c.txt", atomically: true, encoding: .utf8)
        // Not by setenv: the tests beside this one read the environment.
        let registry = EstimatorRegistry().loadingPlugins(
            onPath: "\(folder):/no/such/place:\(try BuiltPlugin.neighbours())")
        #expect(registry.descriptions.map(\.name) == ["hostile", "knn"])
        #expect(registry.descriptions.first?.location.hasSuffix("/a.so") == true)
        #expect(registry.problems.count == 2)
        #expect(registry.problems.contains { $0.description.contains("/no/such/place") })
        #expect(registry.problems.contains { $0.description.contains("b.so") })
        #expect {
            try registry.makeEstimator(EstimatorChoice("other"), at: .root)
        } throws: { "\($0)".contains("b.so") }
    }

    @Test("models of plug-ins have no formula, and say so")
    func formulas() throws {
        let model = try make(SpecObject()).fit(task(), ExecutionContext())
        let error = #expect(throws: MetaLearnersError.self) {
            try (model as? any FormulaProviding)?.formulas()
        }
        #expect(error.says(.unsupported, "'hostile'", "plug-in"))
    }

    @Test("columns of any type reach a plug-in, and predictions do not depend on it")
    func columnTypes() throws {
        let numbers = [3.0, 1, 4, 1, 5, 9, 2, 6]
        let bytes = ColumnMemory(
            copying: [UInt8](repeating: 7, count: 1)
                + numbers.flatMap { value in
                    withUnsafeBytes(of: value) { Array($0) }
                })
        let columns = [
            Column("x", numbers), Column("x", StridedValues(numbers.map { Float($0) })),
            Column("x", StridedValues(numbers.map { Int32($0) })),
            Column("x", try StridedValues(bytes, element: .float64, count: 8, offset: 1, stride: 8)),
        ]
        let estimator = try BuiltPlugin.registry(BuiltPlugin.neighbours())
            .makeEstimator(EstimatorChoice("knn", SpecObject([("neighbours", 2)])), at: .root)
        let predictions = try columns.map { column in
            let features = try Table([column])
            let model = try estimator.fit(
                TrainingTask(features: features, rows: Array(0..<8), target: numbers.map { $0 * $0 }),
                ExecutionContext())
            return try model.predict(features, rows: nil, ExecutionContext())
        }
        #expect(predictions.allSatisfy { $0 == predictions[0] })
        // 3 and its neighbours 3 and 2 (or 4, which comes later): their squares are 9 and 16 in row order.
        #expect(predictions[0][0] == 12.5)
    }

    @Test("roles with columns of their own are fitted to these")
    func columnsOfRoles() throws {
        var stream = RandomStream(seed: 4)
        let x = (0..<240).map { _ in stream.uniform() }
        let z = (0..<240).map { _ in stream.uniform() }
        let arms = (0..<240).map { Int32($0 % 2) }
        let outcome = (0..<240).map { 10 * x[$0] + Double(arms[$0]) * (z[$0] > 0.5 ? 6 : 0) }
        let dataset = try CausalDataset(
            covariates: Table([Column("x", x), Column("z", z)]),
            treatment: Treatment(arms: arms, labels: ["0", "1"]), outcome: Outcome(outcome))
        let registry = try Registry.default.loadingPlugins(at: [BuiltPlugin.neighbours()])
        let spec = try MetaLearnerSpec([
            "learner": "r",
            "models": [
                "outcome": ["backend": "knn", "columns": ["x"], "neighbours": 5],
                "effect": ["backend": "knn", "columns": ["z"], "neighbours": 30], "propensity": "constant",
            ],
        ])
        let effects = try MetaLearnerFitter(spec, registry: registry).fit(dataset).trainingEffects[0]
        func mean(_ rows: [Int]) -> Double {
            rows.reduce(0.0) { $0 + effects[$1] } / Double(rows.count)
        }
        let high = mean((0..<240).filter { z[$0] > 0.6 })
        let low = mean((0..<240).filter { z[$0] < 0.4 })
        #expect(high - low > 3)
    }
}
