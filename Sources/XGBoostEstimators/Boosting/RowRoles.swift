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
    /// What a user must be told of them.
    let warnings: [String]
    private let rowSample: Double
    private let seed: UInt64

    /// Chooses the rows of `task`.
    init(_ task: TrainingTask, _ spec: XGBoostSpec) {
        let parting = HeldOutRows(task, share: spec.validationShare, patience: spec.earlyStopping)
        rows = parting.rows
        learned = parting.learnedPositions
        heldOut = parting.heldOutPositions
        warnings = parting.warnings
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

    /// Marks exactly the wanted share of the rows to learn from, each equally likely.
    func sample(round: Int, into mask: AlignedBuffer<UInt8>) {
        var stream = RandomStream(seed: seed, path: 0x524F_5753, UInt64(round))
        let wanted = max(1, Int((rowSample * Double(learned.count)).rounded()))
        stream.select(wanted, of: learned.count) { mask.start[learned[$0]] = $1 ? 1 : 0 }
    }
}
