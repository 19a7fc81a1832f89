import CMetaLearners
import MetaLearnersCore

/// The functions of a plug-in's table, each known to be there.
struct PluginFunctions {
    typealias Payload = UnsafeMutableRawPointer?
    typealias ErrorView = UnsafeMutablePointer<mtlr_plugin_error>?
    typealias Execution = UnsafePointer<mtlr_plugin_execution>?
    typealias Features = UnsafePointer<mtlr_plugin_table>?
    typealias Rows = UnsafePointer<Int32>?
    typealias Create =
        @convention(c) (
            Payload, UnsafePointer<mtlr_plugin_spec>?, UnsafeMutablePointer<OpaquePointer?>?, ErrorView
        ) -> Int32
    typealias Free = @convention(c) (Payload, OpaquePointer?) -> Void
    typealias Fit =
        @convention(c) (
            Payload, OpaquePointer?, UnsafePointer<mtlr_plugin_task>?, Execution,
            UnsafeMutablePointer<OpaquePointer?>?, ErrorView
        ) -> Int32
    typealias Predict =
        @convention(c) (
            Payload, OpaquePointer?, Features, Rows, Int64, UnsafeMutablePointer<Double>?, Execution,
            ErrorView
        ) -> Int32
    typealias Serialise =
        @convention(c) (Payload, OpaquePointer?, UnsafePointer<mtlr_plugin_sink>?, ErrorView) -> Int32
    typealias Deserialise =
        @convention(c) (
            Payload, UnsafeRawPointer?, Int, UnsafePointer<CChar>?, UnsafeMutablePointer<OpaquePointer?>?,
            ErrorView
        ) -> Int32
    typealias Contribute =
        @convention(c) (
            Payload, OpaquePointer?, Features, Rows, Int64, Features, UnsafeMutablePointer<Double>?, Int64,
            UnsafeMutablePointer<Int32>?, Execution, ErrorView
        ) -> Int32
    typealias Importance =
        @convention(c) (Payload, OpaquePointer?, Int32, UnsafeMutablePointer<Double>?, Int64, ErrorView) ->
        Int32

    let payload: Payload
    let create: Create
    let freeEstimator: Free
    let fit: Fit
    let predict: Predict
    let serialise: Serialise
    let deserialise: Deserialise
    let freeModel: Free
    /// What explains predictions, where the plug-in does.
    let explain: (contributions: Contribute, importances: Importance)?
    let release: (@convention(c) (Payload) -> Void)?

    /// Takes the functions out of a table.
    ///
    /// - Throws: `invalidArgument`, naming the first that is NULL and must not be.
    init(_ table: mtlr_plugin_vtable, at place: String) throws(MetaLearnersError) {
        func required<Function>(_ function: Function?, _ name: String) throws(MetaLearnersError) -> Function {
            if let function { return function }
            throw MetaLearnersError(
                .invalidArgument, at: place, "the plug-in's table has no function '\(name)' (it is NULL)",
                remedy: "set every function that metalearners_plugin.h does not call optional")
        }
        payload = table.payload
        create = try required(table.create, "create")
        freeEstimator = try required(table.free_estimator, "free_estimator")
        fit = try required(table.fit, "fit")
        predict = try required(table.predict, "predict")
        serialise = try required(table.serialise, "serialise")
        deserialise = try required(table.deserialise, "deserialise")
        freeModel = try required(table.free_model, "free_model")
        if let contributions = table.contributions {
            explain = (contributions, try required(table.importances, "importances"))
        } else {
            explain = nil
        }
        release = table.release
    }
}
