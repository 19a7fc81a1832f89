import MetaLearnersCore

/// The losses of k-fold cross-validation of ridge regression, for each of several penalties.
///
/// The sums of products of each fold are formed once; a fold's problem is the sum of those of the others, and one
/// eigen-decomposition of it serves all penalties. Intercepts are those of the fold. For more columns than rows, rows
/// are first rotated into the basis of their own inner products' eigenvectors, U·S, where they have as many columns as
/// rows, and where a penalty on squares is the same.
struct RidgeFolds {
    /// The loss of each fold's rows at the model of the others, penalty by penalty.
    let losses: [[Double]]

    /// - Parameters:
    ///   - problem: with its rows ordered by fold.
    ///   - folds: ranges of its rows.
    ///   - rotated: for more columns than rows, U·S by columns; else nil.
    /// - Throws: `numericalFailure` where sums overflow, `outOfMemory`, `cancelled`.
    /// - Complexity: O(folds × columns³) beside the sums of products.
    init(
        _ problem: LeastSquares, _ folds: [Range<Int>], penalties: [Double], rotated: DoubleBuffer?,
        _ context: ExecutionContext
    ) throws(MetaLearnersError) {
        let width = rotated == nil ? problem.design.width : problem.responses.count
        let parts: [GramSums]
        if let rotated {
            parts = try GramSums.of(
                rotated, factors: problem.factors, responses: problem.responses, groups: folds)
        } else {
            parts = try GramSums.of(problem, groups: folds, context)
            if let distribution = problem.distribution {
                try GramSums.addOtherProcesses(parts, distribution)
            }
        }
        losses = try ParallelParts.run(folds.count, context) { fold throws(MetaLearnersError) in
            var others = parts
            let heldOut = others.remove(at: fold)
            let covariance = try DenseCovariance(others, heldOut: heldOut, width: width)
            let spectrum = try RidgeSpectrum(covariance)
            let support = Array(0..<width)
            return try penalties.map { penalty throws(MetaLearnersError) in
                let coefficients = try spectrum.coefficients(penalty: penalty / covariance.totalWeight)
                return covariance.heldOutLoss(coefficients, support: support)
            }
        }
    }
}
