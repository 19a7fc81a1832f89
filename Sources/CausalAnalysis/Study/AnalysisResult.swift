import MetaLearnersCore

/// The answer of an analysis, in a form that every edge can show: sentences, numbers, tables, charts, and columns with a
/// number for each row of the study.
public struct AnalysisResult: Sendable, Equatable {
    /// The name of the analysis.
    public let analysis: String
    /// What people call it.
    public let title: String
    /// The answer in whole sentences, the most important first.
    public var findings: [String] = []
    /// Single numbers and texts by key, such as the estimate itself.
    public var values = SpecObject()
    /// Tables, each of which can be written as CSV.
    public var tables: [ResultTable] = []
    /// Pictures of the tables.
    public var charts: [Chart] = []
    /// Columns with a number for each row of the study: scores, ranks, decisions.
    public var rowColumns: [RowColumn] = []
    /// What must hold for the answer to be right, in whole sentences.
    public var assumptions: [String] = []
    /// What makes the answer doubtful, in whole sentences.
    public var warnings: [String] = []
    /// Whether everything was done that was asked for: false where the run was interrupted and this is what was ready.
    public var isComplete = true

    /// Creates an answer to be filled.
    public init(analysis: String, title: String) {
        self.analysis = analysis
        self.title = title
    }

    /// The table of that name; nil where there is none.
    public func table(named name: String) -> ResultTable? { tables.first { $0.name == name } }

    /// The answer as results have it: everything but charts and the columns of rows, of which only names are given.
    public var specValue: SpecValue {
        var object = SpecObject([
            ("analysis", .string(analysis)), ("title", .string(title)),
            ("findings", .array(findings.map { .string($0) })),
        ])
        for (key, value) in values.entries { object[key] = value }
        for table in tables { object[table.name] = table.specValue }
        if !rowColumns.isEmpty { object["row_columns"] = .array(rowColumns.map { .string($0.name) }) }
        object["assumptions"] = .array(assumptions.map { .string($0) })
        object["warnings"] = .array(warnings.map { .string($0) })
        object["complete"] = .boolean(isComplete)
        return .object(object)
    }
}

/// A column with a number for each row of the study.
public struct RowColumn: Sendable, Equatable {
    /// The name, as files and bindings have it.
    public let name: String
    /// A number for each row, in the order of the study.
    public let values: [Double]
    /// What whole numbers stand for, such as the labels of arms; empty where numbers are numbers.
    public let labels: [String]

    /// Creates a column.
    public init(_ name: String, _ values: [Double], labels: [String] = []) {
        self.name = name
        self.values = values
        self.labels = labels
    }
}

/// A table of a result.
public struct ResultTable: Sendable, Equatable {
    /// How the values of a column are shown.
    public enum Format: Sendable, Equatable {
        /// Texts, to the left.
        case text
        /// Numbers in units of the outcome or of whatever the title says: four significant digits.
        case number
        /// Whole numbers.
        case count
        /// Numbers from 0 to 1 that people read in percent.
        case share
        /// p-values.
        case pValue
    }

    /// A column.
    public struct Column: Sendable, Equatable {
        /// The key in JSON and CSV.
        public let key: String
        /// The heading for people.
        public let title: String
        /// How values are shown.
        public let format: Format

        /// Creates a column.
        public init(_ key: String, _ title: String, _ format: Format) {
            self.key = key
            self.title = title
            self.format = format
        }
    }

    /// The key in JSON, and the name of the file as CSV.
    public let name: String
    /// The heading for people.
    public let title: String
    /// The columns.
    public let columns: [Column]
    /// Whether it is too long to be read: JSON and CSV have it, texts and reports have a picture of it at most.
    public var isDetail: Bool
    /// The rows: a value for each column; null where there is none, with the reason in the row's notes.
    public private(set) var rows: [[SpecValue]] = []

    /// Creates a table without rows.
    public init(_ name: String, _ title: String, _ columns: [Column], isDetail: Bool = false) {
        self.name = name
        self.title = title
        self.columns = columns
        self.isDetail = isDetail
    }

    /// Appends a row; what is missing at its end is null, and so are numbers that are not finite.
    public mutating func append(_ values: [SpecValue]) {
        rows.append(
            columns.indices.map { index in
                guard index < values.count else { return .null }
                if case .number(let number) = values[index], !number.isFinite { return .null }
                return values[index]
            })
    }

    /// The values of the column of that key; empty where there is none.
    public func column(_ key: String) -> [SpecValue] {
        guard let index = columns.firstIndex(where: { $0.key == key }) else { return [] }
        return rows.map { $0[index] }
    }

    /// The numbers of the column of that key, NaN where a row has none; empty where there is no such column.
    public func numbers(_ key: String) -> [Double] { column(key).map { $0.doubleValue ?? .nan } }

    /// The rows as objects.
    public var specValue: SpecValue {
        .array(rows.map { row in .object(SpecObject(zip(columns, row).map { ($0.key, $1) })) })
    }

    /// The columns of an estimate with its uncertainty: the same keys in every table.
    public static func estimateColumns(_ title: String = "estimate", level: Double) -> [Column] {
        let percent = SpecValue.normalized((level * 1e12).rounded() / 1e10).json()
        return [
            Column("estimate", title, .number), Column("std_error", "std. error", .number),
            Column("lower", "lower \(percent) %", .number), Column("upper", "upper \(percent) %", .number),
            Column("p_value", "p-value", .pValue),
        ]
    }
}
