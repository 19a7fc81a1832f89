import MetaLearnersCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Reads a CSV file into a table.
///
/// The first line names the columns. Fields are separated by commas (by tabs in files called `.tsv` or `.tab`)
/// and may stand in double quotes, where separators, line ends and doubled quotation marks are part of the text.
/// Lines end in LF, CR LF or CR; a byte-order mark, blank lines and blanks around unquoted fields are skipped.
/// Empty fields and the usual spellings (`FieldSpelling`) are missing. A column is numeric where every field that is not
/// missing is a number, else it is a category whose levels are the texts as written, `true` and `false` among them; where
/// nearly all fields are numbers, the others are taken for mistakes and refused. `ColumnRules` say which columns are
/// labels, numbers or of no interest.
///
/// Numbers are kept in the narrowest type that holds a whole column exactly. Complexity: one pass over the bytes;
/// a second one, over the first rows only, for columns whose first fields were numbers and a later one was not.
package struct CSVReader {
    /// Called with the bytes read so far and their total, where that is known; returning false cancels.
    package var progress: ((Int, Int) -> Bool)?
    /// What is known of the columns beforehand.
    package var rules: ColumnRules
    /// Whether a header alone is a table too, one without rows.
    package var allowsNoRows = false

    /// Creates a reader.
    package init(_ rules: ColumnRules = ColumnRules(), progress: ((Int, Int) -> Bool)? = nil) {
        self.rules = rules
        self.progress = progress
    }

    /// Reads the file at `path`, or standard input for `-`.
    ///
    /// - Throws: `invalidData`, naming the file and the line, for what is no table; `cancelled`, `outOfMemory`.
    package func read(_ path: String) throws(MetaLearnersError) -> Table {
        let name = path.lowercased()
        let isTabbed = name.hasSuffix(".tsv") || name.hasSuffix(".tab")
        return try read(
            ByteSource(path: path, kind: .invalidData),
            separator: isTabbed ? UInt8(ascii: "\t") : UInt8(ascii: ","))
    }

    /// Reads the bytes of `source`.
    ///
    /// - Throws: as `read(_:)`.
    package func read(_ source: ByteSource, separator: UInt8 = UInt8(ascii: ",")) throws(MetaLearnersError)
        -> Table
    {
        var builder = CSVTableBuilder(fileName: source.name, rules)
        try pass(over: source, separator, &builder, progress)
        if let mistake = builder.mistake { throw mistake }
        if builder.rowsToRecover > 0 {
            builder.beginRecovery()
            try pass(over: source, separator, &builder, nil)
        }
        return try builder.take(allowingNoRows: allowsNoRows)
    }

    private func pass(
        over source: ByteSource, _ separator: UInt8, _ builder: inout CSVTableBuilder,
        _ progress: ((Int, Int) -> Bool)?
    ) throws(MetaLearnersError) {
        var tokenizer = try CSVTokenizer(separator: separator)
        var done = 0
        try source.forEachPiece { piece throws(MetaLearnersError) in
            let bytes = done == 0 ? try Self.withoutMark(piece, source.name) : piece
            // Some other kind of file, or one with holes, may be endless for all practical purposes.
            guard piece.baseAddress.map({ memchr($0, 0, piece.count) == nil }) ?? true else {
                throw builder.error(
                    line: builder.rowLine, "it holds a NUL: this is no text, or not all of it",
                    remedy: "save the table as CSV in UTF-8")
            }
            done += piece.count
            guard try tokenizer.consume(bytes, &builder) else {
                if let failure = builder.failure { throw failure }
                throw builder.error(
                    line: builder.rowLine, "a quotation mark stands where none may",
                    remedy: "put the whole field into double quotes and double the marks within it")
            }
            if let progress, !progress(done, source.byteCount) {
                throw MetaLearnersError(.cancelled, "the work was cancelled")
            }
            return !builder.isSatisfied
        }
        if let failure = builder.failure { throw failure }
        guard !builder.isSatisfied else { return }
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
