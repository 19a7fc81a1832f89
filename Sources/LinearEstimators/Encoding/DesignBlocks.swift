import MetaLearnersCore

/// The design matrix of the training rows, made block by block: it never stands in memory as a whole.
struct DesignBlocks {
    /// Rows of a block: few enough to stay in the cache with a few dozen columns.
    static let rowsPerBlock = 256

    let encoder: DesignEncoder
    let features: Table
    let rows: [Int32]

    /// The number of columns.
    var width: Int { encoder.width }

    /// Makes each block in turn and hands it to `body`, with the rows' places within `rows`.
    ///
    /// - Parameters:
    ///   - buffer: room for `rowsPerBlock` rows of `width` columns at least; column j of the block begins at
    ///     `j * rowsPerBlock`. What stands behind the columns is left alone.
    /// - Throws: `cancelled`, and what `body` throws.
    func forEach(
        into buffer: DoubleBuffer, _ context: ExecutionContext,
        _ body: (Range<Int>) throws(MetaLearnersError) -> Void
    ) throws(MetaLearnersError) {
        let size = Self.rowsPerBlock
        let scratch = try DoubleBuffer(size)
        for start in stride(from: 0, to: rows.count, by: size) {
            if (start / size) % 64 == 0 { try context.checkCancellation() }
            let range = start..<min(start + size, rows.count)
            rows.withUnsafeBufferPointer { rows in
                encoder.fill(
                    features, rows: UnsafeBufferPointer(rebasing: rows[range]), to: buffer.start,
                    stride: size,
                    scratch: UnsafeMutableBufferPointer(start: scratch.start, count: size))
            }
            try body(range)
        }
    }
}
