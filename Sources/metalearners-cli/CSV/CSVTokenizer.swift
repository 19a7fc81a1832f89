import CCSV
import MetaLearnersCore

/// Splits bytes into rows and fields by libcsv, in its strict mode, and hands them to a table builder.
struct CSVTokenizer: ~Copyable {
    private var parser = csv_parser()

    /// Creates a tokenizer.
    ///
    /// - Throws: `outOfMemory`.
    init(separator: UInt8) throws(MetaLearnersError) {
        // Every line end is reported, those of blank lines too, so that lines can be counted.
        guard csv_init(&parser, UInt8(CSV_STRICT | CSV_STRICT_FINI | CSV_REPALL_NL)) == 0 else {
            throw MetaLearnersError(.outOfMemory, "the CSV parser cannot start")
        }
        csv_set_delim(&parser, separator)
    }

    deinit {
        var parser = parser
        csv_free(&parser)
    }

    /// Splits one more piece.
    ///
    /// - Returns: false where a quotation mark stands where none may.
    /// - Throws: `outOfMemory`.
    mutating func consume(_ bytes: UnsafeRawBufferPointer, _ builder: inout CSVTableBuilder)
        throws(MetaLearnersError) -> Bool
    {
        guard !bytes.isEmpty else { return true }
        let consumed = withUnsafeMutablePointer(to: &builder) {
            csv_parse(&parser, bytes.baseAddress, bytes.count, receiveField, receiveRowEnd, $0)
        }
        if consumed == bytes.count { return true }
        if csv_error(&parser) != CSV_EPARSE {
            throw MetaLearnersError(.outOfMemory, "a field of the CSV file is too long for the memory")
        }
        return false
    }

    /// Ends the last row.
    ///
    /// - Returns: false where the file ends within a quoted field.
    mutating func finish(_ builder: inout CSVTableBuilder) -> Bool {
        withUnsafeMutablePointer(to: &builder) {
            csv_fini(&parser, receiveField, receiveRowEnd, $0) == 0
        }
    }
}

private func receiveField(
    _ bytes: UnsafeMutableRawPointer?, _ count: Int, _ context: UnsafeMutableRawPointer?
) {
    guard let context else { return }
    let start = bytes.map { UnsafePointer($0.assumingMemoryBound(to: UInt8.self)) }
    context.assumingMemoryBound(to: CSVTableBuilder.self).pointee
        .receiveField(UnsafeBufferPointer(start: start, count: start == nil ? 0 : count))
}

private func receiveRowEnd(_ terminator: Int32, _ context: UnsafeMutableRawPointer?) {
    guard let context else { return }
    context.assumingMemoryBound(to: CSVTableBuilder.self).pointee
        .receiveRowEnd(terminator < 0 ? nil : UInt8(truncatingIfNeeded: terminator))
}
