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
