/// A fitted estimator whose predictions are linear in coefficients, and that says how uncertain these are.
public protocol CovarianceEstimating: FittedEstimator {
    /// Whether this model can: one that selected its columns by the data cannot, say.
    var estimatesCovariance: Bool { get }

    /// The covariance of the coefficients, the intercept first, over samples of the training data: the sandwich
    /// A⁻¹BA⁻¹ (Huber 1967; White 1980), robust to unequal variances and, where the task has clusters, to dependence
    /// within these.
    ///
    /// - Parameters:
    ///   - task: the very task that the model was fitted to.
    ///   - kind: the correction for small samples; clusters have their own.
    ///   - context: threads to use, and whether to stop.
    /// - Returns: the upper triangle by columns: p(p + 1)/2 numbers for p coefficients.
    /// - Throws: `unsupported` where `estimatesCovariance` is false or there are as many coefficients as rows;
    ///   `invalidArgument` for another number of columns; `numericalFailure`, `outOfMemory`, `cancelled`.
    func coefficientCovariance(
        _ task: TrainingTask, _ kind: RobustCovariance, _ context: ExecutionContext
    ) throws(MetaLearnersError) -> [Double]

    /// The variance of the prediction of each row: x'Vx.
    ///
    /// - Parameters:
    ///   - features: columns by position, of the kinds trained on.
    ///   - covariance: what `coefficientCovariance` gave.
    ///   - context: threads to use, and whether to stop.
    /// - Throws: `invalidArgument` for another number of columns or coefficients; `outOfMemory`, `cancelled`.
    func predictVariance(_ features: Table, covariance: [Double], _ context: ExecutionContext)
        throws(MetaLearnersError) -> [Double]
}

/// How a robust covariance corrects for small samples (MacKinnon & White 1985).
public enum RobustCovariance: String, Sendable, CaseIterable {
    /// Squared residuals times n/(n − p).
    case hc1
    /// Residuals divided by 1 − leverage: close to the jackknife, wider in small samples.
    case hc3
}
