import CMetaLearners

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
