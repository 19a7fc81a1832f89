import MetaLearnersCore

/// A forest, fitted: predictions, their variances, and predictions of training rows by the trees that did not see
/// them.
///
/// Values are immutable and may be used from several threads at once.
public struct FittedForest: FittedEstimator, Equatable {
    let featureCount: Int
    let output: ForestOutput
    /// The columns that some split uses, ascending.
    let usedFeatures: [Int]
    /// How the values of these columns become bins.
    let binnings: [ColumnBinning]
    /// What the splits by each of these columns gained, over all trees.
    let gains: [Double]
    /// Their splits name columns by their place in `usedFeatures`.
    let trees: [ForestTree]
    let plan: ForestSampler.Plan
    let fingerprint: ForestFingerprint
    public let warnings: [String]

    public var backendName: String { ForestEstimator.backend.name }
    public var outputCount: Int { output.outputCount }
    /// How many trees there are; 0 where the target is constant.
    public var treeCount: Int { trees.count }

    init(
        featureCount: Int, output: ForestOutput, usedFeatures: [Int], binnings: [ColumnBinning],
        gains: [Double], trees: [ForestTree], plan: ForestSampler.Plan, fingerprint: ForestFingerprint,
        warnings: [String]
    ) {
        self.featureCount = featureCount
        self.output = output
        self.usedFeatures = usedFeatures
        self.binnings = binnings
        self.gains = gains
        self.trees = trees
        self.plan = plan
        self.fingerprint = fingerprint
        self.warnings = warnings
    }

    /// Puts grown trees together; columns that no split uses are left out.
    init(
        _ grown: [GrownForestTree], _ columns: ForestColumns, _ target: ForestTarget,
        plan: ForestSampler.Plan, fingerprint: ForestFingerprint
    ) {
        var isUsed = [Bool](repeating: false, count: columns.count)
        var total = [Double](repeating: 0, count: columns.count)
        for tree in grown {
            for node in tree.tree.nodes where node.kind != .leaf { isUsed[Int(node.place)] = true }
            for (feature, gain) in tree.gains.enumerated() { total[feature] += gain }
        }
        let used = isUsed.indices.filter { isUsed[$0] }
        var places = [UInt16](repeating: 0, count: columns.count)
        for (place, feature) in used.enumerated() { places[feature] = UInt16(truncatingIfNeeded: place) }
        let trees = grown.map { grown in
            var tree = grown.tree
            for index in tree.nodes.indices where tree.nodes[index].kind != .leaf {
                tree.nodes[index].place = places[Int(tree.nodes[index].place)]
            }
            return tree
        }
        self.init(
            featureCount: columns.count, output: target.output, usedFeatures: used,
            binnings: used.map { columns.binnings[$0] }, gains: used.map { total[$0] }, trees: trees,
            plan: plan, fingerprint: fingerprint, warnings: target.warnings)
    }
}

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

    /// Runs `body` on each block of rows; it writes `outputCount` numbers per row.
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

extension FittedForest {
    private static let outOfBagBlockRows = 256

    /// Predictions of the rows of `task`, which the forest was fitted to, each by those trees alone that were not
    /// drawn the row (nor its cluster): `outputCount` numbers per row, in the order of `task.rows`; NaN where every
    /// tree saw the row.
    ///
    /// The draws are repeated from the seed, so that nothing about the rows needs to be kept: it also works on a
    /// forest read from a file. O(rows · trees · depth), and a bit for each row and tree.
    ///
    /// - Throws: `invalidArgument` where the task has other rows than the forest was fitted to, such as those alone that one of
    ///   several processes holds; `cancelled`.
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
        let own = ForestRows(own: task)
        let sampler = ForestSampler(own, plan)
        guard fingerprint == ForestFingerprint(own, trained: sampler.rows) else {
            throw MetaLearnersError(
                .invalidArgument, at: "task", "has other rows than the forest was fitted to",
                remedy: "pass the task itself; a forest of rows that several processes hold needs all of them"
            )
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
        let draw = ForestSampler(ForestRows(own: task), plan).draw(tree: tree)
        return (draw.structure, draw.estimation)
    }
}

/// Turns rows of columns into bins, those of a row side by side.
struct RowBinner: Sendable {
    private let columns: [StridedValues]
    private let binnings: [ColumnBinning]

    /// Bins of a row.
    var width: Int { columns.count }

    init(_ columns: [StridedValues], _ binnings: [ColumnBinning]) {
        self.columns = columns
        self.binnings = binnings
    }

    /// Calls `body` with the bins of the rows at `positions` of `rows` (nil for all rows, in order).
    func withBins(of positions: Range<Int>, _ rows: [Int32]?, _ body: (UnsafePointer<UInt16>) -> Void) {
        let count = positions.count
        let width = width
        withUnsafeTemporaryAllocation(of: UInt16.self, capacity: count * (width + 1) + 64) { words in
            guard let column = words.baseAddress else { return }
            let bins = column + count
            for place in 0..<width {
                if let rows {
                    rows.withUnsafeBufferPointer {
                        binnings[place].map(
                            columns[place], .list(.init(rebasing: $0[positions])), toWords: column)
                    }
                } else {
                    binnings[place].map(columns[place], .range(positions), toWords: column)
                }
                for row in 0..<count { bins[row * width + place] = column[row] }
            }
            body(UnsafePointer(bins))
        }
    }
}
