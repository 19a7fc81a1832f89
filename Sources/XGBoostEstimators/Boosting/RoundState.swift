import MetaLearnersCore

/// What a loss reads and writes in a round, for a range of rows at a time.
struct RoundState: Sendable {
    /// Margins less what XGBoost starts from: outputs numbers a row.
    let margins: MarginPointer
    /// Where gradients go, outputs numbers a row.
    let gradients: AlignedBuffer<Float>
    /// Where Hessians go, outputs numbers a row.
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
