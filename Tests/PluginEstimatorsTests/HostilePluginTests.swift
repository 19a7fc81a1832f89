import MetaLearnersCore
import PluginEstimators
import Testing
import _TestSupport

@Suite("Plug-ins that misbehave get an error and nothing else")
struct HostilePluginTests {
    /// The error of `body`.
    private func error(_ body: () throws -> Void) throws -> MetaLearnersError {
        do {
            try body()
        } catch {
            return try #require(error as? MetaLearnersError, "\(error)")
        }
        throw Missing()
    }

    private struct Missing: Error {}

    private func task(classes: Int? = nil) throws -> TrainingTask {
        try TrainingTask(
            features: Table([Column("x", [1, 2, 3, 4]), Column("z", [0, 1, 0, 1])]), rows: [0, 1, 2, 3],
            target: [0, 1, 1, 0], objective: classes.map { .classification(classes: $0) } ?? .regression,
            seed: 3)
    }

    @Test(
        "tables that make no sense are refused",
        arguments: [
            ("WRONG_ABI", MetaLearnersError.Kind.unsupported, "version 99"),
            ("SHORT_TABLE", .invalidArgument, "bytes"),
            ("HUGE_TABLE", .invalidArgument, "bytes"), ("NULL_TABLE", .invalidArgument, "NULL"),
            ("NULL_FUNCTION", .invalidArgument, "'predict'"), ("NULL_NAME", .invalidArgument, "'name'"),
            ("BAD_NAME", .invalidArgument, "Not a name"), ("BAD_UTF8", .invalidArgument, "'summary'"),
            ("NO_CAPABILITY", .invalidArgument, "capabilities"),
            ("UNKNOWN_CAPABILITY", .invalidArgument, "capabilities"),
            ("UNKNOWN_FLAG", .invalidArgument, "flags"),
            ("PARAMETERS_NO_JSON", .invalidArgument, "parameters"),
            ("PARAMETERS_NO_LIST", .invalidArgument, "not a list"),
            ("PARAMETERS_BAD_DEFAULT", .invalidArgument, "'a'"),
            ("PARAMETERS_TWICE", .invalidArgument, "twice"),
            ("HALF_EXPLAINED", .invalidArgument, "'importances'"),
        ])
    func tables(way: String, kind: MetaLearnersError.Kind, text: String) throws {
        let path = try BuiltPlugin.hostile(way)
        let error = try error { _ = try BuiltPlugin.registry(path) }
        #expect(error.kind == kind)
        #expect(error.description.contains(text), "\(error)")
        #expect(error.location?.contains(".so") == true)
    }

    @Test("files that are no plug-ins are refused")
    func files() throws {
        let missing = try error { _ = try BuiltPlugin.registry("/no/such/plugin.so") }
        #expect(missing.kind == .inputOutput && missing.description.contains("/no/such/plugin.so"))
        #expect(try error { _ = try BuiltPlugin.registry("") }.kind == .invalidArgument)
        #expect(try error { _ = try BuiltPlugin.registry("a\u{0}b") }.kind == .invalidArgument)
        let source = BuiltPlugin.root + "/Package.swift"
        #expect(try error { _ = try BuiltPlugin.registry(source) }.kind == .unsupported)
        let other = try BuiltPlugin.path("Tests/PluginEstimatorsTests/Hostile/empty.c", as: "empty")
        let empty = try error { _ = try BuiltPlugin.registry(other) }
        #expect(empty.kind == .unsupported && empty.description.contains("mtlr_plugin_v1"))
    }

    @Test(
        "estimators and fits that fail say why",
        arguments: [
            ("CREATE_FAILS", MetaLearnersError.Kind.unsupported, "the engine is not installed"),
            ("CREATE_NOTHING", .internalFault, "NULL"), ("FIT_FAILS", .numericalFailure, "no luck today"),
            ("FIT_FAILS_SILENTLY", .invalidData, "does not say why"),
            ("FIT_UNKNOWN_STATUS", .internalFault, "4711"),
            ("FIT_NOTHING", .internalFault, "NULL"),
            ("FIT_FLOODS_ERROR", .internalFault, "could not fit a model"),
            ("FIT_CANCELS", .cancelled, "cancelled"), ("SERIALISE_FAILS", .outOfMemory, "no paper"),
        ])
    func fits(way: String, kind: MetaLearnersError.Kind, text: String) throws {
        let registry = try BuiltPlugin.registry(BuiltPlugin.hostile(way))
        let error = try error {
            let estimator = try registry.makeEstimator(EstimatorChoice("hostile"), at: .root)
            _ = try estimator.fit(task(), ExecutionContext())
        }
        #expect(error.kind == kind)
        #expect(error.description.contains(text), "\(error)")
    }

    @Test(
        "predictions that cannot be are refused",
        arguments: [
            ("PREDICT_NAN", MetaLearnersError.Kind.numericalFailure, "row index 3"),
            ("PREDICT_INFINITE", .numericalFailure, "row index 0"),
            ("PREDICT_TOO_FEW", .internalFault, "row index 3 of 4"),
            ("PREDICT_TOO_MANY", .internalFault, "more than the"),
            ("PREDICT_NO_SHARES", .internalFault, "add up to 1.4"),
            ("PREDICT_FAILS", .numericalFailure, "forgot everything"),
        ])
    func predictions(way: String, kind: MetaLearnersError.Kind, text: String) throws {
        let registry = try BuiltPlugin.registry(BuiltPlugin.hostile(way))
        let task = try task(classes: way == "PREDICT_NO_SHARES" ? 2 : nil)
        let estimator = try registry.makeEstimator(EstimatorChoice("hostile"), at: .root)
        let model = try estimator.fit(task, ExecutionContext())
        let error = try error { _ = try model.predict(task.features, rows: nil, ExecutionContext()) }
        #expect(error.kind == kind)
        #expect(error.description.contains(text), "\(error)")
        #expect(try model.predict(task.features, rows: [], ExecutionContext()).isEmpty)
    }

    @Test(
        "models that cannot be read are refused",
        arguments: [
            ("DESERIALISE_NOTHING", MetaLearnersError.Kind.internalFault, "NULL"),
            ("DESERIALISE_FAILS", .corruptModel, "written by 0.9"),
        ])
    func decoding(way: String, kind: MetaLearnersError.Kind, text: String) throws {
        let registry = try BuiltPlugin.registry(BuiltPlugin.hostile(way))
        let estimator = try registry.makeEstimator(EstimatorChoice("hostile"), at: .root)
        var writer = BinaryWriter()
        try estimator.fit(task(), ExecutionContext()).encode(to: &writer)
        let error = try error {
            var reader = BinaryReader(writer.bytes[...])
            _ = try registry.decode("hostile", from: &reader)
        }
        #expect(error.kind == kind)
        #expect(error.description.contains(text), "\(error)")
    }

    @Test("warnings are kept, each once and on one line")
    func warnings() throws {
        let registry = try BuiltPlugin.registry(BuiltPlugin.hostile("WARNS"))
        let estimator = try registry.makeEstimator(EstimatorChoice("hostile"), at: .root)
        #expect(try estimator.fit(task(), ExecutionContext()).warnings == ["it did not converge"])
    }

    @Test("a plug-in that wants one call at a time gets it")
    func serial() throws {
        let registry = try BuiltPlugin.registry(BuiltPlugin.hostile("SERIAL"))
        let estimator = try registry.makeEstimator(EstimatorChoice("hostile"), at: .root)
        let task = try task()
        try Scheduler(ExecutionOptions(threads: 4)).run("fits", count: 12) {
            _, context throws(MetaLearnersError) in
            _ = try estimator.fit(task, context)
        }
    }

    @Test("contributions come with a scale that is known")
    func contributions() throws {
        let task = try task()
        for (way, isGood) in [("EXPLAINS", true), ("EXPLAINS_BADLY", false)] {
            let registry = try BuiltPlugin.registry(BuiltPlugin.hostile(way))
            let estimator = try registry.makeEstimator(EstimatorChoice("hostile"), at: .root)
            let model = try #require(
                try estimator.fit(task, ExecutionContext()) as? any ExplainableEstimator)
            func values(_ background: Table?) throws(MetaLearnersError) -> Contributions {
                try model.contributions(
                    task.features, rows: [3, 0], background: background, ExecutionContext())
            }
            guard isGood else {
                #expect(try error { _ = try values(nil) }.kind == .internalFault)
                continue
            }
            #expect(
                try values(nil)
                    == Contributions(
                        values: [0, 0, 0.5, 0, 0, 0.5], scale: .prediction, outputCount: 1, columnCount: 2))
            #expect(try error { _ = try values(task.features) }.kind == .unsupported)
            #expect(model.importances(.splits) == [2, 2])
        }
    }
}
