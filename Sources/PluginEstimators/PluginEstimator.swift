import CMetaLearners
import MetaLearnersCore

/// A base learner that a plug-in implements: a shared library, or the program that uses ours.
///
/// The type stands for every plug-in; which one an estimator is of, its `backend` says.
public struct PluginEstimator: BaseEstimator {
    /// What all plug-ins have in common: a name that none of them may have, and no capability.
    public static let backend = BackendDescription(
        name: "plugin", summary: "a base learner from a plug-in", version: "\(MTLR_PLUGIN_ABI_VERSION)",
        capabilities: [])

    public let spec: PluginSpec
    private let plugin: Plugin
    private let handle: Handle

    /// The backend: the plug-in's.
    public var backend: BackendDescription { plugin.description }

    /// The plug-in's estimator, freed with the last use of it.
    private final class Handle: @unchecked Sendable {  // Estimators may be used on any thread.
        let plugin: Plugin
        let pointer: OpaquePointer

        init(_ plugin: Plugin, _ pointer: OpaquePointer) {
            self.plugin = plugin
            self.pointer = pointer
        }

        deinit { plugin.call { $0.freeEstimator($0.payload, pointer) } }
    }

    /// Has the plug-in make an estimator.
    ///
    /// - Throws: `invalidSpec` for a spec without a plug-in; what the plug-in says of the parameters.
    public init(_ spec: PluginSpec) throws(MetaLearnersError) { try self.init(spec, at: .root) }

    /// Has the plug-in make an estimator of what stands at `place` of a spec.
    init(_ spec: PluginSpec, at place: SpecPath) throws(MetaLearnersError) {
        guard let plugin = spec.plugin else { throw place.error("it names no plug-in") }
        var pointer: OpaquePointer?
        try plugin.attempt("make an estimator", at: place.description.isEmpty ? nil : place.description) {
            functions, error in
            PluginSpecView.with(spec) { functions.create(functions.payload, $0, &pointer, error) }
        }
        guard let pointer else { throw plugin.fault("it made an estimator, and returned NULL") }
        self.spec = spec
        self.plugin = plugin
        handle = Handle(plugin, pointer)
    }

    /// Has the plug-in fit a model.
    ///
    /// - Throws: `unsupported` for a task beyond the plug-in's capabilities; `invalidData` for a regressor that is
    ///   not finite or zero everywhere; what the plug-in says; `internalFault` where it breaks its rules.
    public func fit(_ task: TrainingTask, _ context: ExecutionContext) throws(MetaLearnersError)
        -> any FittedEstimator
    {
        try context.checkCancellation()
        try PluginTaskCheck.check(task, plugin.description)
        let store = try task.cache.value(of: PluginFeatureStore.self, named: "plug-ins") {
            () throws(MetaLearnersError) in PluginFeatureStore()
        }
        let features = store.features(of: task.features)
        let call = PluginCall(context)
        var pointer: OpaquePointer?
        try plugin.attempt("fit a model") { functions, error in
            PluginTaskView.with(task, features) { view in
                call.withExecution { execution in
                    functions.fit(functions.payload, handle.pointer, view, execution, &pointer, error)
                }
            }
        }
        guard let pointer else { throw plugin.fault("it fitted a model, and returned NULL") }
        let model = PluginModelHandle(plugin, pointer)
        try context.checkCancellation()
        let bytes = try model.serialised()
        return PluginModel(
            model, bytes: bytes,
            shape: PluginModel.Shape(
                outputCount: task.outputCount, isClassification: task.isClassification,
                levelCounts: features.levelCounts),
            warnings: spec.warnings + call.warnings
        ).explained
    }

    /// Columns that stand in memory otherwise than plug-ins read them are copied once. What a plug-in takes itself it does
    /// not say: a model as large as its rows in double precision is assumed, which is there twice once it is written.
    public func footprint(rows: Int, of features: Table, for objective: TrainingTask.Objective) -> Footprint {
        let copied = features.columns.reduce(0) { $0 + PluginFeatures.copiedBytes($1) }
        return Footprint(
            shared: copied,
            working: rows * (16 * (features.columns.count + 2) + 16 * objective.outputCount))
    }

    /// Cannot be: which plug-in is to read the bytes, only a registry with it knows.
    ///
    /// - Throws: `unsupported`, always.
    public static func decode(from reader: inout BinaryReader) throws(MetaLearnersError)
        -> any FittedEstimator
    {
        throw MetaLearnersError(
            .unsupported, at: "model", "a plug-in's model is read by a registry that has the plug-in")
    }
}

extension TrainingTask {
    /// Whether it asks for probabilities of classes.
    var isClassification: Bool { if case .classification = objective { true } else { false } }
}
