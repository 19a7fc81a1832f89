import MetaLearnersCore

/// The bins of a dataset's columns and the tiles made of them, kept in the dataset's cache.
final class BinStore: Sendable {
    private struct Contents {
        var columns: [BinnedColumn.Key: BinnedColumn] = [:]
        var matrices: [[BinnedColumn.Key]: BinnedMatrix] = [:]
    }

    private let contents = Lock(Contents()) { Contents() }
    private let rowWeights: [Double]?

    /// Creates an empty store.
    ///
    /// - Parameter rowWeights: how much each row counts in the quantiles between bins; nil where all count alike.
    init(rowWeights: [Double]? = nil) { self.rowWeights = rowWeights }

    /// The bins of `features`: those that are not there yet are made, and whoever asks for the same waits.
    ///
    /// - Throws: `outOfMemory`, `cancelled`, `unsupported` for more columns than trees take.
    func matrix(_ features: Table, limits: BinLimits, _ context: ExecutionContext) throws(MetaLearnersError)
        -> BinnedMatrix
    {
        let result: Result<BinnedMatrix, MetaLearnersError> = contents.withLock { contents in
            do throws(MetaLearnersError) {
                return .success(try matrix(features, limits, context, &contents))
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    private func matrix(
        _ features: Table, _ limits: BinLimits, _ context: ExecutionContext, _ contents: inout Contents
    ) throws(MetaLearnersError) -> BinnedMatrix {
        // Before any column is binned, which would take long.
        try BinnedMatrix.require(slots: features.columns.count, columns: features.columns.count)
        try limits.requireBins(of: features)
        let isPart = features.distribution != nil
        let keys = features.columns.map { BinnedColumn.Key($0, limits, isPart: isPart) }
        for (key, column) in zip(keys, features.columns) {
            if let coded = column.codedColumn { contents.columns[key] = coded.column }
        }
        let missing: [Column]
        if let distribution = features.distribution {
            // What any process lacks is binned again by all.
            let lacks = try distribution.any(keys.map { contents.columns[$0] == nil })
            missing = zip(features.columns, lacks).filter(\.1).map(\.0)
            if missing.isEmpty, let matrix = contents.matrices[keys] { return matrix }
        } else {
            if let matrix = contents.matrices[keys] { return matrix }
            var wanted: [BinnedColumn.Key: Column] = [:]
            for (key, column) in zip(keys, features.columns) where contents.columns[key] == nil {
                wanted[key] = column
            }
            missing = keys.compactMap { wanted.removeValue(forKey: $0) }
        }
        let binner = ColumnBinner(
            context: context, rowWeights: rowWeights, distribution: features.distribution)
        if !missing.isEmpty {
            for column in try binner.bin(missing, limits) { contents.columns[column.key] = column }
        }
        let matrix = try BinnedMatrix(
            keys.compactMap { contents.columns[$0] }, rowCount: features.rowCount,
            totalRows: features.distribution?.rowCount ?? features.rowCount, sharesBins: features.isCoded,
            context)
        contents.matrices[keys] = matrix
        return matrix
    }
}

/// How many bins columns may have, besides the one for missing values.
struct BinLimits: Hashable, Sendable {
    /// Of a column of numbers.
    let numbers: Int
    /// Of a column of categories.
    let categories: Int

    /// The most there may be: bins are of 16 bits at most.
    static let maximum = 65_535

    /// Bins of 8 bits only.
    static func narrow(_ maxBins: Int) -> BinLimits {
        BinLimits(numbers: min(maxBins, 255), categories: min(maxBins, 255))
    }

    /// Bins of 16 bits where needed: for numbers on request, for categories so that every level has a bin, unless
    /// fewer bins were asked for than bytes tell apart.
    static func any(_ maxBins: Int) -> BinLimits {
        BinLimits(numbers: maxBins, categories: maxBins < 255 ? maxBins : maximum)
    }
}

/// The memory that the bins of some columns take, and the sizes of histograms over them, before any value is read.
///
/// A column of numbers counts with as many bins as it may have: fewer where its values are few is more than it needs.
struct BinFootprint {
    /// Bytes of the bins, by columns and by rows, and while they are made of the sampled values.
    let bytes: Int
    /// The most cells of a histogram, as `TilePlan` lays them out.
    let cells: Int
    /// The most bins of all columns together.
    let bins: Int

    init(_ features: Table, _ limits: BinLimits) {
        let rows = features.rowCount
        var bytes = 0
        var cells = 0
        var bins = 0
        for column in features.columns {
            let count = Self.bins(column, limits, rows)
            let isWide = count > ColumnBinning.maximumNarrowBins
            // (Bins that are all that there is of the data are no memory beside them.)
            let copies = column.codedColumn != nil ? 0 : features.isCoded ? 1 : 2
            bytes += rows * (isWide ? 2 * copies : copies)
            cells += isWide ? count + 8 : TilePlan.columnStride
            bins += count
        }
        self.bytes = max(bytes, ColumnBinner.sampleBytes(features, limits))
        self.cells = cells
        self.bins = bins
    }

    private static func bins(_ column: Column, _ limits: BinLimits, _ rows: Int) -> Int {
        if let levels = column.levels { return min(levels.count, limits.categories) + 1 }
        let values =
            switch column.values.element {
            case .int8, .uint8: min(rows, 256)
            case .int16, .uint16, .int32, .uint32, .int64, .uint64, .float32, .float64: rows
            }
        return min(values, limits.numbers) + 1
    }
}
