import MetaLearnersCore

/// One fit: XGBoost grows the trees, on gradients that are computed here.
///
/// The gradients are those of XGBoost's own objectives, computed in double precision and rounded to a grid on
/// which its sums are exact (`GradientGrid`).
struct BoostingRun<Loss: BoostingLoss> {
    let library: XGBoostLibrary
    let spec: XGBoostSpec
    let loss: Loss
    let roles: RowRoles
    let matrix: TrainingMatrix
    let parameters: [(name: String, value: String)]
    /// The margin that XGBoost starts from.
    let baseMargin: Double
    let context: ExecutionContext

    /// Trains, and returns the trees as bytes; nil where no tree was worth keeping.
    ///
    /// - Throws: `cancelled`; `invalidSpec` for a parameter that XGBoost refuses; `numericalFailure`.
    func train() throws(MetaLearnersError) -> [UInt8]? {
        let booster = try Booster(library, matrix: matrix, parameters: parameters)
        let cells = matrix.rowCount * loss.outputs
        let gradients = try AlignedBuffer<Float>(zeroed: cells)
        let hessians = try AlignedBuffer<Float>(zeroed: cells)
        let mask = try roles.mask()
        // Sums over the rows of all processes must be exact.
        let count =
            try distribution.map { distribution throws(MetaLearnersError) in
                try distribution.sum(matrix.rowCount)
            } ?? matrix.rowCount
        let hessianGrid = GradientGrid(magnitude: loss.hessianMagnitude, count: count)
        var grid = GradientGrid(magnitude: loss.gradientMagnitude, count: count)
        var stopping: EarlyStopping?
        for round in 0...spec.trees {
            try context.checkCancellation()
            guard round < spec.trees || !roles.heldOut.isEmpty else { break }
            let margins = RoundState.MarginPointer(
                start: try booster.trainingMargins(matrix, count: cells) ?? UnsafePointer(gradients.start),
                base: baseMargin)
            if !roles.heldOut.isEmpty {
                let loss = heldOutLoss(margins)
                if stopping == nil {
                    stopping = EarlyStopping(patience: spec.earlyStopping, initialLoss: loss)
                } else if stopping?.shouldStop(loss, rounds: round) == true || round == spec.trees {
                    break
                }
            }
            if roles.isSampled, let mask { roles.sample(round: round, into: mask) }
            let state = RoundState(
                margins: margins, gradients: gradients, hessians: hessians, isFirst: round == 0,
                active: mask)
            var largest = try differentiate(state, grid, hessianGrid)
            while largest > grid.limit, largest.isFinite {
                grid = GradientGrid(magnitude: largest, count: count)
                largest = try differentiate(state, grid, hessianGrid)
            }
            guard largest.isFinite else {
                throw MetaLearnersError(
                    .numericalFailure, at: "backend 'xgboost'",
                    "the gradients overflow in round \(round + 1)",
                    remedy: "rescale the weights, or use a larger l2")
            }
            try booster.boost(
                matrix, round: round, gradients: gradients, hessians: hessians, outputs: loss.outputs)
        }
        guard let stopping else { return try booster.saved() }
        guard stopping.bestRounds > 0 else { return nil }
        return try booster.first(stopping.bestRounds).saved()
    }

    private var distribution: DistributedRows? { roles.distribution }

    /// Fills gradients and Hessians, and gives the largest magnitude of a gradient in any process.
    private func differentiate(_ state: RoundState, _ gradients: GradientGrid, _ hessians: GradientGrid)
        throws(MetaLearnersError) -> Double
    {
        let own = differentiateOwn(state, gradients, hessians)
        return try distribution.maximum([own.isNaN && distribution != nil ? .infinity : own])[0]
    }

    private func differentiateOwn(
        _ state: RoundState, _ gradients: GradientGrid, _ hessians: GradientGrid
    ) -> Double {
        let count = matrix.rowCount
        let parts = max(1, min(context.threads, count / 16_384))
        guard parts > 1 else {
            return loss.differentiate(0..<count, state, gradients: gradients, hessians: hessians)
        }
        let largest = Lock(0.0)
        context.concurrently(parts) { part in
            let range = part * count / parts..<(part + 1) * count / parts
            let value = loss.differentiate(range, state, gradients: gradients, hessians: hessians)
            largest.withLock { $0 = value.isNaN || value > $0 ? value : $0 }
        }
        return largest.withLock { $0 }
    }

    private func heldOutLoss(_ margins: RoundState.MarginPointer) -> Double {
        roles.heldOut.reduce(0) { $0 + loss.loss(of: $1, margins) }
    }
}

/// A loss as boosting needs it: gradients by margin, and the loss of the rows held out.
///
/// Rows count by their position in the matrix. A margin is `baseScore + (XGBoost's margin)`, in the scale of the loss.
protocol BoostingLoss: Sendable {
    /// Numbers a row.
    var outputs: Int { get }
    /// Where the largest gradient lies at the start.
    var gradientMagnitude: Double { get }
    /// Where the largest Hessian lies.
    var hessianMagnitude: Double { get }

    /// Writes gradients and Hessians of the rows in `range`, rounded to the grids, 0 for inactive rows, and
    /// returns the largest magnitude of a gradient.
    func differentiate(
        _ range: Range<Int>, _ state: RoundState, gradients: GradientGrid, hessians: GradientGrid
    ) -> Double

    /// The loss of the row at `position`, up to a constant; its weight is part of it.
    func loss(of position: Int, _ margins: RoundState.MarginPointer) -> Double
}

/// What a loss reads and writes in a round, for a range of rows at a time.
struct RoundState: Sendable {
    /// Margins less what XGBoost starts from: `outputs` numbers per row.
    let margins: MarginPointer
    /// Where gradients go, `outputs` numbers per row.
    let gradients: AlignedBuffer<Float>
    /// Where Hessians go, `outputs` numbers per row.
    let hessians: AlignedBuffer<Float>
    /// Whether nothing has been written yet; what was written in a round is still there in the next.
    let isFirst: Bool
    /// 1 for each row to learn from in this round, 0 for the others; nil where all are learned from.
    let active: AlignedBuffer<UInt8>?

    /// Margins that XGBoost lends until its next call.
    struct MarginPointer: @unchecked Sendable {  // Read only, and only during the round.
        let start: UnsafePointer<Float>
        /// What XGBoost starts from.
        let base: Double
    }
}

/// The grid that gradients are rounded to, so fine that nothing is lost in single precision, and so coarse that
/// XGBoost's sums over rows, in double precision, are exact.
///
/// Exact sums do not depend on their order: the trees are the same to the bit whatever the number of threads.
struct GradientGrid: Sendable {
    /// Gradients beyond this need a coarser grid.
    let limit: Double
    /// Added and taken off again, it rounds a number to the grid.
    let rounding: Double

    /// The grid for numbers of about `magnitude` (up to 4 times that) in `count` rows.
    ///
    /// With 24 bits for a number of that magnitude, 2 more for larger ones and 26 for up to 2²⁶ rows, a sum stays
    /// within the 53 bits of a Double; for more rows the grid is coarser.
    init(magnitude: Double, count: Int) {
        let countBits = Int.bitWidth - max(count - 1, 1).leadingZeroBitCount
        let bits = min(24, 50 - countBits)
        let exponent = magnitude > 0 && magnitude.isFinite ? Int(magnitude.exponent) + 1 : 0
        limit = 4 * Self.power(exponent)
        rounding = 1.5 * Self.power(exponent - bits + 52)
    }

    /// The nearest number of the grid.
    @inline(__always) func rounded(_ number: Double) -> Double { (number + rounding) - rounding }

    private static func power(_ exponent: Int) -> Double {
        Double(sign: .plus, exponent: min(max(exponent, -1000), 1000), significand: 1)
    }
}
