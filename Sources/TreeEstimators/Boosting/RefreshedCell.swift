/// Cells of rows whose gradients and Hessians are made anew for each tree.
protocol RefreshedCell: HistogramCell {
    /// What a row's gradient and Hessian are multiplied by, so that no row and no sum of rows is too large for its place.
    static func scales(_ magnitudes: GradientMagnitudes, countShift: Int) -> GradientScales
    /// A row of scaled numbers.
    static func row(gradient: Double, hessian: Double, number: Int) -> Row
    /// `mtlk_logistic_gradients` for such rows.
    static func fillLogistic(
        _ rows: Range<Int>, _ scores: UnsafeMutablePointer<Double>, _ signedWeights: UnsafePointer<Double>,
        leaves: UnsafePointer<UInt8>?, steps: UnsafePointer<Double>?, _ scales: GradientScales,
        into gradients: UnsafeMutablePointer<Row>)
}
