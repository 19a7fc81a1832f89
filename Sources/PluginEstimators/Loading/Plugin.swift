import CMetaLearners
import MetaLearnersCore
import Synchronization

/// A backend in C: a table of functions that a shared library returned or a program filled, checked.
///
/// Calls of a plug-in that asks for it are made one at a time, whoever makes them.
public final class Plugin: @unchecked Sendable {
    // The functions may be called on any thread, as metalearners_plugin.h demands; the rest is immutable.

    /// The backend: its name, version, capabilities, and where it came from.
    public let description: BackendDescription
    /// Its parameters, with their defaults.
    public let parameters: [ParameterDescription]
    let declared: [PluginParameter]
    let functions: PluginFunctions
    private let isSerial: Bool
    private let lock = Lock<Void>(()) { () }
    private let releases = Atomic<Bool>(false)

    /// The backend's name.
    public var name: String { description.name }
    /// The plug-in's version.
    public var version: String { description.version }

    /// Checks a table of functions.
    ///
    /// - Parameters:
    ///   - table: the table, which is copied; what it points to must live as long as the plug-in.
    ///   - location: where it came from: a library's path, or "callbacks".
    /// - Throws: `unsupported` for another version of the interface; `invalidArgument` for a table that is short, or
    ///   has a function or a text missing, or parameters that make no sense.
    public init(_ table: UnsafePointer<mtlr_plugin_vtable>?, location: String) throws(MetaLearnersError) {
        let place = "plug-in \(location)"
        let table = try PluginTableReader.read(table, at: place)
        let name = try PluginTableReader.text(table.name, "name", at: place)
        guard Self.isName(name) else {
            throw MetaLearnersError(
                .invalidArgument, at: place, "the plug-in's name '\(name.prefix(80))' is none",
                remedy: "names are of a to z, 0 to 9 and _, begin with a letter and have at most 64 of them")
        }
        let capabilities = Capabilities(rawValue: table.capabilities)
        let all = Capabilities.named.reduce(into: Capabilities()) { $0.formUnion($1.0) }
        guard all.isSuperset(of: capabilities),
            !capabilities.isDisjoint(with: [.regression, .binary, .multiclass, .residualLoss])
        else {
            throw MetaLearnersError(
                .invalidArgument, at: place,
                "the capabilities \(table.capabilities) of '\(name)' name no objective, or something unknown",
                remedy: "combine MTLR_PLUGIN_CAN_ values")
        }
        guard table.flags & ~UInt32(MTLR_PLUGIN_SERIAL) == 0, table.reserved == 0 else {
            throw MetaLearnersError(
                .invalidArgument, at: place,
                "the flags of '\(name)' are unknown, or a reserved member is not 0")
        }
        description = BackendDescription(
            name: name, summary: try PluginTableReader.text(table.summary, "summary", at: place),
            version: try PluginTableReader.text(table.version, "version", at: place), location: location,
            capabilities: capabilities)
        declared = try PluginParameter.list(
            PluginTableReader.text(table.parameters, "parameters", at: place), at: place)
        parameters = declared.map(\.description)
        functions = try PluginFunctions(table, at: place)
        isSerial = table.flags & UInt32(MTLR_PLUGIN_SERIAL) != 0
    }

    deinit { if releases.load(ordering: .relaxed) { functions.release?(functions.payload) } }

    /// From now on the payload is released with the plug-in. (That of a library is never: it stays loaded.)
    package func releasesPayload() { releases.store(true, ordering: .relaxed) }

    /// Makes a call, one at a time where the plug-in wants that.
    func call<Value>(_ body: (PluginFunctions) -> Value) -> Value {
        isSerial ? lock.withLock { _ in body(functions) } : body(functions)
    }

    /// Makes a call that may fail.
    ///
    /// - Parameters:
    ///   - action: what it does, for the error: "fit", "read the model".
    ///   - place: where the error is said to be; nil for the backend.
    ///   - body: makes the call and returns its status.
    /// - Throws: an error of the kind that the status says, with the plug-in's own words.
    func attempt(
        _ action: String, at place: String? = nil,
        _ body: (PluginFunctions, UnsafeMutablePointer<mtlr_plugin_error>) -> Int32
    ) throws(MetaLearnersError) {
        let buffer = PluginErrorBuffer()
        let status = call { functions in buffer.withView { body(functions, $0) } }
        guard status != MTLR_PLUGIN_OK else { return }
        let place = place ?? "backend '\(name)'"
        let said = buffer.message
        let message = said.isEmpty ? "it does not say why" : said
        guard let kind = MetaLearnersError.Kind(rawValue: status) else {
            throw fault(
                "it returned the status \(status), which is none, when asked to \(action) (\(message))")
        }
        switch kind {
        case .cancelled: throw MetaLearnersError(.cancelled, "the work was cancelled")
        default: throw MetaLearnersError(kind, at: place, "the plug-in could not \(action): \(message)")
        }
    }

    /// The error of a plug-in that breaks the rules of `metalearners_plugin.h`.
    func fault(_ problem: String) -> MetaLearnersError {
        MetaLearnersError(
            .internalFault, at: "backend '\(name)'", "the plug-in is faulty: \(problem)",
            remedy: "tell whoever made it (\(description.location), version \(version))")
    }

    private static func isName(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        guard let first = bytes.first, (0x61...0x7A).contains(first), bytes.count <= 64 else { return false }
        return bytes.allSatisfy { (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x5F }
    }
}
