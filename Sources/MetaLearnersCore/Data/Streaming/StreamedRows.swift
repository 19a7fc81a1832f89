/// Rows that are read batch by batch, after the first reading: what is known of them but for the numbers of the covariates.
///
/// Treatment, outcome, weights, clusters and known propensities are kept. Of categories the levels are known, with how many rows have
/// each. Numbers are read again by `read(_:)`, as often as needed, and each time it is checked that they are the same.
package final class StreamedRows {
    /// A column to learn from.
    package struct Covariate: Sendable {
        package let name: String
        /// The levels of a category, nil for numbers.
        package let levels: [String]?
        /// How many of the rows that have an outcome have each level.
        package let levelCounts: [Int]
        /// Where the column is in each batch.
        let position: Int
        /// The codes of texts; -1 for those that mean "missing".
        let codes: [String: Int32]
        /// The numbers that texts had in the first reading, in the order in which they came.
        let firstCodes: [String: Int32]
        /// What the fingerprint of the column begins with.
        let initialHash: UInt64
        /// Of numbers the fingerprint; of categories what tells the rows of the first reading, by their first codes, from others.
        let knownHash: UInt64
    }

    /// Everything but the covariates.
    package let parts: DatasetParts
    /// The columns to learn from, without those that look like identifiers.
    package let covariates: [Covariate]
    /// How many rows there are, those without an outcome among them.
    package let sourceRowCount: Int
    /// How the work is run.
    package let context: ExecutionContext

    /// How many rows have an outcome.
    package var rowCount: Int { parts.rowCount }

    let source: any RowSource
    let fields: [Field]
    let missing: MissingValues
    let scheduler: Scheduler

    /// A column of every batch.
    struct Field: Equatable {
        let name: String
        let isText: Bool
    }

    /// Reads all rows once.
    ///
    /// - Throws: `invalidData`, `invalidSpec`, `unsupported` for clusters of columns and sparse columns, `cancelled`, `outOfMemory`, and
    ///   what the source throws.
    package init(_ source: any RowSource, _ spec: DataSpec, _ options: ExecutionOptions)
        throws(MetaLearnersError)
    {
        guard options.collective == nil else {
            throw MetaLearnersError(
                .unsupported, at: "collective", "rows of several processes cannot be read batch by batch yet",
                remedy: "read them in one process, or give each process a table")
        }
        let scheduler = Scheduler(options)
        let missing = MissingValues(spec.missingValues)
        var reading: FirstReading?
        try source.restart()
        while let batch = try Self.nextBatch(source, scheduler) {
            guard batch.rowCount > 0 else { continue }
            if reading == nil { reading = try FirstReading(batch, spec, missing) }
            try reading?.add(batch, scheduler.context)
        }
        guard let reading else { throw MetaLearnersError(.invalidData, "there are no rows") }
        self.source = source
        self.missing = missing
        self.scheduler = scheduler
        context = scheduler.context
        fields = reading.fields
        sourceRowCount = reading.rowCount
        var parts = try reading.parts(spec)
        covariates = try reading.covariates(&parts.warnings)
        self.parts = parts
    }

    /// The next batch, whose columns are checked by whoever gets it.
    static func nextBatch(_ source: any RowSource, _ scheduler: Scheduler) throws(MetaLearnersError) -> Table?
    {
        try scheduler.context.checkCancellation()
        return try source.next()
    }

    /// Checks that a batch has the columns of the first one.
    static func require(_ fields: [Field], of batch: Table, after rows: Int) throws(MetaLearnersError) {
        for (index, field) in fields.enumerated() {
            let found = batch.columns.indices.contains(index) ? batch.columns[index] : nil
            guard let found, found.name == field.name, (found.levels != nil) == field.isText else {
                let kind =
                    found.map { column in
                        column.name == field.name
                            ? "is \(field.isText ? "text" : "numbers") in the first batch and \(field.isText ? "numbers" : "text") in the one from row index \(rows) on"
                            : "is '\(column.name)' in the batch from row index \(rows) on"
                    } ?? "is missing in the batch from row index \(rows) on"
                throw MetaLearnersError(
                    .invalidData, at: "column '\(field.name)'", kind,
                    remedy: "give all batches the same columns in the same order, of one kind each")
            }
            guard found.values.sparse == nil else {
                throw MetaLearnersError(
                    .unsupported, at: "column '\(field.name)'",
                    "is sparse, which columns that are read batch by batch cannot be", remedy: "make it dense"
                )
            }
        }
        guard batch.columns.count == fields.count else {
            throw MetaLearnersError(
                .invalidData, at: "column '\(batch.columns[fields.count].name)'",
                "is new in the batch from row index \(rows) on",
                remedy: "give all batches the same columns in the same order, of one kind each")
        }
    }

    /// The rows of a batch that have an outcome; nil where all have, or where rows without one are an error.
    static func keptRows(
        of batch: Table, outcome: Int, _ spec: DataSpec.MissingOutcome, _ missing: MissingValues
    )
        -> [Int32]?
    {
        guard spec == .drop else { return nil }
        let column = missing.marking(batch.columns[outcome])
        let rows = 0..<Int32(batch.rowCount)
        let kept: [Int32]
        if let codes = column.codes() {
            kept = rows.filter { codes[Int($0)] >= 0 }
        } else {
            let numbers = column.values.doubles()
            kept = rows.filter { numbers[Int($0)].isFinite }
        }
        return kept.count == batch.rowCount ? nil : kept
    }
}

/// The first reading on its way.
private struct FirstReading {
    let fields: [StreamedRows.Field]
    private(set) var rowCount = 0
    private let columns: [StreamedColumn]
    private let missing: MissingValues
    private let spec: DataSpec
    private let outcome: Int
    private var rowPlaces = RowPlaces()

    init(_ first: Table, _ spec: DataSpec, _ missing: MissingValues) throws(MetaLearnersError) {
        fields = first.columns.map { StreamedRows.Field(name: $0.name, isText: $0.levels != nil) }
        self.missing = missing
        self.spec = spec
        let treatment = try DatasetParts.required(spec.treatment, key: "treatment")
        _ = try first.requiredColumn(treatment, for: "data.treatment")
        let outcomeName = try DatasetParts.required(spec.outcome, key: "outcome")
        _ = try first.requiredColumn(outcomeName, for: "data.outcome")
        if let name = spec.weight { _ = try first.requiredColumn(name, for: "data.weight") }
        if let name = spec.cluster { _ = try first.requiredColumn(name, for: "data.cluster") }
        for name in spec.propensity { _ = try first.requiredColumn(name, for: "data.propensity") }
        let covariates = try spec.covariates(of: first)
        let roles = Set(
            [spec.treatment, spec.outcome, spec.weight, spec.cluster].compactMap(\.self) + spec.propensity)
        let categorical = Set(spec.categorical)
        columns = first.columns.map { column in
            let isText = column.levels != nil
            let use: StreamedColumn.Use
            if roles.contains(column.name) {
                use = .role
            } else if !covariates.contains(column.name) {
                use = .unused
            } else if isText {
                use = .category
            } else {
                use = categorical.contains(column.name) ? .numericCategory : .numbers
            }
            return StreamedColumn(column.name, use, isText: isText)
        }
        outcome = fields.firstIndex { $0.name == outcomeName } ?? 0
    }

    mutating func add(_ batch: Table, _ context: ExecutionContext) throws(MetaLearnersError) {
        try StreamedRows.require(fields, of: batch, after: rowCount)
        guard rowCount + batch.rowCount <= Int(Int32.max) else {
            throw MetaLearnersError(
                .invalidData, "there are more than 2147483647 rows", remedy: "fit on a sample of the rows")
        }
        let kept = StreamedRows.keptRows(of: batch, outcome: outcome, spec.missingOutcome, missing)
        rowPlaces.append(batch.places, after: rowCount)
        let (columns, missing) = (columns, missing)
        context.concurrently(columns.count) { index in
            let column = batch.columns[index]
            // Levels that mean "missing" are known as such once all are known.
            columns[index].add(
                column.levels == nil ? missing.marking(column) : column, keeping: kept, batch.places)
        }
        for column in columns { if let failure = column.failure { throw failure } }
        rowCount += batch.rowCount
    }

    /// Treatment, outcome and the like.
    func parts(_ spec: DataSpec) throws(MetaLearnersError) -> DatasetParts {
        var roles: [Column] = []
        for column in columns where column.use == .role { roles.append(try column.take()) }
        var ofRoles = spec
        (ofRoles.covariates, ofRoles.exclude, ofRoles.categorical) = ([], [], [])
        try AvailableMemory.require(rowCount, of: 32, for: "a dataset of \(rowCount) rows")
        var parts = try DatasetParts(Table(roles, rowCount: rowCount, places: rowPlaces), ofRoles)
        parts.outcome = parts.outcome.compacted
        return parts
    }

    /// The columns to learn from.
    func covariates(_ warnings: inout [String]) throws(MetaLearnersError) -> [StreamedRows.Covariate] {
        let categorical = Set(spec.categorical)
        var covariates: [StreamedRows.Covariate] = []
        for (position, column) in columns.enumerated() {
            switch column.use {
            case .role, .unused: continue
            case .numbers:
                covariates.append(
                    StreamedRows.Covariate(
                        name: column.name, levels: nil, levelCounts: [], position: position, codes: [:],
                        firstCodes: [:], initialHash: CausalDataset.hash(named: column.name, nil),
                        knownHash: column.hash))
            case .category, .numericCategory:
                let order = order(of: column)
                let counts = order.map { column.levels.keptCounts[$0] }
                let (present, rows) = (counts.count { $0 > 0 }, counts.reduce(0, +))
                if column.use == .category, !categorical.contains(column.name),
                    Column.areIdentifiers(present, rows: rows)
                {
                    warnings.append(Column.identifierWarning(column.name, present, rows: rows))
                    continue
                }
                let levels = order.map { column.levels.texts[$0] }
                var codes = Dictionary(uniqueKeysWithValues: levels.enumerated().map { ($1, Int32($0)) })
                for text in column.levels.texts where codes[text] == nil { codes[text] = -1 }
                let first = Dictionary(
                    uniqueKeysWithValues: column.levels.texts.enumerated().map { ($1, Int32($0)) })
                covariates.append(
                    StreamedRows.Covariate(
                        name: column.name, levels: levels, levelCounts: counts, position: position,
                        codes: codes,
                        firstCodes: first, initialHash: CausalDataset.hash(named: column.name, levels),
                        knownHash: column.hash))
            }
        }
        return covariates
    }

    /// The levels of a category, in order, without those that mean "missing".
    private func order(of column: StreamedColumn) -> [Int] {
        let levels = column.levels
        // Numbers are levels where a row that counts has them.
        if column.use == .numericCategory { return levels.numericOrder.filter { levels.keptCounts[$0] > 0 } }
        let isMissing = levels.texts.map(missing.contains)
        let marks = levels.texts.indices.contains { isMissing[$0] && levels.counts[$0] > 0 }
        return marks ? levels.order.filter { !isMissing[$0] } : levels.order
    }
}
