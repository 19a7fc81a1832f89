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
        let keys = features.columns.map { BinnedColumn.Key($0, limits) }
        if let matrix = contents.matrices[keys] { return matrix }
        var wanted: [BinnedColumn.Key: Column] = [:]
        for (key, column) in zip(keys, features.columns) where contents.columns[key] == nil {
            wanted[key] = column
        }
        var missing: [Column] = []
        for key in keys {
            if let column = wanted.removeValue(forKey: key) { missing.append(column) }
        }
        for column in try ColumnBinner(context: context, rowWeights: rowWeights).bin(missing, limits) {
            contents.columns[column.key] = column
        }
        let matrix = try BinnedMatrix(
            keys.compactMap { contents.columns[$0] }, rowCount: features.rowCount, context)
        contents.matrices[keys] = matrix
        return matrix
    }
}
