import MetaLearnersCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// One pass over the bytes of a CSV file, piece by piece, with what is wrong with them in words.
final class CSVPass {
    private let name: String
    private var tokenizer: CSVTokenizer
    private var isAtStart = true

    /// - Throws: `outOfMemory`.
    init(_ name: String, separator: UInt8) throws(MetaLearnersError) {
        self.name = name
        tokenizer = try CSVTokenizer(separator: separator)
    }

    /// Gives the fields of the next piece to `builder`.
    ///
    /// - Throws: `invalidData`, naming the line.
    func consume(_ piece: UnsafeRawBufferPointer, _ builder: inout CSVTableBuilder) throws(MetaLearnersError)
    {
        let bytes = isAtStart ? try Self.withoutMark(piece, name) : piece
        isAtStart = false
        // Some other kind of file, or one with holes, may be endless for all practical purposes.
        guard piece.baseAddress.map({ memchr($0, 0, piece.count) == nil }) ?? true else {
            throw builder.error(
                line: builder.rowLine, "it holds a NUL: this is no text, or not all of it",
                remedy: "save the table as CSV in UTF-8")
        }
        guard try tokenizer.consume(bytes, &builder) else {
            if let failure = builder.failure { throw failure }
            throw builder.error(
                line: builder.rowLine, "a quotation mark stands where none may",
                remedy: "put the whole field into double quotes and double the marks within it")
        }
        if let failure = builder.failure { throw failure }
    }

    /// Gives the last field to `builder`, once there are no more pieces.
    ///
    /// - Throws: `invalidData`, naming the line.
    func finish(_ builder: inout CSVTableBuilder) throws(MetaLearnersError) {
        let line = builder.rowLine
        guard tokenizer.finish(&builder) else {
            throw builder.error(
                line: line, "the file ends within a quoted field of the row that begins here",
                remedy: "the file seems to be cut short")
        }
        if let failure = builder.failure { throw failure }
    }

    /// The piece without a UTF-8 byte-order mark at its start.
    private static func withoutMark(_ piece: UnsafeRawBufferPointer, _ name: String) throws(MetaLearnersError)
        -> UnsafeRawBufferPointer
    {
        if piece.starts(with: [0xEF, 0xBB, 0xBF]) { return UnsafeRawBufferPointer(rebasing: piece[3...]) }
        if piece.starts(with: [0xFF, 0xFE]) || piece.starts(with: [0xFE, 0xFF]) {
            throw MetaLearnersError(
                .invalidData, at: name, "the text is UTF-16", remedy: "save the file in UTF-8")
        }
        return piece
    }
}
