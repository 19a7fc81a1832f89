import CMetaLearners
import MetaLearnersCore

/// A call of a plug-in, as the functions that are handed to it see it.
final class PluginCall: Sendable {
    private let context: ExecutionContext
    private let notes = Lock<[String]>([])
    private let written = Lock<[UInt8]>([])
    /// More warnings than this of one call are dropped.
    private static let noteLimit = 20

    init(_ context: ExecutionContext) { self.context = context }

    /// What the plug-in warned of, each once.
    var warnings: [String] { notes.withLock { $0 } }

    /// What the plug-in wrote.
    var bytes: [UInt8] { written.withLock { $0 } }

    /// Runs `body` with how to run, for the length of a call.
    func withExecution(_ body: (UnsafePointer<mtlr_plugin_execution>) -> Int32) -> Int32 {
        var view = mtlr_plugin_execution()
        view.struct_size = MemoryLayout<mtlr_plugin_execution>.size
        view.host = Unmanaged.passUnretained(self).toOpaque()
        view.progress = { host, _, _ in PluginCall.of(host)?.context.isCancelled == false ? 1 : 0 }
        view.is_cancelled = { host in PluginCall.of(host)?.context.isCancelled == false ? 0 : 1 }
        view.warn = { host, text in PluginCall.of(host)?.note(text) }
        view.threads = Int32(clamping: context.threads)
        return withExtendedLifetime(self) { withUnsafePointer(to: &view) { body($0) } }
    }

    /// Runs `body` with where to write, for the length of a call.
    func withSink(_ body: (UnsafePointer<mtlr_plugin_sink>) -> Int32) -> Int32 {
        var view = mtlr_plugin_sink()
        view.host = Unmanaged.passUnretained(self).toOpaque()
        view.write = { host, bytes, count in
            guard let bytes, count > 0 else { return }
            PluginCall.of(host)?.written.withLock { $0 += UnsafeRawBufferPointer(start: bytes, count: count) }
        }
        return withExtendedLifetime(self) { withUnsafePointer(to: &view) { body($0) } }
    }

    private func note(_ text: UnsafePointer<CChar>?) {
        guard let text else { return }
        let line = String(cString: text).split(whereSeparator: \.isNewline).joined(separator: " ")
        notes.withLock { notes in
            if notes.count < Self.noteLimit, !line.isEmpty, !notes.contains(line) { notes.append(line) }
        }
    }

    private static func of(_ host: UnsafeMutableRawPointer?) -> PluginCall? {
        host.map { Unmanaged<PluginCall>.fromOpaque($0).takeUnretainedValue() }
    }
}
