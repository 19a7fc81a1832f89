/// Cells of rows whose gradients a quadratic loss moves on from tree to tree.
protocol QuadraticCell: HistogramCell {
    static func sum(of row: Row, countShift: Int64) -> Sum
    /// The row once `step`, on the grid of leaf values, is added to its prediction by a quadratic loss.
    static func advanced(_ row: Row, by step: Int64, countShift: Int64) -> Row
    /// The row on a grid of gradients twice as coarse.
    static func halved(_ row: Row) -> Row
    static func gradient(of row: Row) -> Int64
    /// The word of a row that moves as trees are added.
    static func stored(_ row: Row) -> Int64
}
