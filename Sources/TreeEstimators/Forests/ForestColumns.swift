import MetaLearnersCore

/// The bins that a forest's trees are grown on: those of the rows of this process or, where several processes hold the rows, of
/// the rows of all.
struct ForestColumns: @unchecked Sendable {  // Bins are written once, before anybody else has them.
    /// A column; whoever has it keeps the `ForestColumns` that it is of.
    struct Column {
        /// The bin of each row; nothing of a constant column.
        let bins: UnsafePointer<UInt8>
        let binCount: Int
        let isCategorical: Bool
    }

    /// How the values of each column become bins.
    let binnings: [ColumnBinning]
    /// The columns that are not constant, in the order in which they are drawn from.
    let slotFeatures: [Int]
    private let columns: [Column]
    private let owners: [AlignedBuffer<UInt8>]

    /// How many columns there are.
    var count: Int { columns.count }

    subscript(feature: Int) -> Column { columns[feature] }

    /// The columns of the task's features, which `matrix` has.
    ///
    /// - Throws: `outOfMemory`, `cancelled`, what the other processes have to say.
    init(_ matrix: BinnedMatrix, of task: TrainingTask, _ context: ExecutionContext) throws(MetaLearnersError)
    {
        guard let distribution = task.features.distribution else {
            self.init(matrix, bins: matrix.columns.map(\.bins))
            return
        }
        let store = try task.cache.value(of: GatheredBins.self, named: "forest") {
            () throws(MetaLearnersError) in GatheredBins()
        }
        self.init(matrix, bins: try store.bins(matrix, distribution, context))
    }

    private init(_ matrix: BinnedMatrix, bins: [AlignedBuffer<UInt8>]) {
        binnings = matrix.columns.map(\.binning)
        slotFeatures = matrix.slotFeatures
        columns = zip(bins, binnings).map { bins, binning in
            Column(
                bins: UnsafePointer(bins.start), binCount: binning.binCount,
                isCategorical: binning.isCategorical)
        }
        owners = bins
    }
}

/// The bins that the rows of all processes have, kept in the dataset's cache: each column is gathered once for all fits.
final class GatheredBins: Sendable {
    private struct Gathered {
        let bins: AlignedBuffer<UInt8>
        /// Keeps the identity of the values' memory.
        let own: BinnedColumn
    }

    private let contents = Lock<[BinnedColumn.Key: Gathered]>([:]) { [:] }

    /// The bins of each column of `matrix`, of all rows in the order of ranks: a byte for each row of all processes.
    ///
    /// Of constant columns there is nothing.
    ///
    /// - Throws: `outOfMemory`, `cancelled`, what the other processes have to say.
    func bins(
        _ matrix: BinnedMatrix, _ distribution: DistributedRows, _ context: ExecutionContext
    ) throws(MetaLearnersError) -> [AlignedBuffer<UInt8>] {
        let result: Result<[AlignedBuffer<UInt8>], MetaLearnersError> = contents.withLock { contents in
            do throws(MetaLearnersError) {
                return .success(try bins(matrix, distribution, context, &contents))
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    private func bins(
        _ matrix: BinnedMatrix, _ distribution: DistributedRows, _ context: ExecutionContext,
        _ contents: inout [BinnedColumn.Key: Gathered]
    ) throws(MetaLearnersError) -> [AlignedBuffer<UInt8>] {
        let keys = matrix.columns.map(\.key)
        // Which columns are constant all processes agree on.
        let varied = matrix.slotFeatures.sorted()
        let lacks = try distribution.any(varied.map { contents[keys[$0]] == nil })
        let missing = zip(varied, lacks).filter(\.1).map(\.0)
        let counts = missing.isEmpty ? [] : try distribution.counts(matrix.rowCount)
        for feature in missing {
            try context.checkCancellation()
            let own = matrix.columns[feature]
            let all = try AlignedBuffer<UInt8>(uninitialized: distribution.rowCount)
            try distribution.gather(
                UnsafeBufferPointer(start: own.bins.start, count: matrix.rowCount), counts: counts,
                into: all.start)
            contents[keys[feature]] = Gathered(bins: all, own: own)
        }
        let nothing = try AlignedBuffer<UInt8>(uninitialized: 0)
        return keys.map { contents[$0]?.bins ?? nothing }
    }
}
