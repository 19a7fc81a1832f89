/// Where the rows of a design matrix come from.
protocol DesignSource: Sendable {
    /// How many columns the design matrix has.
    var width: Int { get }

    /// Writes some rows, by columns that are `stride` apart.
    ///
    /// - Parameters:
    ///   - rows: at most `scratch.count` rows.
    ///   - scratch: room for one number a row.
    func fill(
        _ rows: UnsafeBufferPointer<Int32>, to target: UnsafeMutablePointer<Double>, stride: Int,
        scratch: UnsafeMutableBufferPointer<Double>)
}
