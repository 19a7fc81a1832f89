import MetaLearnersCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A file that a command writes: there in full after `commit`, or not at all.
///
/// `-` is standard output. A symbolic link stays one: what it points to is written, whether it is there already or not.
final class OutputFile {
    private enum Target {
        case file(AtomicFileWriter)
        case stream(Int32)
    }

    /// The error of writing to a pipe that nobody reads any more: no cause for a message.
    static let closedPipe = MetaLearnersError(.cancelled, at: "standard output", "nobody reads it any more")

    private let target: Target
    private var buffer: [UInt8] = []

    /// Opens the file for writing.
    ///
    /// - Throws: `inputOutput`.
    init(_ path: String) throws(MetaLearnersError) {
        if path == "-" {
            target = .stream(dup(1))
            return
        }
        let place = FileIdentity.target(of: path)
        var status = stat()
        guard stat(place, &status) == 0 || !FileIdentity.isLink(place) else {
            throw MetaLearnersError(.inputOutput, at: path, "is a symbolic link that leads nowhere")
        }
        target = .file(try AtomicFileWriter(place))
    }

    deinit {
        if case .stream(let descriptor) = target { close(descriptor) }
    }

    /// Checks that a file could be written at `path`, before any long work is done for it.
    ///
    /// - Throws: `inputOutput`.
    static func requireWritable(_ path: String) throws(MetaLearnersError) {
        var status = stat()
        // Opening a pipe and closing it again would be the end of it for its reader.
        if stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFIFO { return }
        _ = try OutputFile(path)
    }

    /// Writes a whole file.
    ///
    /// - Throws: `inputOutput`.
    static func write(_ bytes: [UInt8], to path: String) throws(MetaLearnersError) {
        let file = try OutputFile(path)
        try file.append(bytes)
        try file.commit()
    }

    /// Appends `bytes`.
    ///
    /// - Throws: `inputOutput`.
    func append(_ bytes: some Sequence<UInt8>) throws(MetaLearnersError) {
        buffer.append(contentsOf: bytes)
        if buffer.count >= 1 << 18 { try flush() }
    }

    /// Puts the file where it belongs.
    ///
    /// - Throws: `inputOutput`; there is no file then, or the old one.
    func commit() throws(MetaLearnersError) {
        try flush()
        if case .file(let writer) = target { try writer.commit() }
    }

    private func flush() throws(MetaLearnersError) {
        defer { buffer.removeAll(keepingCapacity: true) }
        switch target {
        case .file(let writer):
            try writer.append(buffer)
        case .stream(let descriptor):
            guard StandardStreams.write(buffer, to: descriptor) else {
                throw errno == EPIPE ? Self.closedPipe : Self.failure()
            }
        }
    }

    private static func failure() -> MetaLearnersError {
        MetaLearnersError(
            .inputOutput, at: "standard output", "cannot be written: \(String(cString: strerror(errno)))")
    }
}
