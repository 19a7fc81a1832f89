import CZLIB
import MetaLearnersCore

/// Takes gzip data apart piece by piece, by zlib; several members one after another are one text, as gzip has it.
final class GzipInflater {
    /// Whether `bytes` begin as gzip data do.
    static func recognises(_ bytes: some Collection<UInt8>) -> Bool { bytes.starts(with: [0x1F, 0x8B]) }

    private static let pieceSize = 1 << 18

    private let name: String
    private let stream: UnsafeMutablePointer<z_stream>
    private let output = UnsafeMutableRawBufferPointer.allocate(byteCount: pieceSize, alignment: 16)
    /// Whether a member has ended and no other has begun.
    private var isBetweenMembers = false
    private var isPadding = false
    /// Whether the last piece may have more to say.
    private var hasMore = false

    /// Begins with the data of the file called `name`.
    ///
    /// - Throws: `outOfMemory`.
    init(name: String) throws(MetaLearnersError) {
        self.name = name
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        guard mtlr_begin_gzip(stream) == Z_OK else {
            throw MetaLearnersError(.outOfMemory, at: name, "there is no memory to decompress it")
        }
    }

    deinit {
        inflateEnd(stream)
        stream.deallocate()
        output.deallocate()
    }

    /// Takes in one more piece, which must be there until `next` has said all that it says.
    func begin(_ piece: UnsafeRawBufferPointer) {
        hasMore = true
        stream.pointee.next_in = UnsafeMutablePointer(
            mutating: piece.baseAddress?.assumingMemoryBound(to: UInt8.self))
        stream.pointee.avail_in = UInt32(clamping: piece.count)
    }

    /// What the piece says next, there until the next call; nil once that is all.
    ///
    /// - Throws: `invalidData` where the data are damaged, `outOfMemory`.
    func next() throws(MetaLearnersError) -> UnsafeRawBufferPointer? {
        while hasMore {
            if isBetweenMembers, try !beginsMember() { break }
            stream.pointee.next_out = output.baseAddress?.assumingMemoryBound(to: UInt8.self)
            stream.pointee.avail_out = UInt32(clamping: output.count)
            let status = inflate(stream, Z_NO_FLUSH)
            let produced = output.count - Int(stream.pointee.avail_out)
            switch status {
            case Z_OK: break
            case Z_STREAM_END: isBetweenMembers = true
            case Z_BUF_ERROR: hasMore = false  // It needs the next piece.
            case Z_MEM_ERROR:
                throw MetaLearnersError(.outOfMemory, at: name, "there is no memory to decompress it")
            default: throw damaged(stream.pointee.msg.map { String(cString: $0) } ?? "error \(status)")
            }
            if produced > 0 { return UnsafeRawBufferPointer(rebasing: output[..<produced]) }
        }
        hasMore = false
        return nil
    }

    /// Ends the data.
    ///
    /// - Throws: `invalidData` where they are cut short.
    func finish() throws(MetaLearnersError) {
        guard isBetweenMembers else {
            throw MetaLearnersError(
                .invalidData, at: name, "the gzip data end too early",
                remedy: "the file seems to be cut short")
        }
    }

    /// Whether the rest of the piece begins another member; zeros after the last one are padding.
    private func beginsMember() throws(MetaLearnersError) -> Bool {
        let rest = UnsafeBufferPointer(start: stream.pointee.next_in, count: Int(stream.pointee.avail_in))
        guard let first = rest.first else { return false }
        if isPadding || first == 0 {
            isPadding = true
            guard rest.allSatisfy({ $0 == 0 }) else { throw damaged("something follows its end") }
            return false
        }
        guard first == 0x1F else { throw damaged("something follows its end") }
        inflateReset(stream)
        isBetweenMembers = false
        return true
    }

    private func damaged(_ detail: String) -> MetaLearnersError {
        MetaLearnersError(.invalidData, at: name, "the gzip data are damaged (\(detail))")
    }
}
