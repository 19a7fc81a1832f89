import MetaLearnersCore

/// The design matrix of the training rows, made block by block: a large one never stands in memory as a whole.
struct DesignBlocks {
    /// Rows of a block: few enough to stay in the cache with a few dozen columns.
    static let rowsPerBlock = 256
    /// The most numbers that are kept for those who come back for more: 128 MiB.
    static let keptLimit = 1 << 24

    let source: any DesignSource
    let rows: [Int32]
    /// The same rows with what is stored alone, where features are sparse; nil where they are not.
    let sparse: SparseRows?
    /// The blocks one after another, for iterative methods; nil where they are made anew each time.
    private var kept: DoubleBuffer?

    init(_ source: any DesignSource, rows: [Int32], sparse: SparseRows? = nil) {
        self.source = source
        self.rows = rows
        self.sparse = sparse
    }

    /// The rows of encoded features, as what is stored alone where features are sparse.
    ///
    /// - Throws: `outOfMemory`, `cancelled`.
    init(
        _ encoder: DesignEncoder, _ features: Table, rows: [Int32], _ expansion: FeatureExpansion,
        _ context: ExecutionContext
    ) throws(MetaLearnersError) {
        self.init(
            EncodedTable(encoder: encoder, features: features), rows: rows,
            sparse: SparseRows.serve(features, expansion)
                ? try SparseRows(encoder, features, rows: rows, context) : nil)
    }

    /// Some of the rows.
    func restricted(to range: Range<Int>) -> DesignBlocks {
        DesignBlocks(source, rows: Array(rows[range]), sparse: sparse?.restricted(to: range))
    }

    init(encoder: DesignEncoder, features: Table, rows: [Int32]) {
        self.init(EncodedTable(encoder: encoder, features: features), rows: rows)
    }

    /// The most columns of which, where features are sparse, all products are summed.
    static let sparseGramLimit = 3000

    /// The limit that holds here; tests lower it.
    var gramLimit = Self.sparseGramLimit

    /// Whether there are too many columns for a matrix of all their products, which only sparse ones may be.
    var isTooWide: Bool { sparse != nil && width > gramLimit }

    /// The number of columns.
    var width: Int { source.width }

    /// The same blocks, made once and kept, unless they are larger than `keptLimit`.
    func keeping(_ context: ExecutionContext) throws(MetaLearnersError) -> DesignBlocks {
        let size = Self.rowsPerBlock * width
        let blocks = (rows.count + Self.rowsPerBlock - 1) / Self.rowsPerBlock
        guard size > 0, blocks <= Self.keptLimit / size else { return self }
        let store = try DoubleBuffer(blocks * size)
        let block = try DoubleBuffer(size)
        try forEach(into: block, context) { range throws(MetaLearnersError) in
            (store.start + range.lowerBound * width).update(from: block.start, count: size)
        }
        var copy = self
        copy.kept = store
        return copy
    }

    /// Makes each block in turn and hands it to `body`, with the rows' places within `rows`.
    ///
    /// - Parameters:
    ///   - buffer: room for `rowsPerBlock` rows of `width` columns at least; column j of the block begins at
    ///     `j * rowsPerBlock`. What stands behind the columns is left alone.
    ///   - part: the places to make blocks of, from a multiple of `rowsPerBlock`; nil for all.
    /// - Throws: `cancelled`, and what `body` throws.
    func forEach(
        into buffer: DoubleBuffer, part: Range<Int>? = nil, _ context: ExecutionContext,
        _ body: (Range<Int>) throws(MetaLearnersError) -> Void
    ) throws(MetaLearnersError) {
        let size = Self.rowsPerBlock
        let scratch = try DoubleBuffer(size)
        let part = part ?? 0..<rows.count
        for start in stride(from: part.lowerBound, to: part.upperBound, by: size) {
            if (start / size) % 64 == 0 { try context.checkCancellation() }
            let range = start..<min(start + size, part.upperBound)
            if let kept {
                buffer.start.update(from: kept.start + start * width, count: size * width)
            } else {
                rows.withUnsafeBufferPointer { rows in
                    source.fill(
                        UnsafeBufferPointer(rebasing: rows[range]), to: buffer.start, stride: size,
                        scratch: UnsafeMutableBufferPointer(start: scratch.start, count: size))
                }
            }
            try body(range)
        }
    }
}
