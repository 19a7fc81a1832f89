#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Writes a file piece by piece under a temporary name; only `commit` gives it its own.
///
/// A file that is replaced hands on its rights and, where that is allowed, its owner; a new one has the rights that the
/// process gives to new files. A link stays a link: what it points to is replaced, or made. What is no regular file
/// (`/dev/null`, a pipe) is written straight.
///
/// A writer that goes away without a commit leaves nothing behind. Where the process was killed, its temporary file stays
/// until the next save of the same file takes it away.
public final class AtomicFileWriter {
    private let path: String
    /// Where the file belongs, links resolved; nil for what is written straight.
    private let destination: String?
    private let temporary: String
    private var descriptor: Int32

    /// Creates the temporary file, beside `path`.
    ///
    /// - Throws: `inputOutput`, with the system's reason.
    public init(_ path: String) throws(MetaLearnersError) {
        self.path = path
        var status = stat()
        let exists = stat(path, &status) == 0
        if exists, status.st_mode & S_IFMT != S_IFREG {
            destination = nil
            temporary = ""
            descriptor = open(path, O_WRONLY | O_CLOEXEC)
            guard descriptor >= 0 else { throw AtomicFile.failure(path, "cannot be written") }
            return
        }
        let resolved = try Self.resolved(path)
        destination = resolved
        // The rights of what is replaced are given before there is anything to read.
        (temporary, descriptor) = try TemporaryFile.create(
            beside: resolved, rights: exists ? 0o600 : 0o666, for: path)
        guard exists else { return }
        if status.st_uid != geteuid() || status.st_gid != getegid() {
            // Others than root may not give files away, and then the file is the writer's.
            _ = fchown(descriptor, status.st_uid, status.st_gid)
        }
        _ = fchmod(descriptor, status.st_mode & 0o7777)
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

    /// Synchronises the file, gives it its name in the place of what was there before, and synchronises the folder, so that
    /// the file is there after a loss of power too.
    ///
    /// - Throws: `inputOutput`, with the system's reason.
    public func commit() throws(MetaLearnersError) {
        guard let destination else { return }
        guard fsync(descriptor) == 0 else { throw AtomicFile.failure(path, "cannot be written") }
        guard rename(temporary, destination) == 0 else {
            let error = AtomicFile.failure(path, "cannot be written")
            unlink(temporary)
            close(descriptor)
            descriptor = -1
            throw error
        }
        close(descriptor)
        descriptor = -1
        try Self.synchroniseFolder(of: destination, for: path)
    }

    deinit {
        guard descriptor >= 0 else { return }
        if destination != nil { unlink(temporary) }
        close(descriptor)
    }

    private static func synchroniseFolder(of file: String, for path: String) throws(MetaLearnersError) {
        let folder = open(TemporaryFile.folder(of: file), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        // A folder that may be written and not read cannot be synchronised.
        guard folder >= 0 else { return }
        defer { close(folder) }
        guard fsync(folder) == 0 || errno == EINVAL || errno == ENOTSUP || errno == EROFS else {
            throw AtomicFile.failure(path, "was written, and its folder cannot be synchronised")
        }
    }

    /// The file that a link points to, however many links there are and whether it exists or not; the path itself where it
    /// is none.
    private static func resolved(_ path: String) throws(MetaLearnersError) -> String {
        var current = path
        // As many links as the system itself follows.
        for _ in 0..<40 {
            guard let target = link(current) else { return current }
            current = target.hasPrefix("/") ? target : TemporaryFile.folder(of: current) + "/" + target
        }
        errno = ELOOP
        throw AtomicFile.failure(path, "cannot be written")
    }

    private static func link(_ path: String) -> String? {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 4097) { buffer in
            guard let start = buffer.baseAddress else { return nil }
            let count = readlink(path, start, 4096)
            guard count > 0 else { return nil }
            return String(
                decoding: UnsafeRawBufferPointer(start: start, count: count), as: UTF8.self)
        }
    }
}

/// Temporary files beside the file that they will become.
///
/// Their names follow from the file's own (by a hash, so that they are short however long that is) and a number below
/// sixteen; while a process writes one it holds a lock on it, which ends with the process. So whoever saves the same file
/// next can tell those that nobody will finish, and takes them away.
enum TemporaryFile {
    private static let numbers = 0..<16

    /// The folder of a file.
    static func folder(of file: String) -> String {
        guard let slash = file.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "." }
        return slash == file.startIndex ? "/" : String(file[..<slash])
    }

    /// Creates and locks a file.
    ///
    /// - Parameters:
    ///   - rights: the most that it may have: the process's mask takes from them.
    ///   - path: what an error names.
    /// - Throws: `inputOutput`.
    static func create(beside file: String, rights: mode_t, for path: String) throws(MetaLearnersError)
        -> (path: String, descriptor: Int32)
    {
        let folder = folder(of: file)
        let name =
            file.utf8.lastIndex(of: UInt8(ascii: "/")).map { file[file.utf8.index(after: $0)...] }
            ?? file[...]
        // The checks that the system makes of a name would come too late, after the work.
        guard name.utf8.count <= 255 else {
            errno = ENAMETOOLONG
            throw AtomicFile.failure(path, "cannot be written")
        }
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in name.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        let digits = String(hash, radix: 16)
        let stem = folder + "/.mtlr-" + String(repeating: "0", count: 16 - digits.count) + digits
        let candidates = numbers.map { "\(stem)-\($0).tmp" }
        for candidate in candidates { removeAbandoned(candidate) }
        for candidate in candidates {
            let descriptor = open(candidate, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, rights)
            guard descriptor >= 0 else {
                if errno == EEXIST { continue }
                throw AtomicFile.failure(path, "cannot be written")
            }
            // Where the file system knows no locks, nobody takes the file for abandoned either. Somebody who looks whether
            // it is holds the lock for a moment.
            while flock(descriptor, LOCK_EX) != 0, errno == EINTR {}
            if isAt(candidate, descriptor) { return (candidate, descriptor) }
            close(descriptor)
        }
        errno = EBUSY
        throw AtomicFile.failure(path, "cannot be written, as others are writing it")
    }

    /// Takes away a temporary file that no process is writing any more.
    private static func removeAbandoned(_ candidate: String) {
        let descriptor = open(candidate, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        if flock(descriptor, LOCK_EX | LOCK_NB) == 0, isAt(candidate, descriptor) { unlink(candidate) }
    }

    /// Whether an open file is the one of this name: another process may have given it its final name, or taken it away.
    private static func isAt(_ path: String, _ descriptor: Int32) -> Bool {
        var named = stat()
        var opened = stat()
        return lstat(path, &named) == 0 && fstat(descriptor, &opened) == 0 && named.st_ino == opened.st_ino
            && named.st_dev == opened.st_dev
    }
}
