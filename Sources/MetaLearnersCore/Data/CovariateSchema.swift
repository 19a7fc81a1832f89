/// The columns that a model was trained on: what a table must have for the model to predict.
public struct CovariateSchema: Sendable, Equatable {
    /// One of the columns.
    public struct Field: Sendable, Equatable {
        /// The name.
        public let name: String
        /// Numbers or levels.
        public let kind: Column.Kind
    }

    /// The columns, in the order of training.
    public let fields: [Field]
    /// What to do with levels that training never saw.
    public let unseenLevels: DataSpec.UnseenLevels

    /// The schema of `covariates`.
    public init(_ covariates: Table, unseenLevels: DataSpec.UnseenLevels = .missing) {
        fields = covariates.columns.map { Field(name: $0.name, kind: $0.kind) }
        self.unseenLevels = unseenLevels
    }

    /// The schema of these columns.
    init(_ fields: [Field], unseenLevels: DataSpec.UnseenLevels) {
        self.fields = fields
        self.unseenLevels = unseenLevels
    }

    /// A table without rows that has these columns.
    ///
    /// - Throws: `invalidData` where two have the same name.
    package func emptyTable() throws(MetaLearnersError) -> Table {
        try Table(
            fields.map { field in
                switch field.kind {
                case .numeric: Column(field.name, [Double]())
                case .categorical(let levels):
                    Column(field.name, codes: StridedValues([Int32]()), levels: levels)
                }
            })
    }

    /// The columns of `table` that the model needs, in its order and with its codes.
    ///
    /// Other columns are ignored. A numeric column serves where levels were trained, by the labels of its
    /// numbers. Levels never seen in training become missing, with a warning that counts them.
    ///
    /// - Throws: `invalidData` for a column that is missing or of the wrong kind, for a code beyond its column's levels,
    ///   or for an unseen level where the spec refuses these.
    public func align(_ table: Table) throws(MetaLearnersError) -> (table: Table, warnings: [String]) {
        let (table, unseen) = try aligned(table)
        return (table, unseen.map(\.warning))
    }

    /// The same with what was counted of levels never seen in training, for each column that has any.
    package func aligned(_ table: Table) throws(MetaLearnersError) -> (table: Table, unseen: [UnseenLevels]) {
        var columns: [Column] = []
        var unseen: [UnseenLevels] = []
        // By far the fastest for the few columns that most tables have; sparse ones may have thousands.
        let positions =
            fields.count > 32
            ? Dictionary(
                table.columns.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { first, _ in first })
            : nil
        for field in fields {
            let found =
                positions.map { $0[field.name].map { table.columns[$0] } } ?? table.column(named: field.name)
            guard let column = found else {
                throw MetaLearnersError(
                    .invalidData, at: "column '\(field.name)'", "is missing; the model was trained on it",
                    remedy: SpellingSuggestion.nearest(to: field.name, in: table.columns.map(\.name))
                        .map { "did you mean '\($0)'?" } ?? "add the column")
            }
            try column.requireCodesWithinLevels(table.places)
            switch (field.kind, column.kind) {
            case (.numeric, .numeric):
                columns.append(column)
            case (.numeric, .categorical):
                throw MetaLearnersError(
                    .invalidData, at: "column '\(field.name)'",
                    "is text\(column.example(table.places)); the model was trained on numbers")
            case (.categorical(let trained), _):
                columns.append(try recode(column, to: trained, &unseen))
            }
        }
        return (try Table(columns, rowCount: table.rowCount, places: table.places), unseen)
    }

    private func recode(_ source: Column, to trained: [String], _ found: inout [UnseenLevels])
        throws(MetaLearnersError) -> Column
    {
        let column = source.asCategorical()
        guard let levels = column.levels, let codes = column.codes() else { return source }
        if levels == trained { return column }
        let known = Dictionary(
            trained.enumerated().map { ($1, Int32($0)) }, uniquingKeysWith: { first, _ in first })
        let target = levels.map { known[$0] ?? -1 }
        var unseen = 0
        var example: String?
        let recoded = codes.map { code -> Int32 in
            guard code >= 0 else { return -1 }
            let new = target[Int(code)]
            if new < 0 {
                unseen += 1
                example = example ?? levels[Int(code)]
            }
            return new
        }
        if let example {
            let counted = UnseenLevels(
                column: source.name, rows: unseen, rowCount: codes.count, example: example)
            if unseenLevels == .error {
                throw MetaLearnersError(
                    .invalidData, at: "column '\(source.name)'", counted.problem,
                    remedy: "data.unseen_levels: missing would count them as missing")
            }
            found.append(counted)
        }
        return Column(source.name, codes: StridedValues(recoded), levels: trained)
    }
}

extension CovariateSchema {
    /// Writes the schema for the model archive.
    package func encode(to writer: inout BinaryWriter) {
        writer.write(UInt64(fields.count))
        for field in fields {
            writer.write(field.name)
            switch field.kind {
            case .numeric:
                writer.write(false)
            case .categorical(let levels):
                writer.write(true)
                writer.write(levels)
            }
        }
        writer.write(unseenLevels == .error)
    }

    /// Reads what `encode` wrote.
    package init(from reader: inout BinaryReader) throws(MetaLearnersError) {
        let count = try reader.readCount(elementSize: 9)
        var fields: [Field] = []
        for _ in 0..<count {
            let name = try reader.readString()
            let isCategorical = try reader.readBool()
            fields.append(
                Field(
                    name: name,
                    kind: isCategorical ? .categorical(levels: try reader.readStrings()) : .numeric))
        }
        self.fields = fields
        unseenLevels = try reader.readBool() ? .error : .missing
    }
}

/// How many rows of a column have a level that no row of training had.
package struct UnseenLevels: Sendable {
    /// The column's name.
    package let column: String
    /// Rows with such a level.
    package var rows: Int
    /// All rows.
    package var rowCount: Int
    /// One such level.
    package let example: String

    fileprivate var problem: String {
        "\(rows) of \(rowCount) rows have a level not seen in training, such as '\(example)'"
    }

    /// What a user is told.
    package var warning: String { "column '\(column)': \(problem); they count as missing" }
}
