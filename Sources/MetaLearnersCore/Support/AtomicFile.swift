#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Files that are read whole, and written whole or not at all.
public enum AtomicFile {
    /// Reads a file.
    ///
    /// - Throws: `inputOutput`, with the system's reason; `outOfMemory` for a file larger than memory.
    public static func read(_ path: String) throws(MetaLearnersError) -> [UInt8] {
        try read(path, beginningWith: [])
    }

    /// Reads a file of a kind that is known by its first bytes. Of one that begins otherwise (a device that never ends, some
    /// huge file) no more than these are read and returned.
    ///
    /// - Throws: as `read(_:)`.
    public static func read(_ path: String, beginningWith magic: [UInt8]) throws(MetaLearnersError) -> [UInt8]
    {
        // A pipe that nobody writes to is empty, and nothing to wait for.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw failure(path, "cannot be opened") }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw failure(path, "cannot be read") }
        guard status.st_mode & S_IFMT != S_IFDIR else {
            throw MetaLearnersError(.inputOutput, at: path, "is a directory")
        }
        _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) & ~O_NONBLOCK)
        var bytes: [UInt8] = []
        try append(from: descriptor, upTo: magic.count, to: &bytes, path)
        guard bytes.elementsEqual(magic) else { return bytes }
        // Only a regular file knows its size beforehand.
        let size = status.st_mode & S_IFMT == S_IFREG ? Int(status.st_size) : 0
        try reserve(size, in: &bytes, path)
        while true {
            if bytes.count == bytes.capacity || bytes.capacity - bytes.count < 1 << 12 {
                // The end of a file whose size is known is found without any more memory.
                try reserve(max(2 * bytes.count, 1 << 16), in: &bytes, path)
            }
            let before = bytes.count
            try append(from: descriptor, upTo: min(bytes.capacity - before, 1 << 24), to: &bytes, path)
            if bytes.count == before { return bytes }
        }
    }

    private static func reserve(_ count: Int, in bytes: inout [UInt8], _ path: String)
        throws(MetaLearnersError)
    {
        guard count > bytes.capacity else { return }
        try AvailableMemory.require(
            count, for: "the file", at: path, remedy: "is it the right one? Raise the limit of memory if so")
        bytes.reserveCapacity(count)
    }

    /// Reads until `count` more bytes are there, or the file ends.
    private static func append(
        from descriptor: Int32, upTo count: Int, to bytes: inout [UInt8], _ path: String
    ) throws(MetaLearnersError) {
        var buffer = [UInt8](repeating: 0, count: min(count, 1 << 18))
        var missing = count
        while missing > 0 {
            let got = buffer.withUnsafeMutableBytes {
                systemRead(descriptor, $0.baseAddress, min($0.count, missing))
            }
            if got == 0 { return }
            guard got > 0 else {
                if errno == EINTR { continue }
                throw failure(path, "cannot be read")
            }
            bytes.append(contentsOf: buffer[..<got])
            missing -= got
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
