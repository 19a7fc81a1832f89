#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Writes a file piece by piece under a temporary name; only `commit` gives it its own.
///
/// A writer that goes away without a commit leaves nothing behind. A link stays a link: what it points to is replaced.
/// What is no regular file (`/dev/null`, a pipe) is written straight.
public final class AtomicFileWriter {
    private let path: String
    /// Where the file belongs, links resolved; nil for what is written straight.
    private let destination: String?
    private var temporary: [CChar] = []
    private var descriptor: Int32

    /// Creates the temporary file, beside `path`.
    ///
    /// - Throws: `inputOutput`, with the system's reason.
    public init(_ path: String) throws(MetaLearnersError) {
        self.path = path
        var status = stat()
        if stat(path, &status) == 0, status.st_mode & S_IFMT != S_IFREG {
            destination = nil
            descriptor = open(path, O_WRONLY | O_CLOEXEC)
            guard descriptor >= 0 else { throw AtomicFile.failure(path, "cannot be written") }
            return
        }
        let resolved = Self.resolved(path)
        destination = resolved
        temporary = Array((resolved + ".XXXXXX").utf8CString)
        descriptor = mkstemp(&temporary)
        guard descriptor >= 0 else { throw AtomicFile.failure(path, "cannot be written") }
        // mkstemp makes files for the owner alone; a new file has the rights that others have.
        let mask = umask(0)
        _ = umask(mask)
        _ = fchmod(descriptor, 0o666 & ~mask)
    }

    /// Appends bytes.
    ///
    /// - Throws: `inputOutput`, with the system's reason.
    public func append(_ bytes: [UInt8]) throws(MetaLearnersError) {
        var written = 0
        while written < bytes.count {
            let count = bytes.withUnsafeBytes { buffer in
                let rest = UnsafeRawBufferPointer(rebasing: buffer[written...])
                return write(descriptor, rest.baseAddress, rest.count)
            }
            guard count >= 0 else {
                if errno == EINTR { continue }
                throw AtomicFile.failure(path, "cannot be written")
            }
            written += count
        }
    }

    /// Synchronises the file and gives it its name, in the place of what was there before.
    ///
    /// - Throws: `inputOutput`, with the system's reason.
    public func commit() throws(MetaLearnersError) {
        guard let destination else { return }
        guard fsync(descriptor) == 0 else { throw AtomicFile.failure(path, "cannot be written") }
        close(descriptor)
        descriptor = -1
        guard rename(temporary, destination) == 0 else {
            let error = AtomicFile.failure(path, "cannot be written")
            unlink(temporary)
            throw error
        }
    }

    deinit {
        guard descriptor >= 0 else { return }
        close(descriptor)
        if destination != nil { unlink(temporary) }
    }

    /// The file that a link points to, however many links there are; the path itself where it is none.
    private static func resolved(_ path: String) -> String {
        guard let real = realpath(path, nil) else { return path }
        defer { free(real) }
        return String(cString: real)
    }
}
