import MetaLearnersCore

/// The scores of two classes, and the gradients and Hessians that follow from them.
///
/// Rows that bytes tell the leaves of are advanced by a tree when their next gradients are made: both in one pass. Where bytes tell
/// those of all rows that anybody needs, and these are not all rows of the dataset, scores are kept for these alone, one after
/// another, and laid out row by row only for as many rows at a time as fit into a cache.
final class LogisticScores {
    private let problem: BoostingProblem
    /// The score of each row, or where they are packed of each training row; of training rows the last tree's step may be missing.
    let scores: AlignedBuffer<Double>
    /// Whether there are scores for training rows alone, by their positions.
    private let isPacked: Bool
    /// By byte, what rows known by bytes are still to be advanced by.
    private var steps: [Double]?

    /// Every row starts at `baseScore`.
    ///
    /// - Throws: `outOfMemory`.
    init(_ problem: BoostingProblem, baseScore: Double) throws(MetaLearnersError) {
        self.problem = problem
        let rows = problem.rows
        isPacked =
            rows.heldOut.isEmpty
            && rows.shards.contains { $0.active.bytes?.countsAll == false }
            && rows.shards.allSatisfy { $0.active.hasBytes }
        let count = isPacked ? rows.training.count : problem.matrix.rowCount
        scores = try AlignedBuffer(uninitialized: count)
        scores.start.update(repeating: baseScore, count: count)
    }

    /// Rows whose weights are made at a time.
    private static let blockRows = 4096

    /// Calls `body` with blocks of `range` and, by the number of the row, the weight of each, negative for class 0.
    private func withSignedWeights(
        _ range: Range<Int>, _ body: (Range<Int>, UnsafePointer<Double>) -> Void
    ) {
        let task = problem.task
        withUnsafeTemporaryAllocation(of: Double.self, capacity: min(Self.blockRows, max(range.count, 1))) {
            block in
            guard let start = block.baseAddress else { return }
            for first in stride(from: range.lowerBound, to: range.upperBound, by: block.count) {
                let rows = first..<min(range.upperBound, first + block.count)
                task.numbers.copy(rows, to: start)
                if let weights = task.weights {
                    for row in rows {
                        start[row - first] = start[row - first] > 0 ? weights[row] : -weights[row]
                    }
                } else {
                    for row in 0..<rows.count { start[row] = start[row] > 0 ? 1 : -1 }
                }
                body(rows, start - first)
            }
        }
    }

    /// Makes the gradients and Hessians of the training rows, times their scales.
    func fill<Cell: RefreshedCell>(
        _: Cell.Type, _ gradients: AlignedBuffer<Cell.Row>, _ scales: GradientScales
    ) {
        let rows = problem.rows.training
        let firstRow = problem.rows.distribution?.firstRow ?? 0
        func fill(_ range: Range<Int>, _ leaves: UnsafePointer<UInt8>?, _ steps: UnsafePointer<Double>?) {
            withSignedWeights(range) { rows, signedWeights in
                Cell.fillLogistic(
                    rows, scores.start, signedWeights, leaves: leaves, steps: steps, scales,
                    number: firstRow, into: gradients.start)
            }
        }
        problem.team.run(problem.rows.shards.count) { shard in
            let positions = problem.rows.range(ofShard: shard)
            guard let first = positions.first, let last = positions.last else { return }
            if isPacked, let bytes = problem.rows.shards[shard].active.markLeaves() {
                return fillPacked(Cell.self, gradients, scales, bytes, from: first)
            }
            if let steps, let bytes = problem.rows.shards[shard].active.markLeaves() {
                steps.withUnsafeBufferPointer { fill(bytes.span, bytes.leaves.start, $0.baseAddress) }
                return
            }
            let span = Int(rows[first])..<Int(rows[last]) + 1
            // Side by side rows are so much faster that those between, which nobody reads, cost less.
            if span.count < 4 * positions.count {
                fill(span, nil, nil)
            } else {
                for position in positions { fill(Int(rows[position])..<Int(rows[position]) + 1, nil, nil) }
            }
        }
        steps = nil
    }

    /// The same for the rows of a shard whose scores are packed.
    ///
    /// - Parameter position: of its first row among the training rows.
    private func fillPacked<Cell: RefreshedCell>(
        _: Cell.Type, _ gradients: AlignedBuffer<Cell.Row>, _ scales: GradientScales, _ bytes: LeafBytes,
        from position: Int
    ) {
        let firstRow = problem.rows.distribution?.firstRow ?? 0
        let leaves = bytes.leaves.start
        let outside = LeafBytes.outside
        var position = position
        withUnsafeTemporaryAllocation(of: Double.self, capacity: Self.blockRows) { block in
            guard let ofRow = block.baseAddress else { return }
            withSignedWeights(bytes.span) { rows, signedWeights in
                let first = rows.lowerBound
                // (Rows that do not count get the score of the next one that does, which nobody reads.)
                var next = position
                for row in rows {
                    ofRow[row - first] = scores.start[next]
                    next += leaves[row] == outside ? 0 : 1
                }
                func fill(_ steps: UnsafePointer<Double>?) {
                    Cell.fillLogistic(
                        rows, ofRow - first, signedWeights, leaves: steps == nil ? nil : leaves, steps: steps,
                        scales, number: firstRow, into: gradients.start)
                }
                guard let steps else { return fill(nil) }
                steps.withUnsafeBufferPointer { fill($0.baseAddress) }
                next = position
                for row in rows {
                    let counts = leaves[row] != outside
                    scores.start[next] = counts ? ofRow[row - first] : scores.start[next]
                    next += counts ? 1 : 0
                }
                position = next
            }
        }
    }

    /// Adds a tree with `values` to the scores of all rows, those known by bytes later on.
    func advance(_ values: [Float]) {
        let steps = LeafBytes.table(values.map { Double($0) })
        self.steps = steps
        problem.team.run(problem.rows.shards.count) { index in
            let shard = problem.rows.shards[index]
            for list in [shard.active, shard.idle, shard.heldOut] where !list.hasBytes {
                list.forEachRow { leaf, row in scores.start[row] += steps[leaf] }
            }
        }
    }
}
