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

    /// Takes in one more piece and calls `body` with what it says, until that returns false.
    ///
    /// - Returns: whether `body` wants more.
    /// - Throws: `invalidData` where the data are damaged, and what `body` throws.
    func consume(
        _ piece: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) throws(MetaLearnersError) -> Bool
    ) throws(MetaLearnersError) -> Bool {
        stream.pointee.next_in = UnsafeMutablePointer(
            mutating: piece.baseAddress?.assumingMemoryBound(to: UInt8.self))
        stream.pointee.avail_in = UInt32(clamping: piece.count)
        while true {
            if isBetweenMembers {
                guard try beginsMember() else { return true }
            }
            stream.pointee.next_out = output.baseAddress?.assumingMemoryBound(to: UInt8.self)
            stream.pointee.avail_out = UInt32(clamping: output.count)
            let status = inflate(stream, Z_NO_FLUSH)
            let produced = output.count - Int(stream.pointee.avail_out)
            if produced > 0,
                !(try body(UnsafeRawBufferPointer(rebasing: output[..<produced])))
            {
                return false
            }
            switch status {
            case Z_OK: continue
            case Z_STREAM_END: isBetweenMembers = true
            case Z_BUF_ERROR: return true  // It needs the next piece.
            case Z_MEM_ERROR:
                throw MetaLearnersError(.outOfMemory, at: name, "there is no memory to decompress it")
            default: throw damaged(stream.pointee.msg.map { String(cString: $0) } ?? "error \(status)")
            }
        }
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
