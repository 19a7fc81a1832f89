import CMetaLearners
import MetaLearnersCore

/// The texts of a chunk, wherever Arrow keeps them.
struct ArrowTexts {
    private let chunk: ArrowChunk
    private let type: ArrowType
    private let place: String
    private let offsets: UnsafeRawPointer?

    init(_ chunk: ArrowChunk, _ type: ArrowType, _ place: String) throws(MetaLearnersError) {
        self.chunk = chunk
        self.type = type
        self.place = place
        offsets = try chunk.buffer(1, place)
    }

    /// The text of a row; nil where it is missing.
    ///
    /// - Throws: `invalidData` for bytes that are nowhere or no UTF-8.
    func callAsFunction(_ row: Int) throws(MetaLearnersError) -> String? {
        guard chunk.isThere(row), let offsets else { return nil }
        let place = chunk.first + row
        let bytes: UnsafeRawBufferPointer
        switch type {
        case .text:
            bytes = try range(
                Int(offsets.loadUnaligned(fromByteOffset: place * 4, as: Int32.self)),
                Int(offsets.loadUnaligned(fromByteOffset: place * 4 + 4, as: Int32.self)))
        case .largeText:
            bytes = try range(
                Int(offsets.loadUnaligned(fromByteOffset: place * 8, as: Int64.self)),
                Int(offsets.loadUnaligned(fromByteOffset: place * 8 + 8, as: Int64.self)))
        default: bytes = try view(offsets + place * 16)
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw refused("row index \(row) of an array is not UTF-8")
        }
        return text
    }

    private func range(_ start: Int, _ end: Int) throws(MetaLearnersError) -> UnsafeRawBufferPointer {
        guard start >= 0, end >= start, AddressSpace.holds(end) else {
            throw refused("a text goes from byte \(start) to byte \(end)")
        }
        guard end > start else { return UnsafeRawBufferPointer(start: nil, count: 0) }
        guard let data = try chunk.buffer(2, place) else { throw refused("there are no texts") }
        return UnsafeRawBufferPointer(start: data + start, count: end - start)
    }

    /// The text of a view: twelve bytes at most stand in it, longer ones in the buffer that it names.
    private func view(_ view: UnsafeRawPointer) throws(MetaLearnersError) -> UnsafeRawBufferPointer {
        let length = Int(view.loadUnaligned(as: Int32.self))
        guard length >= 0 else { throw refused("a text has \(length) bytes") }
        if length <= 12 { return UnsafeRawBufferPointer(start: view + 4, count: length) }
        let number = Int(view.loadUnaligned(fromByteOffset: 8, as: Int32.self))
        let start = Int(view.loadUnaligned(fromByteOffset: 12, as: Int32.self))
        let count = Int(chunk.array.n_buffers) - 3
        guard number >= 0, number < count, start >= 0,
            let sizes = try chunk.buffer(count + 2, place), let data = try chunk.buffer(2 + number, place),
            Int64(start + length) <= sizes.loadUnaligned(fromByteOffset: number * 8, as: Int64.self)
        else { throw refused("a text of \(length) bytes is nowhere") }
        return UnsafeRawBufferPointer(start: data + start, count: length)
    }

    private func refused(_ problem: String) -> MetaLearnersError {
        MetaLearnersError(.invalidData, at: place, problem)
    }
}
