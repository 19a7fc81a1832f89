import MetaLearnersCore

/// Features of some rows in XGBoost's own form: the owner of a `DMatrixHandle`.
///
/// It holds neither labels nor weights: gradients are handed in each round. So nothing changes it after `init`,
/// and a quantised one may serve several fits at once.
final class TrainingMatrix: @unchecked Sendable {  // XGBoost only reads a quantised matrix in training.
    let handle: XGBoostHandle
    let rowCount: Int
    private let library: XGBoostLibrary

    private init(_ handle: XGBoostHandle, rowCount: Int, _ library: XGBoostLibrary) {
        self.handle = handle
        self.rowCount = rowCount
        self.library = library
    }

    deinit { _ = library.functions.freeMatrix(handle) }

    /// Quantises rows of a table, for `tree_method: hist`.
    ///
    /// - Parameters:
    ///   - rows: ascending, at least one.
    ///   - maxBins: bins of a column at most.
    ///   - threads: threads that XGBoost may use.
    /// - Throws: `numericalFailure` or `outOfMemory` where XGBoost gives up.
    /// - Complexity: O(rows · columns · log bins), 1 byte a cell by rows and 1 by columns, up to 64 MB besides.
    static func quantised(
        _ library: XGBoostLibrary, _ table: Table, rows: [Int32], maxBins: Int, threads: Int
    ) throws(MetaLearnersError) -> TrainingMatrix {
        do throws(MetaLearnersError) {
            return try quantised(library, table, rows, maxBins, threads, copying: false)
        } catch {
            // Numbers beyond single precision are refused in place, and brought within it by a copy.
            guard rows.count == table.rowCount, ArrayInterface(table, rows: 0..<rows.count) != nil else {
                throw error
            }
            return try quantised(library, table, rows, maxBins, threads, copying: true)
        }
    }

    private static func quantised(
        _ library: XGBoostLibrary, _ table: Table, _ rows: [Int32], _ maxBins: Int, _ threads: Int,
        copying: Bool
    ) throws(MetaLearnersError) -> TrainingMatrix {
        var proxy: XGBoostHandle?
        try library.check(library.functions.createProxy(&proxy), "create a matrix")
        guard let proxy else { throw noHandle }
        defer { _ = library.functions.freeMatrix(proxy) }
        let batches = try MatrixBatches(library, table, rows: rows, copying: copying, proxy: proxy)
        var handle: XGBoostHandle?
        let status = withExtendedLifetime(batches) {
            library.functions.quantileMatrixFromBatches(
                Unmanaged.passUnretained(batches).toOpaque(), proxy, nil,
                { pointer in
                    guard let pointer else { return }
                    Unmanaged<MatrixBatches>.fromOpaque(pointer).takeUnretainedValue().restart()
                },
                { pointer in
                    guard let pointer else { return 0 }
                    return Unmanaged<MatrixBatches>.fromOpaque(pointer).takeUnretainedValue().advance()
                        ? 1 : 0
                },
                "{\"missing\":NaN,\"nthread\":\(threads),\"max_bin\":\(maxBins)}", &handle)
        }
        if let failure = batches.failure {
            if let handle { _ = library.functions.freeMatrix(handle) }
            throw failure
        }
        try library.check(status, "quantise the features")
        guard let handle else { throw noHandle }
        return TrainingMatrix(handle, rowCount: rows.count, library)
    }

    /// Copies rows of a table as floats, for the other tree methods. Such a matrix must not be shared between
    /// fits that run at once: XGBoost adds to it while it trains.
    ///
    /// - Throws: `numericalFailure` or `outOfMemory` where XGBoost gives up.
    /// - Complexity: 8 bytes a cell, and 4 more while it is made.
    static func plain(_ library: XGBoostLibrary, _ table: Table, rows: [Int32], threads: Int)
        throws(MetaLearnersError) -> TrainingMatrix
    {
        let levels = FeatureGatherer.levels(of: table)
        let (cells, overflow) = rows.count.multipliedReportingOverflow(by: table.columns.count)
        guard !overflow else { throw MetaLearnersError(.outOfMemory, "there are too many features") }
        let buffer = try AlignedBuffer<Float>(uninitialized: cells)
        FeatureGatherer(table, levels: levels).copy(RowSelection(rows, 0..<rows.count), to: buffer.start)
        let interface = ArrayInterface(
            columnMajor: buffer.start, rows: rows.count, columns: table.columns.count)
        var handle: XGBoostHandle?
        let status = withExtendedLifetime(buffer) {
            library.functions.matrixFromDense(
                interface.json, "{\"missing\":NaN,\"nthread\":\(threads)}", &handle)
        }
        try library.check(status, "take the features")
        guard let handle else { throw noHandle }
        let matrix = TrainingMatrix(handle, rowCount: rows.count, library)
        try FeatureTypes(levels: levels)?.set(on: handle, library)
        return matrix
    }

    private static var noHandle: MetaLearnersError {
        MetaLearnersError(.internalFault, at: "backend 'xgboost'", "XGBoost gave no matrix")
    }
}
