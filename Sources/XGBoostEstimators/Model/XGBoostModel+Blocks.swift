import MetaLearnersCore

extension XGBoostModel {
    /// Numbers of rows, written by `body` a block of rows at a time, side by side.
    ///
    /// - Parameters:
    ///   - width: numbers a row.
    ///   - body: gets the positions of a block's rows and where their first number goes.
    /// - Throws: `invalidArgument` for another number of columns or a row out of range; `cancelled`; `outOfMemory`; what
    ///   `body` throws, of the first block that fails.
    func filled(
        _ features: Table, _ rows: [Int32]?, width: Int, _ context: ExecutionContext,
        _ body: @Sendable (Range<Int>, UnsafeMutablePointer<Double>) throws(MetaLearnersError) -> Void
    ) throws(MetaLearnersError) -> [Double] {
        try requireColumns(shape.levels.count, in: features)
        if let rows, let row = rows.first(where: { $0 < 0 || $0 >= features.rowCount }) {
            throw MetaLearnersError(
                .invalidArgument, at: "rows", "row \(row) is not within 0..<\(features.rowCount)")
        }
        let count = rows?.count ?? features.rowCount
        let (cells, overflow) = count.multipliedReportingOverflow(by: width)
        guard !overflow, cells <= Int.max / 16 else {
            throw MetaLearnersError(.outOfMemory, "there are too many predictions")
        }
        // Small enough that XGBoost's buffers stay small and threads share the work evenly.
        let block = 8192
        let blocks = (count + block - 1) / block
        let failure = Lock<(index: Int, error: MetaLearnersError)?>(nil)
        let numbers = [Double](unsafeUninitializedCapacity: cells) { buffer, initialized in
            if let start = buffer.baseAddress {
                start.initialize(repeating: 0, count: cells)
                let target = Target(start: start)
                context.concurrently(blocks) { index in
                    let range = index * block..<min((index + 1) * block, count)
                    do throws(MetaLearnersError) {
                        try context.checkCancellation()
                        try body(range, target.start + range.lowerBound * width)
                    } catch {
                        failure.withLock { if index < $0?.index ?? .max { $0 = (index, error) } }
                    }
                }
            }
            initialized = cells
        }
        if let failed = failure.withLock({ $0 }) { throw failed.error }
        return numbers
    }

    /// Where numbers go; each block writes its own range.
    private struct Target: @unchecked Sendable {
        let start: UnsafeMutablePointer<Double>
    }
}
