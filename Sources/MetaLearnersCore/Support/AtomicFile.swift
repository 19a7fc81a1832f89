#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Files that are read whole, and written whole or not at all.
public enum AtomicFile {
    /// Reads a file.
    ///
    /// - Throws: `inputOutput`, with the system's reason.
    public static func read(_ path: String) throws(MetaLearnersError) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure(path, "cannot be opened") }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw failure(path, "cannot be read") }
        guard status.st_mode & S_IFMT != S_IFDIR else {
            throw MetaLearnersError(.inputOutput, at: path, "is a directory")
        }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(max(0, Int(status.st_size)))
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        while true {
            let count = buffer.withUnsafeMutableBytes { systemRead(descriptor, $0.baseAddress, $0.count) }
            if count == 0 { return bytes }
            guard count > 0 else {
                if errno == EINTR { continue }
                throw failure(path, "cannot be read")
            }
            bytes.append(contentsOf: buffer[..<count])
        }
    }

    /// Writes a file: under a temporary name beside it, synchronised, then renamed.
    ///
    /// - Throws: `inputOutput`, with the system's reason; what was there before is then still there.
    public static func write(_ bytes: [UInt8], to path: String) throws(MetaLearnersError) {
        let writer = try AtomicFileWriter(path)
        try writer.append(bytes)
        try writer.commit()
    }

    static func failure(_ path: String, _ problem: String) -> MetaLearnersError {
        MetaLearnersError(.inputOutput, at: path, "\(problem): \(String(cString: strerror(errno)))")
    }
}

// `read` inside the type would be its own method.
private func systemRead(_ descriptor: Int32, _ buffer: UnsafeMutableRawPointer?, _ count: Int) -> Int {
    read(descriptor, buffer, count)
}
