import MetaLearnersCore

/// The rows of a CSV file that does not fit into memory, batch by batch.
///
/// The file was read once before, so that it is known which columns are numbers and which levels texts have: what a column is depends
/// on all of its rows. A file that changes meanwhile gives an error.
final class CSVRowSource: RowSource {
    private let batchRows: Int
    private let source: ByteSource
    private let dialect: CSVDialect
    private let rules: ColumnRules
    /// The columns, without rows.
    let schema: Table
    private var reading: Reading?

    fileprivate struct Reading {
        let pieces: PieceReader
        let pass: CSVPass
        var builder: CSVTableBuilder
        var isAtEnd = false
    }

    /// - Parameters:
    ///   - schema: the columns of the file, without rows, as the first reading found them.
    ///   - rules: what was said of the columns before that.
    ///   - batchRows: how many rows a batch has.
    init(
        _ source: ByteSource, _ dialect: CSVDialect, schema: Table, _ rules: ColumnRules, batchRows: Int
    ) {
        self.batchRows = batchRows
        self.source = source
        self.dialect = dialect
        self.schema = schema
        self.rules = rules.settled(by: schema)
    }

    func restart() throws(MetaLearnersError) {
        reading = nil
        reading = Reading(
            pieces: try source.pieces(), pass: try CSVPass(source.name, separator: dialect.separator),
            builder: CSVTableBuilder(
                fileName: source.name, rules, decimal: dialect.decimal, batchRows: batchRows))
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
            throw MetaLearnersError(.invalidData, at: source.name, "the file changed while it was being read")
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
                try pass.consume(piece, &builder)
            } else {
                isAtEnd = true
                try pass.finish(&builder)
            }
        }
        return try builder.takeBatch()
    }
}
