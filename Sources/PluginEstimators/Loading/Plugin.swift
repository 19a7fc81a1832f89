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
    /// Whether calls are made on the thread that called the library.
    private let isOnCaller: Bool
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
        // (A plug-in has no way to ask other processes for their rows, nor to read another backend's bins, nor a task with this objective.)
        let all = Capabilities.named.reduce(into: Capabilities()) { $0.formUnion($1.0) }
            .subtracting([.collective, .streamed, .coefficients])
        guard all.isSuperset(of: capabilities),
            !capabilities.isDisjoint(with: [.regression, .binary, .multiclass, .residualLoss])
        else {
            throw MetaLearnersError(
                .invalidArgument, at: place,
                "the capabilities \(table.capabilities) of '\(name)' name no objective, or something unknown",
                remedy: "combine MTLR_PLUGIN_CAN_ values")
        }
        let known = UInt32(MTLR_PLUGIN_SERIAL) | UInt32(MTLR_PLUGIN_CALLER_THREAD)
        guard table.flags & ~known == 0, table.reserved == 0 else {
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
        isOnCaller = table.flags & UInt32(MTLR_PLUGIN_CALLER_THREAD) != 0
    }

    deinit { if releases.load(ordering: .relaxed) { functions.release?(functions.payload) } }

    /// From now on the payload is released with the plug-in. (That of a library is never: it stays loaded.)
    package func releasesPayload() { releases.store(true, ordering: .relaxed) }

    /// Makes a call, one at a time or on the thread that called the library where the plug-in wants that.
    func call<Value>(_ body: (PluginFunctions) -> Value) -> Value {
        func made() -> Value { isSerial ? lock.withLock { _ in body(functions) } : body(functions) }
        guard isOnCaller, let loop = CallerLoop.current else { return made() }
        var value: Value?
        loop.perform { value = made() }
        return value ?? made()
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
        if isOnCaller, Workers.isOwn, CallerLoop.current == nil {
            throw MetaLearnersError(
                .unsupported, at: place ?? "backend '\(name)'",
                "is only called on the thread that calls the library, which is busy",
                remedy: "set mtlr_execution.poll, or use one thread")
        }
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

/// Reads a plug-in's table, of which nothing can be taken for granted.
enum PluginTableReader {
    /// Larger sizes than this are taken for a mistake: no version of the table comes near it.
    private static let largestSize = 4096
    /// More bytes than this in a text of the table are taken for a missing NUL.
    private static let longestText = 1 << 20

    /// A copy of the table at `pointer`; members that it does not have yet are zero.
    ///
    /// - Throws: `unsupported` for another ABI version; `invalidArgument` for NULL and for a size that is none.
    static func read(_ pointer: UnsafePointer<mtlr_plugin_vtable>?, at place: String)
        throws(MetaLearnersError)
        -> mtlr_plugin_vtable
    {
        guard let pointer, UInt(bitPattern: pointer).isMultiple(of: 8) else {
            throw MetaLearnersError(.invalidArgument, at: place, "the plug-in's table is NULL or not aligned")
        }
        // A table of another version agrees with ours in its first two members only.
        let bytes = UnsafeRawPointer(pointer)
        let size = bytes.load(as: UInt.self)
        let version = bytes.load(fromByteOffset: MemoryLayout<UInt>.size, as: Int32.self)
        guard version == MTLR_PLUGIN_ABI_VERSION else {
            throw MetaLearnersError(
                .unsupported, at: place,
                "the plug-in is made for version \(version) of the plug-in interface; this is version "
                    + "\(MTLR_PLUGIN_ABI_VERSION)",
                remedy: "compile it with the metalearners_plugin.h of this version")
        }
        let known = MemoryLayout<mtlr_plugin_vtable>.size
        guard size >= UInt(known), size <= UInt(largestSize) else {
            throw MetaLearnersError(
                .invalidArgument, at: place,
                "the plug-in's table says that it has \(size) bytes, and version \(version) has \(known)",
                remedy: "set struct_size to sizeof(mtlr_plugin_vtable)")
        }
        return bytes.load(as: mtlr_plugin_vtable.self)
    }

    /// A text of the table.
    ///
    /// - Throws: `invalidArgument` where it is NULL, empty or not UTF-8.
    static func text(_ pointer: UnsafePointer<CChar>?, _ member: String, at place: String)
        throws(MetaLearnersError) -> String
    {
        guard let pointer else {
            throw MetaLearnersError(
                .invalidArgument, at: place, "the plug-in's table has no '\(member)' (it is NULL)")
        }
        var length = 0
        while pointer[length] != 0, length < longestText { length += 1 }
        let bytes = UnsafeRawBufferPointer(start: pointer, count: length)
        guard length > 0, length < longestText, let text = String(validating: bytes, as: UTF8.self) else {
            throw MetaLearnersError(
                .invalidArgument, at: place,
                "'\(member)' of the plug-in's table is empty, endless or not UTF-8")
        }
        return text
    }
}

/// Where a plug-in says why a call failed.
final class PluginErrorBuffer {
    private static let capacity = 1024
    private let text: UnsafeMutablePointer<CChar>

    init() {
        text = .allocate(capacity: Self.capacity)
        text.initialize(repeating: 0, count: Self.capacity)
    }

    deinit { text.deallocate() }

    /// Hands the buffer to a call. The last byte is kept back, so that there is always a NUL.
    func withView(_ body: (UnsafeMutablePointer<mtlr_plugin_error>) -> Int32) -> Int32 {
        var view = mtlr_plugin_error(text: text, capacity: Self.capacity - 1)
        return withUnsafeMutablePointer(to: &view) { body($0) }
    }

    /// What was written, in one line of valid UTF-8.
    var message: String {
        text[Self.capacity - 1] = 0
        var bytes: [UInt8] = []
        while let next = Optional(UInt8(bitPattern: text[bytes.count])), next != 0 {
            bytes.append(next < 0x20 ? 0x20 : next)
        }
        while bytes.last == 0x20 || bytes.last == 0x2E { bytes.removeLast() }
        return String(decoding: bytes, as: UTF8.self)
    }
}
