import MetaLearnersCore

/// The eigen-decomposition of a covariance problem, which solves it for any ridge penalty.
struct RidgeSpectrum {
    private let eigenvalues: [Double]
    private let vectors: DoubleBuffer
    /// The moments in the basis of the eigenvectors.
    private let rotated: DoubleBuffer

    /// - Throws: `numericalFailure`, `outOfMemory`.
    /// - Complexity: O(columns³).
    init(_ problem: any CovarianceProblem) throws(MetaLearnersError) {
        let order = problem.width
        vectors = try DoubleBuffer(order * order)
        rotated = try DoubleBuffer(order)
        guard order > 0 else {
            eigenvalues = []
            return
        }
        for column in 0..<order {
            (vectors.start + column * order).update(from: try problem.column(column), count: order)
        }
        // Rounding alone can make an eigenvalue negative.
        eigenvalues = try SymmetricEigen.decompose(vectors, order: order).map { max($0, 0) }
        BLAS.gemv(
            .transposed, Int32(order), Int32(order), 1, vectors.start, Int32(order),
            problem.moments, 1, 0, rotated.start, 1)
    }

    /// (G + penalty·I)⁻¹·c. O(columns²).
    ///
    /// - Throws: `outOfMemory`.
    func coefficients(penalty: Double) throws(MetaLearnersError) -> [Double] {
        let order = eigenvalues.count
        guard order > 0 else { return [] }
        let shrunk = try DoubleBuffer(order)
        for index in 0..<order {
            shrunk.start[index] = rotated.start[index] / (eigenvalues[index] + penalty)
        }
        let result = try DoubleBuffer(order)
        BLAS.gemv(
            .plain, Int32(order), Int32(order), 1, vectors.start, Int32(order),
            shrunk.start, 1, 0, result.start, 1)
        return result.array
    }
}
