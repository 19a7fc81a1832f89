#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Standard output for results and standard error for messages.
enum StandardStreams {
    /// Writes a result to standard output; a reader that has gone away is no cause for noise.
    ///
    /// - Returns: false where it could not be written in full.
    @discardableResult
    static func output(_ text: String) -> Bool { write(Array(text.utf8), to: 1) }

    /// Writes a message, as one line, to standard error.
    static func message(_ text: String) {
        write(Array(("metalearners: " + oneLine(text) + "\n").utf8), to: 2)
    }

    /// Writes text to standard error as it is.
    static func error(_ text: String) { write(Array(text.utf8), to: 2) }

    /// Whether standard error is a terminal.
    static var errorIsTerminal: Bool { isatty(2) == 1 }

    /// A text with its line ends turned into blanks.
    static func oneLine(_ text: String) -> String {
        text.split(whereSeparator: \.isNewline).joined(separator: " ")
    }

    /// Writes all of `bytes`.
    ///
    /// - Returns: whether that succeeded; `errno` says why not.
    @discardableResult
    static func write(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
        bytes.withUnsafeBytes { buffer in
            var position = 0
            while position < buffer.count {
                let rest = UnsafeRawBufferPointer(rebasing: buffer[position...])
                let count = writeBytes(descriptor, rest)
                if count < 0 {
                    if errno == EINTR { continue }
                    return false
                }
                position += count
            }
            return true
        }
    }
}

private func writeBytes(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) -> Int {
    write(descriptor, bytes.baseAddress, bytes.count)
}
