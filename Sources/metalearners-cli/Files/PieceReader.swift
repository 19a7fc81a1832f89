import MetaLearnersCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Reads bytes piece by piece as whoever has it asks for them; gzip data are taken apart on the way.
final class PieceReader {
    /// Where the bytes come from.
    enum Input {
        case memory([UInt8])
        /// A file that is open, and closed once nobody needs it any more where `closes` says so.
        case descriptor(Int32, closes: Bool)
    }

    private let name: String
    private let kind: MetaLearnersError.Kind
    private let input: Input
    private let inflater: GzipInflater?
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 16)
    /// How many bytes in memory are read.
    private var position = 0

    /// - Parameters:
    ///   - name: what errors call the bytes.
    ///   - kind: the kind of error where they cannot be read.
    /// - Throws: `outOfMemory`.
    init(_ input: Input, name: String, kind: MetaLearnersError.Kind, isCompressed: Bool = false)
        throws(MetaLearnersError)
    {
        self.input = input
        self.name = name
        self.kind = kind
        inflater = isCompressed ? try GzipInflater(name: name) : nil
    }

    deinit {
        if case .descriptor(let descriptor, closes: true) = input { close(descriptor) }
        buffer.deallocate()
    }

    /// The next piece, which is there until the next one is asked for; nil at the end.
    ///
    /// - Throws: an error of the reader's kind, `invalidData` for damaged gzip data, `cancelled`.
    func next() throws(MetaLearnersError) -> UnsafeRawBufferPointer? {
        while true {
            if let part = try inflater?.next() { return part }
            let count = try read()
            guard count > 0 else {
                try inflater?.finish()
                return nil
            }
            let piece = UnsafeRawBufferPointer(rebasing: buffer[..<count])
            guard let inflater else { return piece }
            inflater.begin(piece)
        }
    }

    /// Puts the next bytes into the buffer.
    ///
    /// - Returns: how many these are.
    private func read() throws(MetaLearnersError) -> Int {
        switch input {
        case .memory(let bytes):
            let count = min(buffer.count, bytes.count - position)
            bytes[position..<position + count].withUnsafeBytes { buffer.copyMemory(from: $0) }
            position += count
            return count
        case .descriptor(let descriptor, _):
            while true {
                try Self.waitForInput(descriptor)
                let count = systemRead(descriptor, buffer)
                if count >= 0 { return count }
                guard errno == EINTR else { throw Self.failure(name, kind) }
            }
        }
    }

    /// The error of a file that cannot be read, by `errno`.
    static func failure(_ path: String, _ kind: MetaLearnersError.Kind) -> MetaLearnersError {
        let reason =
            errno == ENOENT ? "there is no such file" : "cannot be read: \(String(cString: strerror(errno)))"
        return MetaLearnersError(kind, at: path, reason)
    }

    /// Waits for something to read, and looks now and then whether the work was cancelled: an interrupt
    /// just before a call to `read` would not end it.
    private static func waitForInput(_ descriptor: Int32) throws(MetaLearnersError) {
        var request = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        repeat {
            if Interruption.token.isCancelled {
                throw MetaLearnersError(.cancelled, "the work was cancelled")
            }
        } while poll(&request, 1, 100) == 0
    }
}

private func systemRead(_ descriptor: Int32, _ buffer: UnsafeMutableRawBufferPointer) -> Int {
    read(descriptor, buffer.baseAddress, buffer.count)
}
