import MetaLearnersCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A file that is there in full or not at all: it is written under a temporary name, synced, and renamed.
///
/// What is no regular file (`/dev/null`, a pipe) is written straight, and `-` is standard output.
struct AtomicFile: ~Copyable {
    private let path: String
    /// The name it is written under; nil where it is written straight.
    private var temporary: String?
    private var descriptor: Int32
    private var buffer: [UInt8] = []

    /// Opens the file for writing.
    ///
    /// - Throws: `inputOutput`.
    init(_ path: String) throws(MetaLearnersError) {
        if path == "-" {
            self.path = "standard output"
            descriptor = 1
            return
        }
        // A link stays a link: what it points to is replaced.
        let target = Self.resolved(path)
        self.path = target
        var status = stat()
        if stat(target, &status) == 0, status.st_mode & S_IFMT != S_IFREG {
            guard status.st_mode & S_IFMT != S_IFDIR else {
                throw MetaLearnersError(.inputOutput, at: path, "is a directory, not a file")
            }
            descriptor = openForWriting(target, O_WRONLY)
            guard descriptor >= 0 else { throw Self.failure(path) }
            return
        }
        let slash = target.lastIndex(of: "/")
        let folder = slash.map { String(target[...$0]) } ?? ""
        let base = slash.map { String(target[target.index(after: $0)...]) } ?? target
        let name = "\(folder).\(base).\(getpid()).tmp"
        descriptor = openForWriting(name, O_WRONLY | O_CREAT | O_TRUNC)
        guard descriptor >= 0 else { throw Self.failure(path) }
        temporary = name
    }

    deinit {
        if let temporary {
            close(descriptor)
            unlink(temporary)
        }
    }

    /// Appends `bytes`.
    ///
    /// - Throws: `inputOutput`.
    mutating func write(_ bytes: some Sequence<UInt8>) throws(MetaLearnersError) {
        buffer.append(contentsOf: bytes)
        if buffer.count >= 1 << 18 { try flush() }
    }

    /// Puts the file where it belongs.
    ///
    /// - Throws: `inputOutput`; there is no file then, or the old one.
    consuming func commit() throws(MetaLearnersError) {
        try flush()
        guard let name = temporary else {
            if descriptor != 1 { close(descriptor) }
            return
        }
        guard fsync(descriptor) == 0, rename(name, path) == 0 else { throw Self.failure(path) }
        temporary = nil
        close(descriptor)
    }

    private mutating func flush() throws(MetaLearnersError) {
        defer { buffer.removeAll(keepingCapacity: true) }
        guard StandardStreams.write(buffer, to: descriptor) else { throw Self.failure(path) }
    }

    private static func resolved(_ path: String) -> String {
        guard let real = realpath(path, nil) else { return path }
        defer { free(real) }
        return String(cString: real)
    }

    /// Checks that a file could be written at `path`, before any long work is done for it.
    ///
    /// - Throws: `inputOutput`.
    static func requireWritable(_ path: String) throws(MetaLearnersError) {
        if path == "-" { return }
        _ = try AtomicFile(path)
    }

    private static func failure(_ path: String) -> MetaLearnersError {
        MetaLearnersError(.inputOutput, at: path, "cannot be written: \(String(cString: strerror(errno)))")
    }
}

private func openForWriting(_ path: String, _ flags: Int32) -> Int32 { open(path, flags | O_CLOEXEC, 0o666) }
