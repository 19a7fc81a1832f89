import MetaLearnersCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Bytes that can be read from the start more than once: a file, or memory.
package struct ByteSource {
    private enum Place {
        case file(path: String)
        case memory([UInt8])
    }

    /// What error messages call the source.
    package let name: String
    /// How many bytes there are, as far as that is known before reading.
    package let byteCount: Int
    private let place: Place
    /// Whether the place holds gzip data, of which the bytes are what they say.
    private(set) var isCompressed = false

    /// Bytes in memory.
    package init(_ bytes: [UInt8], name: String) {
        self.init(name: name, byteCount: bytes.count, place: .memory(bytes))
    }

    private init(name: String, byteCount: Int, place: Place) {
        self.name = name
        self.byteCount = byteCount
        self.place = place
    }

    /// The file at `path`, or standard input for `-`.
    ///
    /// Only regular files can be read twice; all else (standard input, pipes) is read into memory here.
    ///
    /// - Parameters:
    ///   - kind: the kind of error where the file cannot be read.
    ///   - limit: how many bytes make sense; nil for any number.
    ///   - mayBeCompressed: whether gzip data are welcome.
    /// - Throws: an error of `kind` where the file is not there, cannot be read, is larger than `limit`, or is no regular
    ///   file and holds a NUL, as no text does; `outOfMemory`.
    package init(
        path: String, kind: MetaLearnersError.Kind, limit: Int? = nil, mayBeCompressed: Bool = false
    ) throws(MetaLearnersError) {
        if path == "-" {
            let name = "standard input"
            self.init(
                try Self.contents(of: 0, name: name, kind: kind, limit: limit, mayBeCompressed), name: name)
            return
        }
        let descriptor = try Self.open(path, kind: kind)
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw PieceReader.failure(path, kind) }
        switch status.st_mode & S_IFMT {
        case S_IFREG:
            if let limit, Int(status.st_size) > limit { throw Self.tooLarge(path, kind, limit) }
            self.init(name: path, byteCount: Int(status.st_size), place: .file(path: path))
        case S_IFDIR:
            throw MetaLearnersError(kind, at: path, "is a directory, not a file")
        default:
            self.init(
                try Self.contents(of: descriptor, name: path, kind: kind, limit: limit, mayBeCompressed),
                name: path)
        }
    }

    /// The same bytes, or where they are gzip data, what these say: told by their beginning, whatever the file is called.
    ///
    /// - Throws: `inputOutput`.
    package func decompressed() throws(MetaLearnersError) -> ByteSource {
        guard !isCompressed, GzipInflater.recognises(try start(2)) else { return self }
        var source = ByteSource(name: name, byteCount: 0, place: place)
        source.isCompressed = true
        return source
    }

    /// The first bytes, `count` of them where there are as many.
    ///
    /// - Throws: what `forEachPiece` throws.
    package func start(_ count: Int) throws(MetaLearnersError) -> [UInt8] {
        var bytes: [UInt8] = []
        try forEachPiece { piece throws(MetaLearnersError) in
            bytes += piece.prefix(count - bytes.count)
            return bytes.count < count
        }
        return bytes
    }

    /// Reads the bytes from the first one on, piece by piece.
    ///
    /// - Throws: `inputOutput`, `outOfMemory`.
    func pieces() throws(MetaLearnersError) -> PieceReader {
        let input: PieceReader.Input =
            switch place {
            case .memory(let bytes): .memory(bytes)
            case .file(let path): .descriptor(try Self.open(path, kind: .inputOutput), closes: true)
            }
        return try PieceReader(input, name: name, kind: .inputOutput, isCompressed: isCompressed)
    }

    /// Calls `body` with one piece after another until it returns false.
    ///
    /// - Throws: `inputOutput`, `invalidData` for damaged gzip data, and what `body` throws.
    package func forEachPiece(
        _ body: (UnsafeRawBufferPointer) throws(MetaLearnersError) -> Bool
    ) throws(MetaLearnersError) {
        let pieces = try pieces()
        while let piece = try pieces.next() {
            guard try body(piece) else { return }
        }
    }

    /// All bytes.
    package func bytes() throws(MetaLearnersError) -> [UInt8] {
        if case .memory(let bytes) = place, !isCompressed { return bytes }
        var all: [UInt8] = []
        try AvailableMemory.require(byteCount, for: "the file", at: name)
        all.reserveCapacity(byteCount)
        try forEachPiece { piece throws(MetaLearnersError) in
            all.append(contentsOf: piece)
            return true
        }
        return all
    }

    /// Whether there is a regular file at `path`.
    static func isRegularFile(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
    }

    private static func open(_ path: String, kind: MetaLearnersError.Kind) throws(MetaLearnersError) -> Int32
    {
        let descriptor = openForReading(path)
        guard descriptor >= 0 else { throw PieceReader.failure(path, kind) }
        return descriptor
    }

    private static func tooLarge(_ name: String, _ kind: MetaLearnersError.Kind, _ limit: Int)
        -> MetaLearnersError
    {
        MetaLearnersError(kind, at: name, "is larger than \(limit >> 20) MiB: it is not what it is taken for")
    }

    private static func contents(
        of descriptor: Int32, name: String, kind: MetaLearnersError.Kind, limit: Int?,
        _ mayBeCompressed: Bool
    ) throws(MetaLearnersError) -> [UInt8] {
        var all: [UInt8] = []
        var isCompressed = false
        let pieces = try PieceReader(.descriptor(descriptor, closes: false), name: name, kind: kind)
        while let piece = try pieces.next() {
            // What comes from a device may never end.
            if all.isEmpty { isCompressed = mayBeCompressed && GzipInflater.recognises(piece) }
            guard
                isCompressed || !piece.contains(0) || piece.starts(with: [0xFF, 0xFE])
                    || piece.starts(with: [0xFE, 0xFF])
            else {
                throw MetaLearnersError(kind, at: name, "holds a NUL: it is no text")
            }
            let count = all.count + piece.count
            if let limit, count > limit { throw tooLarge(name, kind, limit) }
            if count > all.capacity {
                try AvailableMemory.require(2 * count, for: "what is read", at: name)
                all.reserveCapacity(2 * count)
            }
            all.append(contentsOf: piece)
        }
        return all
    }
}

private func openForReading(_ path: String) -> Int32 { open(path, O_RDONLY | O_CLOEXEC) }
