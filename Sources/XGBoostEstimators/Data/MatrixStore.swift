import MetaLearnersCore

/// Quantised matrices of a dataset, kept in its cache: fits on the same rows with other targets, weights or
/// parameters share one.
///
/// They take at most twice the memory of the features in double precision (or 64 MB, for small data); the one
/// not used for longest goes first.
final class MatrixStore: Sendable {
    private struct ColumnKey: Hashable {
        let memory: ObjectIdentifier
        let element: StridedValues.Element
        let offset: Int
        let stride: Int
        let levels: Int

        init(_ column: Column) {
            memory = ObjectIdentifier(column.values.memory)
            element = column.values.element
            offset = column.values.offset
            stride = column.values.stride
            levels = column.levels?.count ?? 0
        }
    }

    private struct Key: Equatable {
        let columns: [ColumnKey]
        let rows: [Int32]
        let maxBins: Int
        /// What stands for the rows of all processes; nil where there are no others.
        let allRows: UInt64?
    }

    private final class Entry: Sendable {
        let key: Key
        let bytes: Int
        /// Keeps the columns' memory, so that its identity is not given to another.
        let table: Table
        let matrix = Lock<TrainingMatrix?>(nil) { nil }

        init(_ key: Key, _ table: Table) {
            self.key = key
            self.table = table
            // One byte per cell by rows and one by columns; two each where bins exceed a byte.
            bytes = key.rows.count * key.columns.count * (key.maxBins > 256 ? 4 : 2)
        }
    }

    /// The most bytes that matrices of the rows of `table` take together, but for small data.
    static func limit(_ table: Table) -> Int { 2 * 8 * table.rowCount * table.columns.count }

    /// Last used last.
    private let entries = Lock<[Entry]>([]) { [] }

    /// The quantised matrix of `rows`; whoever asks for one that is being made waits for it.
    ///
    /// Bins come from the rows of all processes: either all of them have the matrix, or all make it.
    ///
    /// - Throws: `numericalFailure` or `outOfMemory` where XGBoost gives up; what the other processes of a collective fit have
    ///   to say.
    func matrix(
        _ library: XGBoostLibrary, _ table: Table, rows: [Int32], maxBins: Int, threads: Int,
        distribution: DistributedRows?
    ) throws(MetaLearnersError) -> TrainingMatrix {
        let allRows = try distribution.map { distribution throws(MetaLearnersError) in
            try Self.name(of: rows, distribution)
        }
        let key = Key(
            columns: table.columns.map(ColumnKey.init), rows: rows, maxBins: maxBins, allRows: allRows)
        if let distribution {
            let isMissing = entries.withLock { entries in
                !entries.contains { $0.key == key && $0.matrix.withLock { $0 != nil } }
            }
            if try distribution.any(isMissing) { entries.withLock { $0.removeAll { $0.key == key } } }
        }
        let budget = max(64 << 20, Self.limit(table))
        let entry = entries.withLock { entries in
            let entry: Entry
            if let index = entries.firstIndex(where: { $0.key == key }) {
                entry = entries.remove(at: index)
            } else {
                entry = Entry(key, table)
            }
            entries.append(entry)
            var bytes = entries.reduce(0) { $0 + $1.bytes }
            while bytes > budget, entries.count > 1 { bytes -= entries.removeFirst().bytes }
            return entry
        }
        let result: Result<TrainingMatrix, MetaLearnersError> = entry.matrix.withLock { stored in
            if let matrix = stored { return .success(matrix) }
            do throws(MetaLearnersError) {
                let matrix = try TrainingMatrix.quantised(
                    library, table, rows: rows, maxBins: maxBins, threads: threads,
                    isJoined: distribution != nil)
                stored = matrix
                return .success(matrix)
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    /// A number that is the same in all processes, and another where any of them has other rows.
    private static func name(of rows: [Int32], _ distribution: DistributedRows) throws(MetaLearnersError)
        -> UInt64
    {
        func hash(_ bytes: some Sequence<UInt8>) -> UInt64 {
            bytes.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
        }
        let own = rows.withUnsafeBytes { hash($0) }
        let all = try distribution.gather(withUnsafeBytes(of: own) { Array($0) })
        return hash(all.joined())
    }
}
