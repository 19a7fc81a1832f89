import MetaLearnersCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// What a search has done so far, in a file: a line of JSON for each nuisance and each candidate that is done, written at once, so
/// that whoever is killed loses nothing but what was running.
///
/// The first line says which search it is of (spec, space, seed, data); the lines of another are refused. While a process
/// writes it, no other can.
public final class TuningJournal: Sendable {
    /// The file.
    public let path: String
    private let resumes: Bool
    private let descriptor = Lock<Int32>(-1)

    /// Prepares a journal; nothing is read or written yet.
    ///
    /// - Parameter resumes: whether what is in the file is taken over; else it must not be there, or is begun anew.
    public init(_ path: String, resumes: Bool) {
        self.path = path
        self.resumes = resumes
    }

    deinit {
        let open = descriptor.withLock { $0 }
        if open >= 0 { close(open) }
    }

    private static let format = "metalearners tuning journal 1"

    /// Opens the file and reads what is there.
    ///
    /// - Throws: `inputOutput`; `invalidArgument` for a journal of another search, or one that another process writes.
    func begin(_ fingerprint: String) throws(MetaLearnersError) -> [SpecObject] {
        let opened = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o666)
        guard opened >= 0 else { throw failure("cannot be opened") }
        descriptor.withLock { $0 = opened }
        if flock(opened, LOCK_EX | LOCK_NB) != 0, errno == EWOULDBLOCK {
            throw MetaLearnersError(
                .invalidArgument, at: path, "is being written by another search",
                remedy: "wait for it, or write to another file")
        }
        var entries: [SpecObject] = []
        var kept = 0
        if resumes {
            let bytes = try AtomicFile.read(path)
            var lines: [SpecObject] = []
            // A line that was cut short is none.
            for line in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
                .dropLast()
            {
                guard let object = (try? SpecValue(json: line, source: path))?.objectValue else { break }
                lines.append(object)
                kept += line.count + 1
            }
            if let header = lines.first {
                guard header["format"] == .string(Self.format) else {
                    throw MetaLearnersError(
                        .invalidArgument, at: path, "is no journal of a search",
                        remedy: "name the file of results that the interrupted run was given")
                }
                guard header["search"] == .string(fingerprint) else {
                    throw MetaLearnersError(
                        .invalidArgument, at: path,
                        "is of another search: spec, space, seed, data or version differ",
                        remedy: "resume with what the run was started with, or start anew without --resume")
                }
                entries = Array(lines.dropFirst())
            } else if !bytes.isEmpty {
                throw MetaLearnersError(
                    .invalidArgument, at: path, "is no journal of a search",
                    remedy: "start anew without --resume, or name another file")
            }
        }
        guard ftruncate(opened, off_t(kept)) == 0, lseek(opened, off_t(kept), SEEK_SET) >= 0 else {
            throw failure("cannot be written")
        }
        if kept == 0 {
            try append(["format": .string(Self.format), "search": .string(fingerprint)])
        }
        return entries
    }

    /// Writes a line.
    ///
    /// - Throws: `inputOutput`.
    func append(_ entry: SpecObject) throws(MetaLearnersError) {
        let bytes = Array((SpecValue.object(entry).json() + "\n").utf8)
        let written = descriptor.withLock { descriptor in
            guard descriptor >= 0 else { return true }
            var done = 0
            while done < bytes.count {
                let count = bytes.withUnsafeBytes {
                    write(descriptor, $0.baseAddress.map { $0 + done }, bytes.count - done)
                }
                if count < 0 {
                    if errno == EINTR { continue }
                    return false
                }
                done += count
            }
            return true
        }
        guard written else { throw failure("cannot be written") }
    }

    /// Takes the file away, once the results are where they belong.
    public func remove() { unlink(path) }

    private func failure(_ problem: String) -> MetaLearnersError {
        MetaLearnersError(.inputOutput, at: path, "\(problem): \(String(cString: strerror(errno)))")
    }
}
