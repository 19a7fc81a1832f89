import MetaLearnersCore

/// Reads a CSV file into a table.
///
/// The first line names the columns. Fields are separated by commas, or by what the first rows show (by tabs in files called
/// `.tsv` or `.tab`), and may stand in double quotes, where separators, line ends and doubled quotation marks are part of the text.
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

    /// Columns whose fields are kept as they are as well.
    package var keeps: [String] = []

    /// Called with what was found out of the file's dialect, where it is not the usual one.
    package var notice: ((String) -> Void)?
    private let options: CSVDialectOptions
    /// Whether nothing but the columns' kinds and levels is wanted.
    private var isSurvey = false

    /// Creates a reader.
    package init(
        _ rules: ColumnRules = ColumnRules(), _ options: CSVDialectOptions = CSVDialectOptions(),
        progress: ((Int, Int) -> Bool)? = nil
    ) {
        self.rules = rules
        self.options = options
        self.progress = progress
    }

    /// Reads the file at `path`, or standard input for `-`.
    ///
    /// - Throws: `invalidData`, naming the file and the line, for what is no table; `cancelled`, `outOfMemory`.
    package func read(_ path: String) throws(MetaLearnersError) -> Table { try readKeeping(path).table }

    /// The same with the columns that are kept as they are, in the order of `keeps`.
    ///
    /// - Throws: as `read(_:)`, and `invalidData` where one of them is not there.
    package func readKeeping(_ path: String) throws(MetaLearnersError) -> (table: Table, kept: [KeptColumn]) {
        let found = try readFound(path)
        return (found.table, found.kept)
    }

    /// What was found in a file.
    private struct Found {
        let table: Table
        let kept: [KeptColumn]
        let dialect: CSVDialect
        let source: ByteSource
    }

    private func readFound(_ path: String) throws(MetaLearnersError) -> Found {
        var name = path.lowercased()
        if name.hasSuffix(".gz") { name.removeLast(3) }
        var options = options
        if options.separator == nil, name.hasSuffix(".tsv") || name.hasSuffix(".tab") {
            options.separator = UInt8(ascii: "\t")
        }
        return try read(ByteSource(path: path, kind: .invalidData, mayBeCompressed: true), options)
    }

    /// Reads the bytes of `source`.
    ///
    /// - Throws: as `read(_:)`.
    package func read(_ source: ByteSource) throws(MetaLearnersError) -> Table {
        try read(source, options).table
    }

    private func read(_ source: ByteSource, _ options: CSVDialectOptions) throws(MetaLearnersError) -> Found {
        try FileSignature.requireText(source.start(FileSignature.length), at: source.name)
        let source = try source.decompressed()
        let dialect = try dialect(of: source, options)
        var builder = CSVTableBuilder(
            fileName: source.name, rules, decimal: dialect.decimal, keeping: keeps, isSurvey: isSurvey)
        try pass(over: source, dialect.separator, &builder, progress)
        if let mistake = builder.mistake { throw mistake }
        if builder.rowsToRecover > 0 {
            builder.beginRecovery()
            try pass(over: source, dialect.separator, &builder, nil)
        }
        return Found(
            table: try builder.take(allowingNoRows: allowsNoRows), kept: builder.kept, dialect: dialect,
            source: source)
    }

    /// Reads the file at `path` once, for what its columns are, and gives its rows batch by batch.
    ///
    /// - Parameter batchRows: how many rows a batch has, the last one perhaps fewer.
    /// - Throws: as `read(_:)`; `invalidArgument` for what can be read only once, such as standard input.
    package func stream(_ path: String, batchRows: Int = 65_536) throws(MetaLearnersError) -> any RowSource {
        try pieces(of: path, batchRows: batchRows)
    }

    /// The same, with what is known of the columns.
    func pieces(of path: String, batchRows: Int = 65_536) throws(MetaLearnersError) -> CSVRowSource {
        guard ByteSource.isRegularFile(path) else {
            throw MetaLearnersError(
                path == "-" ? .invalidArgument : .invalidData, at: path,
                "cannot be read batch by batch, which takes several readings",
                remedy: "give a file that is there as a whole")
        }
        var surveyor = self
        surveyor.rules = rules.passing
        surveyor.isSurvey = true
        let found = try surveyor.readFound(path)
        return CSVRowSource(
            found.source, found.dialect, schema: found.table, surveyor.rules,
            batchRows: batchRows)
    }

    private func dialect(of source: ByteSource, _ options: CSVDialectOptions) throws(MetaLearnersError)
        -> CSVDialect
    {
        if let separator = options.separator, let decimal = options.decimal {
            return CSVDialect(separator: separator, decimal: decimal)
        }
        let sample = try source.start(CSVDialectFinder.sampleSize)
        let finder = CSVDialectFinder(
            sample, isWhole: sample.count < CSVDialectFinder.sampleSize, name: source.name)
        let dialect = try finder.dialect(options)
        let isFound =
            options.separator == nil && dialect.separator != UInt8(ascii: ",")
            || options.decimal == nil && dialect.decimal != UInt8(ascii: ".")
        if isFound, let note = dialect.note { notice?("\(source.name): \(note)") }
        return dialect
    }

    private func pass(
        over source: ByteSource, _ separator: UInt8, _ builder: inout CSVTableBuilder,
        _ progress: ((Int, Int) -> Bool)?
    ) throws(MetaLearnersError) {
        let pass = try CSVPass(source.name, separator: separator)
        var done = 0
        try source.forEachPiece { piece throws(MetaLearnersError) in
            try AvailableMemory.require(
                builder.room(forPiece: piece.count), for: "the table", at: source.name)
            done += piece.count
            try pass.consume(piece, &builder)
            if let progress, !progress(done, source.byteCount) {
                throw MetaLearnersError(.cancelled, "the work was cancelled")
            }
            return !builder.isSatisfied
        }
        if !builder.isSatisfied { try pass.finish(&builder) }
    }
}
