/// The rows of a fit that may stop early: those to learn from, and those held out to say when.
///
/// Every backend that stops early holds out the same rows for the same task and share: whole clusters where there are
/// any, drawn from the task's seed.
package struct HeldOutRows: Sendable {
    /// The rows of the task, ascending, but those of weight 0.
    package let rows: [Int32]
    /// What a user must be told.
    package let warnings: [String]
    /// Whether each of `rows` is held out; empty where none is.
    private let isHeldOut: [Bool]

    /// Parts the rows of `task`. O(rows).
    ///
    /// - Parameters:
    ///   - share: which share of them is held out.
    ///   - patience: rounds without improvement after which to stop; 0 where training never stops early.
    package init(_ task: TrainingTask, share: Double, patience: Int) {
        if let weights = task.weights {
            rows = task.rows.filter { weights[Int($0)] > 0 }
        } else {
            rows = task.rows
        }
        let drawn = patience > 0 ? Self.draw(rows, task, share) : []
        let isParted = drawn.contains(true)
        isHeldOut = isParted ? drawn : []
        warnings =
            patience > 0 && !isParted
            ? ["early stopping needs two rows (or clusters) at least; all trees were grown"] : []
    }

    /// The positions in `rows` of those to learn from, ascending.
    package var learnedPositions: [Int] {
        isHeldOut.isEmpty ? Array(rows.indices) : rows.indices.filter { !isHeldOut[$0] }
    }

    /// The positions in `rows` of those held out, ascending; none where early stopping is not wanted, or where there
    /// are not two rows (or clusters) to part.
    package var heldOutPositions: [Int] { isHeldOut.isEmpty ? [] : rows.indices.filter { isHeldOut[$0] } }

    /// The rows to learn from, ascending.
    package var learned: [Int32] { isHeldOut.isEmpty ? rows : learnedPositions.map { rows[$0] } }

    /// The rows held out, ascending.
    package var heldOut: [Int32] { heldOutPositions.map { rows[$0] } }

    private static func draw(_ rows: [Int32], _ task: TrainingTask, _ share: Double) -> [Bool] {
        var isHeldOut = [Bool](repeating: false, count: rows.count)
        guard rows.count > 1 else { return isHeldOut }
        var stream = RandomStream(seed: task.seed, path: 0x484F_4C44)
        let wanted = min(rows.count - 1, max(1, Int((share * Double(rows.count)).rounded())))
        guard let clusters = task.clusters else {
            var order = Array(rows.indices)
            stream.shuffle(&order)
            for position in order.prefix(wanted) { isHeldOut[position] = true }
            return isHeldOut
        }
        var sizes: [Int32: Int] = [:]
        for row in rows { sizes[clusters[Int(row)], default: 0] += 1 }
        var order = sizes.keys.sorted()
        stream.shuffle(&order)
        var chosen: Set<Int32> = []
        var count = 0
        // One cluster at least is learned from.
        for cluster in order.dropLast() where count < wanted {
            chosen.insert(cluster)
            count += sizes[cluster] ?? 0
        }
        for (position, row) in rows.enumerated() { isHeldOut[position] = chosen.contains(clusters[Int(row)]) }
        return isHeldOut
    }
}

/// Watches the loss of the rows held out, and finds the number of rounds after which it was least.
///
/// A loss that is NaN or infinite is no improvement on any other.
package struct EarlyStopping: Sendable {
    private let patience: Int
    private var bestLoss: Double
    /// After how many rounds the loss was least; 0 where no round improved on none.
    package private(set) var bestRounds = 0

    /// Starts to watch.
    ///
    /// - Parameters:
    ///   - patience: how many rounds without an improvement are waited for.
    ///   - initialLoss: the loss before the first round, of the constant that boosting starts from.
    package init(patience: Int, initialLoss: Double) {
        self.patience = patience
        bestLoss = initialLoss.isNaN ? .infinity : initialLoss
    }

    /// Takes the loss after `rounds` rounds, and says whether to stop.
    package mutating func shouldStop(_ loss: Double, rounds: Int) -> Bool {
        if loss < bestLoss {
            bestLoss = loss
            bestRounds = rounds
        }
        return rounds - bestRounds >= patience
    }
}
