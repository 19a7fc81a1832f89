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
        let hessianGrid = GradientGrid(magnitude: loss.hessianMagnitude, count: matrix.rowCount)
        var grid = GradientGrid(magnitude: loss.gradientMagnitude, count: matrix.rowCount)
        var stopping = roles.heldOut.isEmpty ? nil : EarlyStopping(patience: spec.earlyStopping)
        for round in 0...spec.trees {
            try context.checkCancellation()
            guard round < spec.trees || stopping != nil else { break }
            let margins = RoundState.MarginPointer(
                start: try booster.trainingMargins(matrix, count: cells), base: baseMargin)
            if stopping?.shouldStop(heldOutLoss(margins), rounds: round) == true || round == spec.trees {
                break
            }
            if roles.isSampled, let mask { roles.sample(round: round, into: mask) }
            let state = RoundState(
                margins: margins, gradients: gradients, hessians: hessians, isFirst: round == 0,
                active: mask)
            var largest = differentiate(state, grid, hessianGrid)
            while largest > grid.limit, largest.isFinite {
                grid = GradientGrid(magnitude: largest, count: matrix.rowCount)
                largest = differentiate(state, grid, hessianGrid)
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

    private func differentiate(_ state: RoundState, _ gradients: GradientGrid, _ hessians: GradientGrid)
        -> Double
    {
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
