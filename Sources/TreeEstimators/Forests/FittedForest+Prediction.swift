import MetaLearnersCore

extension FittedForest {
    /// Rows that go through the trees together: enough for a tree to stay in the cache while they do.
    private static let blockRows = 1024

    /// Predicts the named rows: the mean over all trees.
    ///
    /// O(rows · trees · depth).
    ///
    /// - Throws: `invalidArgument` for another number of columns or a row out of range; `cancelled`.
    public func predict(_ features: Table, rows: [Int32]?, _ context: ExecutionContext)
        throws(MetaLearnersError) -> [Double]
    {
        try check(features, rows)
        let width = output.leafWidth
        let treeCount = Double(max(trees.count, 1))
        return try inBlocks(features, rows, rowsPerBlock: Self.blockRows, context) { block, predictions in
            var sums = [Double](repeating: 0, count: block.count * width)
            for tree in trees {
                tree.findLeaves(block.bins, width: block.width, count: block.count, into: block.leaves)
                for row in 0..<block.count {
                    let leaf = Int(block.leaves[row]) * width
                    for index in 0..<width { sums[row * width + index] += Double(tree.values[leaf + index]) }
                }
            }
            for index in sums.indices { sums[index] /= treeCount }
            sums.withUnsafeBufferPointer { sums in
                guard let sums = sums.baseAddress else { return }
                for row in 0..<block.count {
                    output.finish(sums + row * width, to: predictions + row * outputCount)
                }
            }
        }
    }

    /// Rows of a block as bins, row by row.
    struct Block {
        /// The positions, within the rows asked for, of the block's.
        let positions: Range<Int>
        let bins: UnsafePointer<UInt16>
        /// Bins of a row.
        let width: Int
        /// Room for the leaf of each row.
        let leaves: UnsafeMutablePointer<Int32>
        var count: Int { positions.count }
    }

    /// Checks the columns and the rows of a prediction.
    ///
    /// - Throws: `invalidArgument`.
    func check(_ features: Table, _ rows: [Int32]?) throws(MetaLearnersError) {
        try requireColumns(featureCount, in: features)
        if let rows, let row = rows.first(where: { $0 < 0 || $0 >= features.rowCount }) {
            throw MetaLearnersError(
                .invalidArgument, at: "rows", "row \(row) is not within 0..<\(features.rowCount)")
        }
    }

    /// Runs `body` on each block of rows; it writes `outputCount` numbers a row.
    ///
    /// - Throws: `cancelled`.
    func inBlocks(
        _ features: Table, _ rows: [Int32]?, rowsPerBlock: Int, _ context: ExecutionContext,
        _ body: @Sendable (Block, UnsafeMutablePointer<Double>) -> Void
    ) throws(MetaLearnersError) -> [Double] {
        let count = rows?.count ?? features.rowCount
        let outputCount = outputCount
        var results = [Double](repeating: 0, count: count * outputCount)
        let binner = RowBinner(usedFeatures.map { features.columns[$0].values }, binnings)
        let blocks = (count + rowsPerBlock - 1) / rowsPerBlock
        results.withUnsafeMutableBufferPointer { buffer in
            let results = DisjointWrites(buffer)
            context.concurrently(blocks) { index in
                if context.isCancelled { return }
                let positions = index * rowsPerBlock..<min(count, (index + 1) * rowsPerBlock)
                binner.withBins(of: positions, rows) { bins in
                    withUnsafeTemporaryAllocation(of: Int32.self, capacity: positions.count) { leaves in
                        guard let leaves = leaves.baseAddress,
                            let target = results.pointer(to: positions.lowerBound * outputCount)
                        else { return }
                        let block = Block(
                            positions: positions, bins: bins, width: binner.width, leaves: leaves)
                        body(block, target)
                    }
                }
            }
        }
        try context.checkCancellation()
        return results
    }
}
