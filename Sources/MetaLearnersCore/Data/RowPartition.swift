/// Which of the rows that several processes hold a dataset has: known once they have agreed on it
/// (`CausalDataset.init(_:_:partOf:)`).
public struct RowPartition: Sendable, Equatable {
    /// The number of the process, from 0.
    public let rank: Int
    /// How many processes there are.
    public let size: Int
    /// The number of the first row here among the rows of all processes, which count in the order of ranks.
    public let firstRow: Int
    /// How many rows all processes hold together.
    public let rowCount: Int
    /// How many rows of all processes each arm has.
    public let armCounts: [Int]
}

extension CausalDataset {
    /// What joins the processes that hold these rows, during a fit; nil where there are no other processes.
    package var distribution: DistributedRows? { covariates.distribution }

    /// How many rows each arm has, those of other processes among them.
    public var armCounts: [Int] { partition?.armCounts ?? treatment.counts }

    /// How many rows there are, those of other processes among them.
    public var totalRowCount: Int { partition?.rowCount ?? rowCount }

    /// Makes a dataset of the rows that one of several processes holds. All processes call this with tables of the same
    /// columns and the same `spec`; one may have no rows at all.
    ///
    /// They agree on the levels of categories, on the arms and the classes of the outcome, on clusters and on the scale of
    /// weights, so that rows mean the same wherever they are; the rows of a cluster may be in several processes. The dataset is
    /// for `MetaLearnerFitter.fit` with the same processes (`ExecutionOptions.collective`). Warnings about single covariates,
    /// such as that one looks like an identifier, are not given.
    ///
    /// - Throws: what `init(_:_:)` throws; where one process throws, all do.
    public init(_ table: Table, _ spec: DataSpec, partOf collective: any Collective) throws(MetaLearnersError)
    {
        let distribution = try DistributedRows(collective, rows: table.rowCount)
        do throws(MetaLearnersError) {
            try distribution.requireSame(spec.specValue.json() + Version.current, "descriptions of the data")
            let missing = MissingValues(spec.missingValues)
            let marked = missing.isEmpty ? table : table.mapping { missing.marking($0, dropsUnused: true) }
            self = try Self.part(try AgreedTable(marked, distribution).table, spec, distribution)
            try distribution.finish()
        } catch {
            distribution.leave(for: error)
            throw error
        }
    }

    /// The same dataset joined with those of other processes for a fit.
    ///
    /// - Throws: `invalidArgument` where the processes are not those that the dataset was made with.
    package func joined(_ distribution: DistributedRows) throws(MetaLearnersError) -> CausalDataset {
        let agrees =
            partition.map {
                $0.rank == distribution.rank && $0.size == distribution.size
                    && $0.firstRow == distribution.firstRow && $0.rowCount == distribution.rowCount
            } ?? false
        guard agrees else {
            throw MetaLearnersError(
                .invalidArgument, at: "collective",
                partition == nil
                    ? "the dataset was made without the other processes"
                    : "the dataset was made with other processes",
                remedy: "make the dataset with the same collective, in every process")
        }
        return CausalDataset(self, covariates: covariates.distributed(distribution))
    }
}

/// A table whose columns have the same kinds and levels in every process.
struct AgreedTable {
    let table: Table

    private struct Field {
        let name: String
        let levels: [String]?
    }

    init(_ table: Table, _ distribution: DistributedRows) throws(MetaLearnersError) {
        var writer = BinaryWriter()
        writer.write(UInt64(table.rowCount))
        writer.write(UInt64(table.columns.count))
        for column in table.columns {
            writer.write(column.name)
            writer.write(column.levels != nil)
            writer.write(column.levels ?? [])
        }
        var tables: [(rows: Int, fields: [Field])] = []
        for bytes in try distribution.gather(writer.bytes) {
            var reader = BinaryReader(bytes[...])
            let rows = Int(try reader.read(UInt64.self))
            var fields: [Field] = []
            for _ in 0..<Int(try reader.read(UInt64.self)) {
                let name = try reader.readString()
                let hasLevels = try reader.readBool()
                let levels = try reader.readStrings()
                fields.append(Field(name: name, levels: hasLevels ? levels : nil))
            }
            tables.append((rows, fields))
        }
        // A process without rows may not know what its columns are.
        guard let first = tables.first(where: { $0.rows > 0 }) else {
            throw MetaLearnersError(.invalidData, "there are no rows in any process")
        }
        let withRows = tables.enumerated().filter { $0.element.rows > 0 }
        for (rank, other) in withRows {
            for (index, field) in first.fields.enumerated() {
                let found = other.fields.indices.contains(index) ? other.fields[index] : nil
                guard let found, found.name == field.name, other.fields.count == first.fields.count,
                    (found.levels == nil) == (field.levels == nil)
                else {
                    throw MetaLearnersError(
                        .invalidData, at: "column '\(field.name)'",
                        "process \(rank) has no such column at the same place, of numbers or of texts",
                        remedy: "give every process the same columns in the same order")
                }
            }
        }
        var columns: [Column] = []
        for (index, field) in first.fields.enumerated() {
            let lists = withRows.compactMap { $0.element.fields[index].levels }
            let levels = field.levels == nil ? nil : Self.union(lists)
            guard table.rowCount > 0 else {
                columns.append(
                    levels.map { Column(field.name, codes: StridedValues([Int32]()), levels: $0) }
                        ?? Column(field.name, [Double]()))
                continue
            }
            columns.append(levels.map(table.columns[index].recoded) ?? table.columns[index])
        }
        self.table = try Table(columns, rowCount: table.rowCount, places: table.places)
            .distributed(distribution)
    }

    /// All levels: by number where all are numbers, sorted where each list is, else in the order in which they come.
    static func union(_ lists: [[String]]) -> [String] {
        guard let first = lists.first, lists.contains(where: { $0 != first }) else {
            return lists.first ?? []
        }
        let all = Set(lists.joined())
        // Labels that are numbers, as bindings make them of arms, in numeric order.
        let numbers = all.compactMap { label in Double(label).map { (label, $0) } }
        if numbers.count == all.count {
            return numbers.sorted { ($0.1, $0.0) < ($1.1, $1.0) }.map(\.0)
        }
        if lists.allSatisfy({ zip($0, $0.dropFirst()).allSatisfy(<) }) {
            return Set(lists.joined()).sorted()
        }
        var seen: Set<String> = []
        return lists.joined().filter { seen.insert($0).inserted }
    }
}

extension Column {
    /// The same category with other levels, its own among them.
    fileprivate func recoded(_ levels: [String]) -> Column {
        guard let own = self.levels, own != levels, let codes = codes() else { return self }
        let places = Dictionary(
            levels.enumerated().map { ($1, Int32($0)) }, uniquingKeysWith: { first, _ in first })
        let target = own.map { places[$0] ?? -1 }
        return Column(
            name, codes: StridedValues(codes.map { $0 < 0 ? -1 : target[Int($0)] }), levels: levels)
    }

    /// The column as a category whose levels are those of all processes: numbers in numeric order.
    func asCategorical(_ distribution: DistributedRows?) throws(MetaLearnersError) -> Column {
        let own = asCategorical()
        guard levels == nil, let distribution, let labels = own.levels else { return own }
        var writer = BinaryWriter()
        writer.write(labels)
        var all: Set<String> = []
        for bytes in try distribution.gather(writer.bytes) {
            var reader = BinaryReader(bytes[...])
            all.formUnion(try reader.readStrings())
        }
        let integers = all.compactMap { Int64($0) }
        let sorted =
            integers.count == all.count
            ? integers.sorted().map { String($0) }
            : all.sorted { (Double($0) ?? .nan) < (Double($1) ?? .nan) }
        return own.recoded(sorted)
    }
}
