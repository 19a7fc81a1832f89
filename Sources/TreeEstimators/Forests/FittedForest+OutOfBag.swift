import MetaLearnersCore

extension FittedForest {
    private static let outOfBagBlockRows = 256

    /// Predictions of the rows of `task`, which the forest was fitted to, each by those trees alone that were not
    /// drawn the row (nor its cluster): `outputCount` numbers a row, in the order of `task.rows`; NaN where every
    /// tree saw the row.
    ///
    /// The draws are repeated from the seed, so that nothing about the rows needs to be kept: it also works on a
    /// forest read from a file. O(rows · trees · depth), and a bit for each row and tree.
    ///
    /// - Throws: `invalidArgument` where the task has other rows than the forest was fitted to; `cancelled`.
    public func outOfBagPredictions(of task: TrainingTask, _ context: ExecutionContext)
        throws(MetaLearnersError) -> [Double]
    {
        let width = output.leafWidth
        return try outOfBag(task, context) { block, row, values, chosen, results in
            var means = [Double](repeating: 0, count: width)
            for tree in chosen {
                for index in 0..<width { means[index] += values[(tree * block.count + row) * width + index] }
            }
            for index in 0..<width { means[index] /= Double(max(chosen.count, 1)) }
            let target = results + row * outputCount
            if chosen.isEmpty && !trees.isEmpty {
                target.update(repeating: .nan, count: outputCount)
            } else {
                output.finish(means, to: target)
            }
        }
    }

    /// The variances of `outOfBagPredictions`, from the little bags none of whose trees saw the row; NaN where there
    /// are fewer than two.
    ///
    /// - Throws: as `outOfBagPredictions` and `predictVariance` do.
    public func outOfBagVariance(of task: TrainingTask, _ context: ExecutionContext)
        throws(MetaLearnersError) -> [Double]
    {
        try requireLittleBags()
        return try outOfBag(task, context) { block, row, values, chosen, results in
            writeVariance(values, row: row, of: block.count, chosen, to: results)
        }
    }

    private func outOfBag(
        _ task: TrainingTask, _ context: ExecutionContext,
        _ body: @Sendable (Block, Int, [Double], [Int], UnsafeMutablePointer<Double>) -> Void
    ) throws(MetaLearnersError) -> [Double] {
        try check(task.features, nil)
        let sampler = ForestSampler(task, plan)
        guard fingerprint == ForestFingerprint(task, trained: sampler.rows) else {
            throw MetaLearnersError(
                .invalidArgument, at: "task", "has other rows than the forest was fitted to",
                remedy: "pass the task itself")
        }
        let words = (task.features.rowCount + 63) / 64
        let seen = try AlignedBuffer<UInt64>(zeroed: words * max(trees.count, 1))
        context.concurrently(trees.count) { tree in
            if context.isCancelled { return }
            let draw = sampler.draw(tree: tree)
            for rows in [draw.structure, draw.estimation] {
                for row in rows { seen.start[tree * words + Int(row) >> 6] |= 1 << UInt64(row & 63) }
            }
        }
        try context.checkCancellation()
        return try inBlocks(
            task.features, task.rows, rowsPerBlock: Self.outOfBagBlockRows, context
        ) { block, results in
            let values = leafValues(block)
            for (index, position) in block.positions.enumerated() {
                let row = Int(task.rows[position])
                let chosen = trees.indices.filter { tree in
                    seen.start[tree * words + row >> 6] >> UInt64(row & 63) & 1 == 0
                }
                body(block, index, values, chosen, results)
            }
        }
    }
}

extension FittedForest {
    /// The rows that tree number `tree` found its splits from, and those that its leaf values are of, where these
    /// are others.
    package func drawnRows(ofTree tree: Int, in task: TrainingTask) -> (
        structure: [Int32], estimation: [Int32]
    ) {
        let draw = ForestSampler(task, plan).draw(tree: tree)
        return (draw.structure, draw.estimation)
    }
}
