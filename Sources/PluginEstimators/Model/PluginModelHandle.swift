import CMetaLearners
import MetaLearnersCore

/// The plug-in's model, freed with the last use of it.
final class PluginModelHandle: @unchecked Sendable {  // Models may be used on any thread.
    let plugin: Plugin
    let pointer: OpaquePointer

    init(_ plugin: Plugin, _ pointer: OpaquePointer) {
        self.plugin = plugin
        self.pointer = pointer
    }

    /// Has the plug-in read a model that it wrote.
    ///
    /// - Throws: `corruptModel` where it cannot and does not say otherwise; `internalFault` where it returns none.
    init(_ plugin: Plugin, bytes: ArraySlice<UInt8>, version: String) throws(MetaLearnersError) {
        var pointer: OpaquePointer?
        try plugin.attempt("read the model", at: "model") { functions, error in
            bytes.withUnsafeBytes { bytes in
                version.withCString {
                    functions.deserialise(
                        functions.payload, bytes.baseAddress, bytes.count, $0, &pointer, error)
                }
            }
        }
        guard let pointer else { throw plugin.fault("it read a model, and returned NULL") }
        self.plugin = plugin
        self.pointer = pointer
    }

    deinit { plugin.call { $0.freeModel($0.payload, pointer) } }

    /// The bytes that the plug-in writes.
    func serialised() throws(MetaLearnersError) -> [UInt8] {
        let call = PluginCall(ExecutionContext())
        try plugin.attempt("write the model") { functions, error in
            call.withSink { functions.serialise(functions.payload, pointer, $0, error) }
        }
        return call.bytes
    }
}
