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
    ///   - isJoined: whether other processes quantise their rows with this one, which then may have none.
    /// - Throws: `numericalFailure` or `outOfMemory` where XGBoost gives up.
    /// - Complexity: O(rows · columns · log bins), 1 byte per cell by rows and 1 by columns, up to 64 MB besides.
    static func quantised(
        _ library: XGBoostLibrary, _ table: Table, rows: [Int32], maxBins: Int, threads: Int, isJoined: Bool
    ) throws(MetaLearnersError) -> TrainingMatrix {
        // Joined processes must not differ in whether they try again.
        guard !isJoined else { return try quantised(library, table, rows, maxBins, threads, copying: true) }
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
    /// - Complexity: 8 bytes per cell, and 4 more while it is made.
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

/// Hands the rows of a table to XGBoost a batch at a time, so that a list of rows takes no copy of its own.
///
/// XGBoost asks for all batches several times. Up to 64 MB of floats are kept from the first time; beyond that,
/// there is never more than a batch of them.
final class MatrixBatches {
    private let library: XGBoostLibrary
    private let table: Table
    private let rows: [Int32]
    private let gatherer: FeatureGatherer
    private let proxy: XGBoostHandle
    private let types: FeatureTypes?
    /// The columns where they stand, where all rows can be taken from there at once.
    private let whole: ArrayInterface?
    private let batchRows: Int
    private let buffer: AlignedBuffer<Float>?
    private let keepsBatches: Bool
    /// How many rows are in the buffer to stay.
    private var keptRows = 0
    private var next = 0
    /// Whether a batch without rows, which tells the columns, is still to come where there are no rows.
    private var isUntold = true
    /// What went wrong in a callback, which cannot throw.
    private(set) var failure: MetaLearnersError?

    /// Prepares the batches.
    ///
    /// - Parameters:
    ///   - copying: whether rows are copied even where XGBoost could read them in place.
    ///   - proxy: XGBoost's handle that a batch is put into.
    /// - Throws: `outOfMemory`.
    init(
        _ library: XGBoostLibrary, _ table: Table, rows: [Int32], copying: Bool, proxy: XGBoostHandle
    ) throws(MetaLearnersError) {
        self.library = library
        self.table = table
        self.rows = rows
        self.proxy = proxy
        let levels = FeatureGatherer.levels(of: table)
        gatherer = FeatureGatherer(table, levels: levels)
        types = FeatureTypes(levels: levels)
        let isAll = rows.count == table.rowCount
        whole = isAll && !copying ? ArrayInterface(table, rows: 0..<rows.count) : nil
        batchRows = Self.batchRows(rows.count, table.columns.count)
        keepsBatches = Self.keepsBatches(rows.count, table.columns.count)
        let cells = Self.bufferCells(rows: rows.count, columns: table.columns.count)
        buffer = whole == nil ? try AlignedBuffer(uninitialized: cells) : nil
    }

    private static func batchRows(_ rows: Int, _ columns: Int) -> Int {
        min(rows, max(1024, (1 << 17) / max(columns, 1)))
    }

    private static func keepsBatches(_ rows: Int, _ columns: Int) -> Bool {
        rows <= (16 << 20) / max(columns, 1)
    }

    /// How many numbers are copied to be there at once.
    static func bufferCells(rows: Int, columns: Int) -> Int {
        (keepsBatches(rows, columns) ? rows : batchRows(rows, columns)) * columns
    }

    /// Goes back to the first batch.
    func restart() {
        next = 0
        isUntold = true
    }

    /// Puts the next batch into the proxy and says whether there was one.
    func advance() -> Bool {
        guard next < rows.count || (rows.isEmpty && isUntold), failure == nil else { return false }
        isUntold = false
        do throws(MetaLearnersError) {
            try putBatch()
            return true
        } catch {
            failure = error
            return false
        }
    }

    private func putBatch() throws(MetaLearnersError) {
        let interface: ArrayInterface
        if let whole {
            interface = whole
            next = rows.count
        } else if let buffer {
            let range = next..<min(next + batchRows, rows.count)
            let start = keepsBatches ? buffer.start + range.lowerBound * table.columns.count : buffer.start
            if !keepsBatches || range.lowerBound >= keptRows {
                gatherer.copy(RowSelection(rows, range), to: start)
                keptRows = range.upperBound
            }
            interface = ArrayInterface(columnMajor: start, rows: range.count, columns: table.columns.count)
            next = range.upperBound
        } else {
            return
        }
        try library.check(library.functions.setDense(proxy, interface.json), "take the features")
        try types?.set(on: proxy, library)
    }
}
