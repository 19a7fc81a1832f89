import MetaLearnersCore

/// The rows of a CSV file that does not fit into memory, batch by batch.
///
/// The file was read once before, so that it is known which columns are numbers and which levels texts have: what a column is depends
/// on all of its rows. A file that changes meanwhile gives an error.
final class CSVRowSource: RowSource {
    private let batchRows: Int
    private let path: String
    private let isCompressed: Bool
    private let dialect: CSVDialect
    private let rules: ColumnRules
    /// The columns, without rows.
    private let schema: Table
    private var reading: Reading?

    fileprivate struct Reading {
        let pieces: PieceReader
        let tokenizer: Tokenizer
        var builder: CSVTableBuilder
        var isAtStart = true
        var isAtEnd = false
    }

    /// Keeps a tokenizer, which cannot be copied.
    fileprivate final class Tokenizer {
        var parser: CSVTokenizer

        init(separator: UInt8) throws(MetaLearnersError) { parser = try CSVTokenizer(separator: separator) }
    }

    /// - Parameters:
    ///   - schema: the columns of the file, without rows, as the first reading found them.
    ///   - rules: what was said of the columns before that.
    ///   - batchRows: how many rows a batch has.
    init(
        _ path: String, isCompressed: Bool, _ dialect: CSVDialect, schema: Table, _ rules: ColumnRules,
        batchRows: Int
    ) {
        self.batchRows = batchRows
        self.path = path
        self.isCompressed = isCompressed
        self.dialect = dialect
        self.schema = schema
        self.rules = rules.settled(by: schema)
    }

    func restart() throws(MetaLearnersError) {
        reading = nil
        reading = Reading(
            pieces: try PieceReader(path, isCompressed: isCompressed),
            tokenizer: try Tokenizer(separator: dialect.separator),
            builder: CSVTableBuilder(
                fileName: path, rules, decimal: dialect.decimal, batchRows: batchRows))
    }

    func next() throws(MetaLearnersError) -> Table? {
        guard var current = reading else { return nil }
        // Nobody else has the builder, so that its arrays are not copied.
        reading = nil
        let batch = try current.nextBatch()
        reading = current
        return try batch.map(settled)
    }

    /// The batch with the levels of the whole file; a text that was not there before means "missing", as those do that the first
    /// reading took for it.
    private func settled(_ batch: Table) throws(MetaLearnersError) -> Table {
        guard batch.columns.map(\.name) == schema.columns.map(\.name) else {
            throw MetaLearnersError(.invalidData, at: path, "the file changed while it was being read")
        }
        var columns: [Column] = []
        for (column, known) in zip(batch.columns, schema.columns) {
            guard let levels = known.levels, let own = column.levels, let codes = column.codes() else {
                columns.append(column)
                continue
            }
            let places = Dictionary(
                levels.enumerated().map { ($1, Int32($0)) }, uniquingKeysWith: { first, _ in first })
            let target = own.map { places[$0] ?? -1 }
            columns.append(
                Column(
                    column.name, codes: StridedValues(codes.map { $0 < 0 ? -1 : target[Int($0)] }),
                    levels: levels))
        }
        return try Table(columns, rowCount: batch.rowCount, places: batch.places)
    }
}

extension CSVRowSource.Reading {
    fileprivate mutating func nextBatch() throws(MetaLearnersError) -> Table? {
        while !isAtEnd, !builder.hasBatch {
            if let piece = try pieces.next() {
                let isFirst = isAtStart
                isAtStart = false
                var ok = false
                let result = piece.withUnsafeBytes { bytes -> MetaLearnersError? in
                    let hasMark = isFirst && bytes.starts(with: [0xEF, 0xBB, 0xBF])
                    do throws(MetaLearnersError) {
                        ok = try tokenizer.parser.consume(
                            hasMark ? UnsafeRawBufferPointer(rebasing: bytes[3...]) : bytes, &builder)
                        return nil
                    } catch {
                        return error
                    }
                }
                if let result { throw result }
                if let failure = builder.failure { throw failure }
                guard ok else {
                    throw builder.error(
                        line: builder.rowLine, "a quotation mark stands where none may",
                        remedy: "put the whole field into double quotes and double the marks within it")
                }
            } else {
                isAtEnd = true
                let ended = tokenizer.parser.finish(&builder)
                if let failure = builder.failure { throw failure }
                guard ended else {
                    throw builder.error(
                        line: builder.rowLine, "the file ends within a quoted field",
                        remedy: "the file seems to be cut short")
                }
            }
        }
        return try builder.takeBatch()
    }
}
