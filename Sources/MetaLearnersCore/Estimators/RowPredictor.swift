/// A fitted model prepared to predict one row at a time: it neither allocates memory nor starts threads.
public protocol RowPredictor: Sendable {
    /// How many numbers a prediction has.
    var outputCount: Int { get }

    /// Predicts a row; the result is, to the bit, that of `FittedEstimator.predict`.
    ///
    /// - Parameters:
    ///   - row: the numbers of every column that the model was trained on, in that order; NaN where one is missing.
    ///   - outputs: room for `outputCount` numbers.
    func predict(_ row: UnsafePointer<Double>, to outputs: UnsafeMutablePointer<Double>)
}

/// A fitted model that can be prepared for single rows.
public protocol RowPredictable: FittedEstimator {
    /// The model prepared for single rows; nil where it needs more than numbers, such as categories.
    func makeRowPredictor() -> (any RowPredictor)?
}
