import MetaLearnersCore

/// The rows of a fit: those to learn from, those held out for early stopping, and those that a tree sees.
///
/// Rows held out, and rows that a tree does not see, stay in the matrix with gradients of 0: so the matrix serves
/// every fit on the same rows, and XGBoost's own bookkeeping gives the margins of the rows held out.
struct RowRoles {
    /// The rows in the matrix, ascending; rows of weight 0 are none of them.
    let rows: [Int32]
    /// The positions of the rows to learn from, ascending.
    let learned: [Int]
    /// The positions of the rows held out, ascending.
    let heldOut: [Int]
    private let rowSample: Double
    private let seed: UInt64

    /// Chooses the rows of `task`.
    init(_ task: TrainingTask, _ spec: XGBoostSpec) {
        if let weights = task.weights {
            rows = task.rows.filter { weights[Int($0)] > 0 }
        } else {
            rows = task.rows
        }
        let isHeldOut = Self.holdOut(rows, task, spec)
        learned = rows.indices.filter { !isHeldOut[$0] }
        heldOut = rows.indices.filter { isHeldOut[$0] }
        rowSample = spec.rowSample
        seed = task.seed
    }

    /// Whether which rows are learned from differs from round to round.
    var isSampled: Bool { rowSample < 1 }

    /// The mask of the rows to learn from, before any sampling; nil where all are.
    ///
    /// - Throws: `outOfMemory`.
    func mask() throws(MetaLearnersError) -> AlignedBuffer<UInt8>? {
        guard isSampled || !heldOut.isEmpty else { return nil }
        let mask = try AlignedBuffer<UInt8>(zeroed: rows.count)
        for position in learned { mask.start[position] = 1 }
        return mask
    }

    /// Marks exactly the wanted share of the rows to learn from, each equally likely (selection sampling; Knuth,
    /// TAOCP 3.4.2, S).
    func sample(round: Int, into mask: AlignedBuffer<UInt8>) {
        var stream = RandomStream(seed: seed, path: 0x524F_5753, UInt64(round))
        var needed = max(1, Int((rowSample * Double(learned.count)).rounded()))
        var left = learned.count
        for position in learned {
            let isChosen = stream.uniform() * Double(left) < Double(needed)
            mask.start[position] = isChosen ? 1 : 0
            if isChosen { needed -= 1 }
            left -= 1
        }
    }

    private static func holdOut(_ rows: [Int32], _ task: TrainingTask, _ spec: XGBoostSpec) -> [Bool] {
        var isHeldOut = [Bool](repeating: false, count: rows.count)
        guard spec.earlyStopping > 0, rows.count > 1 else { return isHeldOut }
        var stream = RandomStream(seed: task.seed, path: 0x484F_4C44)
        let wanted = min(rows.count - 1, max(1, Int((spec.validationShare * Double(rows.count)).rounded())))
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
        for cluster in order.dropLast() where count < wanted {
            chosen.insert(cluster)
            count += sizes[cluster] ?? 0
        }
        for (position, row) in rows.enumerated() { isHeldOut[position] = chosen.contains(clusters[Int(row)]) }
        return isHeldOut
    }
}
