import CTreeKernels
import MetaLearnersCore

/// The scores of two classes, and the gradients and Hessians that follow from them.
///
/// Rows that bytes tell the leaves of are advanced by a tree when their next gradients are made: both in one pass.
final class LogisticScores {
    private let problem: BoostingProblem
    /// The score of each row; of training rows the last tree's step may be missing.
    let scores: AlignedBuffer<Double>
    /// The weight of each row, negative for class 0.
    private let signedWeights: AlignedBuffer<Double>
    /// By byte, what rows known by bytes are still to be advanced by.
    private var steps: [Double]?

    /// Every row starts at `baseScore`.
    ///
    /// - Throws: `outOfMemory`.
    init(_ problem: BoostingProblem, baseScore: Double) throws(MetaLearnersError) {
        self.problem = problem
        let task = problem.task
        let rowCount = problem.matrix.rowCount
        scores = try AlignedBuffer(uninitialized: rowCount)
        signedWeights = try AlignedBuffer(uninitialized: rowCount)
        for row in 0..<rowCount {
            scores.start[row] = baseScore
            let weight = task.weights?[row] ?? 1
            signedWeights.start[row] = task.target[row] > 0 ? weight : -weight
        }
    }

    /// Makes the gradients and Hessians of the training rows, times their scales.
    func fill<Cell: RefreshedCell>(
        _: Cell.Type, _ gradients: AlignedBuffer<Cell.Row>, _ scales: GradientScales
    ) {
        let rows = problem.rows.training
        func fill(_ range: Range<Int>, _ leaves: UnsafePointer<UInt8>?, _ steps: UnsafePointer<Double>?) {
            Cell.fillLogistic(
                range, scores.start, signedWeights.start, leaves: leaves, steps: steps, scales,
                into: gradients.start)
        }
        problem.team.run(problem.rows.shards.count) { shard in
            let positions = problem.rows.range(ofShard: shard)
            guard let first = positions.first, let last = positions.last else { return }
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
