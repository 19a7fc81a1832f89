/// A fitted estimator that says how uncertain its predictions are.
public protocol VarianceEstimating: FittedEstimator {
    /// Whether this model can: a forest without little bags cannot, say.
    var estimatesVariance: Bool { get }

    /// The variance of the prediction of each named row over samples of the training data; its square root is a
    /// standard error.
    ///
    /// - Parameters:
    ///   - features: columns by position, of the kinds trained on.
    ///   - rows: which rows, nil for all.
    ///   - context: threads to use, and whether to stop.
    /// - Returns: `outputCount` numbers for each row, one row after another.
    /// - Throws: `unsupported` where `estimatesVariance` is false, and what `predict` throws.
    func predictVariance(_ features: Table, rows: [Int32]?, _ context: ExecutionContext)
        throws(MetaLearnersError) -> [Double]
}
