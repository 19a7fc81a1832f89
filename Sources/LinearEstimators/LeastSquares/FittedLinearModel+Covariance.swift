import MetaLearnersCore

extension FittedLinearModel: CovarianceEstimating {
    /// Lasso and elastic net choose columns by the same data, which a sandwich knows nothing of.
    var estimatesCovariance: Bool {
        backendName == OLSEstimator.backend.name || backendName == RidgeEstimator.backend.name
    }

    /// The most coefficients of levels whose covariance is computed: it takes time that grows with their third power.
    private static let covarianceLimit = 256

    /// Independent rows: HC1 or HC3; clusters: CR1, with G/(G − 1) · (n − 1)/(n − p). Of a penalised fit, A includes the
    /// penalty, and the covariance is that of the estimate around what it estimates.
    func coefficientCovariance(
        _ task: TrainingTask, _ kind: RobustCovariance, _ context: ExecutionContext
    ) throws(MetaLearnersError) -> [Double] {
        try encoder.requireKinds(of: task.features)
        guard estimatesCovariance else {
            throw MetaLearnersError(
                .unsupported, at: backendName, "its coefficients have no covariance",
                remedy: "use ols or ridge")
        }
        // The covariances of numbers are left to whoever gives so many of them.
        guard encoder.width <= Self.covarianceLimit || !SparseRows.serve(task.features, .none) else {
            throw MetaLearnersError(
                .unsupported, at: "intervals",
                "a covariance of \(encoder.width) coefficients, most of them of levels, would take minutes; "
                    + "up to \(Self.covarianceLimit) are computed",
                remedy: "group the levels of the largest category, or use intervals.method: half_sampling")
        }
        return try BLASThreads.single { () throws(MetaLearnersError) in
            try SandwichCovariance(
                encoder: encoder, coefficients: coefficients, task: task, backend: backendName, context
            ).estimate(kind, clusters: task.clusters, context)
        }
    }

    func predictVariance(_ features: Table, covariance: [Double], _ context: ExecutionContext)
        throws(MetaLearnersError) -> [Double]
    {
        try encoder.requireKinds(of: features)
        let width = coefficients.count + 1
        guard covariance.count == width * (width + 1) / 2 else {
            throw MetaLearnersError(
                .invalidArgument, at: "covariance", "it is not that of \(width) coefficients")
        }
        return try BLASThreads.single { () throws(MetaLearnersError) in
            let rows = Array(0..<Int32(features.rowCount))
            let step = DesignBlocks.rowsPerBlock
            let matrix = try SandwichCovariance.unpacked(covariance, width)
            let block = try DoubleBuffer(width * step)
            let product = try DoubleBuffer(width * step)
            var variances = [Double](repeating: 0, count: rows.count)
            try DesignBlocks(encoder: encoder, features: features, rows: rows).forEach(into: block, context) {
                range throws(MetaLearnersError) in
                (block.start + (width - 1) * step).update(repeating: 1, count: step)
                SandwichCovariance.multiply(block, by: matrix, width, into: product)
                for (offset, row) in range.enumerated() {
                    var sum = 0.0
                    for column in 0..<width {
                        sum += block.start[column * step + offset] * product.start[column * step + offset]
                    }
                    variances[row] = max(sum, 0)
                }
            }
            return variances
        }
    }
}
