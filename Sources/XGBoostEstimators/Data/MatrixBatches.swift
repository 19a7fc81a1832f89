import MetaLearnersCore

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
        batchRows = min(rows.count, max(1024, (1 << 17) / max(table.columns.count, 1)))
        keepsBatches = rows.count <= (16 << 20) / max(table.columns.count, 1)
        let bufferRows = keepsBatches ? rows.count : batchRows
        buffer = whole == nil ? try AlignedBuffer(uninitialized: bufferRows * table.columns.count) : nil
    }

    /// Goes back to the first batch.
    func restart() { next = 0 }

    /// Puts the next batch into the proxy and says whether there was one.
    func advance() -> Bool {
        guard next < rows.count, failure == nil else { return false }
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
