import CMetaLearners
import MetaLearnersCore

/// Structures of Arrow that were taken over. Their release functions are called once, when nothing points into them any more.
final class ArrowStructures: @unchecked Sendable {  // Nothing is written once the structures have been read.
    fileprivate(set) var schema = ArrowSchema()
    private(set) var arrays: [ArrowArray] = []

    /// Takes over a schema; a NULL is none.
    func take(_ schema: UnsafeMutablePointer<ArrowSchema>?) {
        if let schema { self.schema = Self.taken(schema) { $0.release = nil } }
    }

    /// Takes over an array; a NULL is none.
    func take(_ array: UnsafeMutablePointer<ArrowArray>?) {
        if let array { arrays.append(Self.taken(array) { $0.release = nil }) }
    }

    deinit {
        for var array in arrays { array.release?(&array) }
        schema.release?(&schema)
    }

    static func released(_ what: String) -> MetaLearnersError {
        MetaLearnersError(
            .invalidArgument, at: what, "was released already", remedy: "give each structure once")
    }

    /// A copy of a structure, which is left behind as released.
    static func taken<Structure: BitwiseCopyable>(
        _ pointer: UnsafeMutablePointer<Structure>, _ release: (inout Structure) -> Void
    ) -> Structure {
        let bytes = UnsafeMutableRawPointer(pointer)
        let copy = bytes.loadUnaligned(as: Structure.self)
        var rest = copy
        release(&rest)
        bytes.storeBytes(of: rest, as: Structure.self)
        return copy
    }
}

/// A stream of Arrow that was taken over. It is released once.
final class ArrowStream {
    private var stream: ArrowArrayStream

    /// Takes over a stream.
    init(taking stream: UnsafeMutablePointer<ArrowArrayStream>) {
        self.stream = ArrowStructures.taken(stream) { $0.release = nil }
    }

    deinit { stream.release?(&stream) }

    /// The schema of the stream and its arrays.
    ///
    /// - Throws: what the stream says; `invalidData` for functions that are NULL and for more rows than a table can have.
    func read() throws(MetaLearnersError) -> ArrowStructures {
        guard stream.release != nil else { throw ArrowStructures.released("stream") }
        guard let getSchema = stream.get_schema, let getNext = stream.get_next else {
            throw MetaLearnersError(.invalidData, at: "stream", "a function of it is NULL")
        }
        let made = ArrowStructures()
        try check(getSchema(&stream, &made.schema))
        guard made.schema.release != nil else { throw ArrowStructures.released("schema of the stream") }
        var rows: Int64 = 0
        while true {
            var array = ArrowArray()
            try check(getNext(&stream, &array))
            guard array.release != nil else { return made }
            // A chunk without rows is of no use, and there may be any number of them.
            if array.length == 0, !made.arrays.isEmpty {
                array.release?(&array)
                continue
            }
            made.take(&array)
            rows += min(max(array.length, 0), Int64(Int32.max))
            guard rows <= Int64(Int32.max) else {
                throw MetaLearnersError(.invalidData, at: "stream", "has more than 2147483647 rows")
            }
        }
    }

    private func check(_ status: Int32) throws(MetaLearnersError) {
        guard status != 0 else { return }
        let text = stream.get_last_error?(&stream).flatMap { String(validatingCString: $0) }
        throw MetaLearnersError(
            .inputOutput, at: "stream", text ?? "a function of it failed with the error \(status)")
    }
}

/// What a column of Arrow is made of.
enum ArrowType: Equatable {
    case numbers(StridedValues.Element)
    case half
    case bool
    case text
    case largeText
    case textView
    case nothing

    /// - Throws: `invalidData` for NULL, `unsupported` for any other format.
    init(_ format: UnsafePointer<CChar>?, _ place: String) throws(MetaLearnersError) {
        guard let format else { throw MetaLearnersError(.invalidData, at: place, "its format is NULL") }
        let text = String(cString: format)
        switch text {
        case "n": self = .nothing
        case "b": self = .bool
        case "c": self = .numbers(.int8)
        case "C": self = .numbers(.uint8)
        case "s": self = .numbers(.int16)
        case "S": self = .numbers(.uint16)
        case "i": self = .numbers(.int32)
        case "I": self = .numbers(.uint32)
        case "l": self = .numbers(.int64)
        case "L": self = .numbers(.uint64)
        case "e": self = .half
        case "f": self = .numbers(.float32)
        case "g": self = .numbers(.float64)
        case "u": self = .text
        case "U": self = .largeText
        case "vu": self = .textView
        default:
            let (what, remedy) = Self.explanation(of: text)
            throw MetaLearnersError(
                .unsupported, at: place, "\(what) cannot be used (Arrow's format '\(text)')", remedy: remedy)
        }
    }

    /// What a format that is not read stands for, and what to make of it.
    private static func explanation(of format: String) -> (what: String, remedy: String) {
        let span = "make a number of them, such as the days since a date, or leave the column out"
        if format.hasPrefix("td") { return ("dates", span) }
        if format.hasPrefix("ts") { return ("times of day and date", span) }
        if format.hasPrefix("tt") {
            return ("times of day", "make a number of them, such as the hour, or leave the column out")
        }
        if format.hasPrefix("tD") || format.hasPrefix("ti") {
            return ("spans of time", "make a number of them, such as days, or leave the column out")
        }
        if format.hasPrefix("d:") { return ("decimals", "cast them to doubles") }
        if format.hasPrefix("+") {
            return ("lists and structures", "make a column of each part, or leave the column out")
        }
        return ("values of this type", "cast them to numbers or to text, or leave the column out")
    }

    /// How many buffers an array has, the validity included.
    var bufferCounts: ClosedRange<Int64> {
        switch self {
        // Polars hands over an empty place for the validity.
        case .nothing: 0...1
        case .numbers, .half, .bool: 2...2
        case .text, .largeText: 3...3
        case .textView: 3...(1 << 20)
        }
    }
}

/// Consecutive values of a column in one array.
struct ArrowChunk {
    let array: ArrowArray
    /// Where the values begin, and how many they are.
    let first: Int
    let rows: Int
    /// A bit for each value that is there, counted from the beginning of the buffer; nil where all are.
    let validity: UnsafePointer<UInt8>?

    /// - Parameters:
    ///   - skipped: values that the array above leaves out at the beginning.
    ///   - rows: how many of the rest it uses; nil for all.
    /// - Throws: `invalidData` for sizes and buffers that cannot be.
    init(_ array: ArrowArray, _ type: ArrowType, skipping skipped: Int = 0, rows: Int? = nil, _ place: String)
        throws(MetaLearnersError)
    {
        func refused(_ problem: String) -> MetaLearnersError {
            MetaLearnersError(.invalidData, at: place, problem)
        }
        let (length, offset) = try Self.size(of: array, place)
        guard skipped <= length, rows ?? 0 <= length - skipped else {
            throw refused("an array has \(length) values, fewer than the table has rows")
        }
        guard type.bufferCounts.contains(array.n_buffers) else {
            throw refused("an array has \(array.n_buffers) buffers, not \(type.bufferCounts.lowerBound)")
        }
        guard array.buffers != nil || array.n_buffers == 0 else { throw refused("the buffers are NULL") }
        guard array.null_count >= -1, array.null_count <= array.length else {
            throw refused("an array of \(length) values has \(array.null_count) nulls")
        }
        self.array = array
        first = offset + skipped
        self.rows = rows ?? length - skipped
        guard type != .nothing else {
            validity = nil
            return
        }
        let bits = array.buffers.flatMap { StructView.element(UnsafePointer($0), 0) }?
            .assumingMemoryBound(to: UInt8.self)
        guard bits != nil || array.null_count <= 0 else { throw refused("nulls have no validity buffer") }
        var hasNulls = false
        if array.null_count != 0, let bits {
            for row in first..<first + self.rows where !Self.bit(bits, row) { hasNulls = true }
        }
        validity = hasNulls ? bits : nil
    }

    /// The length and the offset of an array.
    ///
    /// - Throws: `invalidData` where they cannot be.
    static func size(of array: ArrowArray, _ place: String) throws(MetaLearnersError) -> (Int, Int) {
        guard array.length >= 0, array.length <= Int64(Int32.max), array.offset >= 0,
            array.offset <= Int64(UInt32.max), array.n_children >= 0
        else {
            throw MetaLearnersError(
                .invalidData, at: place,
                "an array has the length \(array.length), the offset \(array.offset) and \(array.n_children) children"
            )
        }
        return (Int(array.length), Int(array.offset))
    }

    /// A buffer; nil only where there are no rows.
    ///
    /// - Throws: `invalidData` for NULL where there are rows.
    func buffer(_ index: Int, _ place: String) throws(MetaLearnersError) -> UnsafeRawPointer? {
        guard rows > 0 else { return nil }
        guard let buffers = array.buffers, let buffer = StructView.element(UnsafePointer(buffers), index)
        else { throw MetaLearnersError(.invalidData, at: place, "buffer \(index) of an array is NULL") }
        return buffer
    }

    /// Whether the value of a row of the chunk is there.
    func isThere(_ row: Int) -> Bool { validity.map { Self.bit($0, first + row) } ?? true }

    static func bit(_ bits: UnsafePointer<UInt8>, _ index: Int) -> Bool {
        bits[index >> 3] >> UInt8(index & 7) & 1 == 1
    }
}
