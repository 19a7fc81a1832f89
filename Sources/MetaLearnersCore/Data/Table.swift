/// Named columns of equal length: data before anybody has said what is treatment and what is outcome.
///
/// It is also what a base estimator sees as its features, and then columns count by their position.
public struct Table: Sendable {
    /// The columns.
    public let columns: [Column]
    /// How many rows each of them has.
    public let rowCount: Int
    /// What errors call the rows: lines of a file, or indices in arrays.
    public let places: RowPlaces
    /// Where these rows stand among those of other processes; nil where there are no other processes.
    package let distribution: DistributedRows?

    /// Creates a table.
    ///
    /// - Parameters:
    ///   - columns: of equal length, each with a name of its own.
    ///   - rowCount: needed where there are no columns.
    ///   - places: where the rows came from; arrays in memory by default.
    /// - Throws: `invalidData` where columns differ in length or share a name, or where there are more than
    ///   2³¹ − 1 rows; `invalidArgument` where their number is negative.
    public init(_ columns: [Column], rowCount: Int? = nil, places: RowPlaces = RowPlaces())
        throws(MetaLearnersError)
    {
        let rows = rowCount ?? columns.first?.count ?? 0
        guard rows >= 0 else {
            throw MetaLearnersError(.invalidArgument, "the number of rows is \(rows), must not be negative")
        }
        guard rows <= Int(Int32.max) else {
            throw MetaLearnersError(
                .invalidData, "there are \(rows) rows; more than 2147483647 are not supported",
                remedy: "fit on a sample of the rows")
        }
        var seen: Set<String> = []
        for column in columns {
            guard column.count == rows else {
                throw MetaLearnersError(
                    .invalidData, at: "column '\(column.name)'",
                    "has \(column.count) rows where the others have \(rows)")
            }
            guard seen.insert(column.name).inserted else {
                throw MetaLearnersError(
                    .invalidData, at: "column '\(column.name)'", "occurs twice", remedy: "rename one of them")
            }
        }
        self.init(unchecked: columns, rowCount: rows, places)
    }

    /// A table of rows of which nothing is known.
    package static func withoutColumns(rowCount: Int) -> Table {
        Table(unchecked: [], rowCount: rowCount, RowPlaces())
    }

    private init(
        unchecked columns: [Column], rowCount: Int, _ places: RowPlaces,
        _ distribution: DistributedRows? = nil
    ) {
        self.columns = columns
        self.rowCount = rowCount
        self.places = places
        self.distribution = distribution
    }

    /// The same rows as a part of those that several processes hold, or by themselves.
    package func distributed(_ distribution: DistributedRows?) -> Table {
        Table(unchecked: columns, rowCount: rowCount, places, distribution)
    }

    /// The column named `name`, nil where there is none.
    public func column(named name: String) -> Column? { columns.first { $0.name == name } }

    /// The table with one more column at its end, of the same length.
    public func appending(_ column: Column) -> Table {
        Table(unchecked: columns + [column], rowCount: rowCount, places, distribution)
    }

    /// The table with the columns at `positions`, in that order.
    public func selecting(columns positions: [Int]) -> Table {
        Table(unchecked: positions.map { columns[$0] }, rowCount: rowCount, places, distribution)
    }

    /// A copy of the named rows, which errors call by the names that they have here; these rows are by themselves.
    public func selecting(rows: [Int32]) -> Table {
        Table(
            unchecked: columns.map { $0.selecting(rows) }, rowCount: rows.count, places.selecting(rows))
    }

    /// The same with the columns that `transform` makes of these, each under its name.
    package func mapping(_ transform: (Column) -> Column) -> Table {
        Table(unchecked: columns.map(transform), rowCount: rowCount, places, distribution)
    }

    /// The column named `name`.
    ///
    /// - Throws: `invalidData`, naming the nearest column, where there is none.
    public func requiredColumn(_ name: String, for key: String) throws(MetaLearnersError) -> Column {
        if let column = column(named: name) { return column }
        let names = columns.map(\.name)
        let near = SpellingSuggestion.nearest(to: name, in: names).map { "did you mean '\($0)'?" }
        let list = names.prefix(12).joined(separator: ", ") + (names.count > 12 ? ", …" : "")
        throw MetaLearnersError(
            .invalidData, at: key, "there is no column '\(name)'", remedy: near ?? "the columns are \(list)")
    }

    /// Whether any value of any column is missing.
    public var hasMissingValues: Bool {
        columns.contains { column in
            if column.levels != nil { return column.codes()?.contains { $0 < 0 } ?? false }
            return column.values.sparse == nil && column.values.element.isFloatingPoint
                && column.values.doubles().contains(where: \.isNaN)
        }
    }
}
