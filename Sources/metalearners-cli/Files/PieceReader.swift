import MetaLearnersCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Reads a file piece by piece as whoever has it asks for them; gzip data are taken apart on the way.
final class PieceReader {
    private let name: String
    private let descriptor: Int32
    private let inflater: GzipInflater?
    private var buffer = [UInt8](repeating: 0, count: 1 << 18)
    /// What the last piece of the file said, as far as nobody has it yet.
    private var waiting: [[UInt8]] = []

    /// Begins with the first byte of the file at `path`.
    ///
    /// - Throws: `inputOutput`, `outOfMemory`.
    init(_ path: String, isCompressed: Bool) throws(MetaLearnersError) {
        name = path
        inflater = isCompressed ? try GzipInflater(name: path) : nil
        descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw MetaLearnersError(
                .inputOutput, at: path, "cannot be read: \(String(cString: strerror(errno)))")
        }
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    /// The next piece; nil at the end.
    ///
    /// - Throws: `inputOutput`, `invalidData` for damaged gzip data, `cancelled`.
    func next() throws(MetaLearnersError) -> [UInt8]? {
        while waiting.isEmpty {
            if Interruption.token.isCancelled {
                throw MetaLearnersError(.cancelled, "the work was cancelled")
            }
            let count = buffer.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
            if count < 0 {
                if errno == EINTR { continue }
                throw MetaLearnersError(
                    .inputOutput, at: name, "cannot be read: \(String(cString: strerror(errno)))")
            }
            guard count > 0 else {
                try inflater?.finish()
                return nil
            }
            guard let inflater else { return Array(buffer[..<count]) }
            var said: [[UInt8]] = []
            let piece = Array(buffer[..<count])
            let result = piece.withUnsafeBytes { bytes -> Result<Bool, MetaLearnersError> in
                do throws(MetaLearnersError) {
                    return .success(
                        try inflater.consume(bytes) { part throws(MetaLearnersError) in
                            said.append(Array(part))
                            return true
                        })
                } catch {
                    return .failure(error)
                }
            }
            _ = try result.get()
            waiting = said
        }
        return waiting.removeFirst()
    }
}
