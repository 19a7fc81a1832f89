import MetaLearnersCore

extension CausalDataset {
    /// Makes a dataset of rows that are read batch by batch, and of whose covariates nothing is kept but the bins that trees use: a
    /// byte for each number, two where there are more than 255 bins.
    ///
    /// The rows are read three times: for treatment, outcome and the levels of texts, for the sample that decides the bins, and for the
    /// bins. A fit to the dataset gives the model that a fit to a table of all rows gives, to the byte (`keep_training` too). It takes
    /// learners whose base learners are `trees` with as many bins as `maxBins` says; all others, analyses that read covariates and
    /// searches are refused. Levels of texts are sorted where those of every batch are, and else come in the order in which they first
    /// occur. Warnings about single covariates, such as that one looks like an identifier, are given for texts alone.
    ///
    /// - Parameters:
    ///   - source: the rows.
    ///   - spec: which column plays which part.
    ///   - maxBins: how many bins a column of numbers has at most, missing values apart: the `max_bins` of every model.
    ///   - options: how to run; progress is that of the stage `rows`, and of the second and third reading alone.
    /// - Throws: what `init(_:_:)` throws and what the source throws; `invalidData` where a later reading gives other rows than the first
    ///   one; `unsupported` for sparse columns, rows of several processes, or more than a million texts in a covariate; `cancelled`.
    /// - Complexity: O(rows · columns · log bins). Beside the dataset it takes the memory of a batch and, while bins are looked for, 8
    ///   bytes for each column and each of at most 262,144 rows.
    public init(
        _ source: any RowSource, _ spec: DataSpec, maxBins: Int = 255,
        _ options: ExecutionOptions = ExecutionOptions()
    ) throws(MetaLearnersError) {
        guard (2...BinLimits.maximum).contains(maxBins) else {
            throw MetaLearnersError(
                .invalidArgument, at: "max_bins", "is \(maxBins), must be 2 to \(BinLimits.maximum)")
        }
        let rows = try StreamedRows(source, spec, options)
        let columns = try StreamedBins(rows, .any(maxBins)).columns()
        try self.init(rows.parts, covariates: Table(columns, rowCount: rows.rowCount))
        // The batches came and went in pieces.
        AvailableMemory.giveBackFreed()
    }
}

/// The bins of the covariates of rows that are read batch by batch.
private struct StreamedBins {
    private let rows: StreamedRows
    private let limits: BinLimits
    private let binner: ColumnBinner

    init(_ rows: StreamedRows, _ limits: BinLimits) throws(MetaLearnersError) {
        self.rows = rows
        self.limits = limits
        try BinnedMatrix.require(slots: rows.covariates.count, columns: rows.covariates.count)
        var weights: [Double]?
        if let own = rows.parts.weights { weights = try SampleWeights.scaled(own) }
        binner = ColumnBinner(context: rows.context, rowWeights: weights)
    }

    /// Reads the rows twice.
    func columns() throws(MetaLearnersError) -> [Column] {
        guard !rows.covariates.isEmpty else { return [] }
        let binnings = try findBinnings()
        var narrow: [AlignedBuffer<UInt8>] = []
        var wide: [AlignedBuffer<UInt16>?] = []
        for binning in binnings {
            narrow.append(try AlignedBuffer(uninitialized: binning.isWide ? 0 : rows.rowCount + 64))
            wide.append(binning.isWide ? try AlignedBuffer(uninitialized: rows.rowCount + 64) : nil)
        }
        let (bytes, words) = (narrow, wide)
        let fingerprints = try rows.read(2, of: 3) { batch throws(MetaLearnersError) in
            rows.context.concurrently(binnings.count) { index in
                let all = RowSelection.range(0..<batch.rowCount)
                if let words = words[index] {
                    binnings[index].map(batch.columns[index], all, toWords: words.start + batch.firstRow)
                } else {
                    binnings[index].map(batch.columns[index], all, to: bytes[index].start + batch.firstRow)
                }
            }
        }
        let occupied = Lock([[Bool]](repeating: [], count: binnings.count))
        let rowCount = rows.rowCount
        rows.context.concurrently(binnings.count) { index in
            let count = binnings[index].binCount
            let found =
                words[index].map { ColumnBinner.occupied($0, count: rowCount, count) }
                ?? ColumnBinner.occupied(bytes[index], count: rowCount, count)
            occupied.withLock { $0[index] = found }
        }
        let found = occupied.withLock { $0 }
        return rows.covariates.indices.map { index in
            let covariate = rows.covariates[index]
            let identity = ColumnMemory(copying: [UInt8]())
            let column = BinnedColumn(
                BinnedColumn.Key(
                    identity: identity, count: rowCount, levels: covariate.levels?.count, limits),
                binnings[index], bytes[index], wideBins: words[index], occupied: found[index],
                memory: identity)
            return CodedColumn(column, identity: identity, fingerprint: fingerprints[index])
                .covariate(covariate.name, levels: covariate.levels, rowCount: rowCount)
        }
    }

    private func findBinnings() throws(MetaLearnersError) -> [ColumnBinning] {
        let covariates = rows.covariates
        let numeric = covariates.indices.filter { covariates[$0].levels == nil }
        let edges = try numeric.isEmpty ? [] : numericBinnings(numeric)
        var binnings = covariates.map { covariate in
            ColumnBinning.categorical(
                CategoricalBinning(counts: covariate.levelCounts, maxLevels: limits.categories))
        }
        for (index, edges) in zip(numeric, edges) { binnings[index] = .numeric(edges) }
        return binnings
    }

    /// The edges of columns of numbers, from the rows that decide them, which are gathered here.
    private func numericBinnings(_ numeric: [Int]) throws(MetaLearnersError) -> [NumericBinning] {
        let edgeRows = try binner.edgeRows(of: rows.rowCount, limits)
        let wanted = edgeRows.looked ?? Array(0..<Int32(rows.rowCount))
        let sample = try AlignedBuffer<Double>(uninitialized: numeric.count * wanted.count)
        var taken = 0
        _ = try rows.read(1, of: 3) { batch throws(MetaLearnersError) in
            let first = taken
            while taken < wanted.count, Int(wanted[taken]) < batch.firstRow + batch.rowCount { taken += 1 }
            let places = wanted[first..<taken].map { $0 - Int32(batch.firstRow) }
            rows.context.concurrently(numeric.count) { position in
                let target = UnsafeMutableBufferPointer(
                    start: sample.start + position * wanted.count + first, count: places.count)
                places.withUnsafeBufferPointer { batch.columns[numeric[position]].gather($0, to: target) }
            }
        }
        var columns: [StridedValues] = []
        for position in numeric.indices {
            let bytes = UnsafeRawBufferPointer(
                UnsafeBufferPointer(start: sample.start + position * wanted.count, count: wanted.count))
            let memory = ColumnMemory(borrowing: bytes) { withExtendedLifetime(sample) {} }
            columns.append(try StridedValues(memory, element: .float64, count: wanted.count, stride: 8))
        }
        // The rows that are looked at are all that there are here.
        return try binner.numericBinnings(
            columns,
            ColumnBinner.EdgeRows(looked: nil, weighted: edgeRows.looked == nil ? edgeRows.weighted : nil),
            wanted.count, maxBins: limits.numbers)
    }
}
