import MetaLearnersCore

/// The eigen-decomposition of a symmetric matrix.
enum SymmetricEigen {
    /// Decomposes the matrix of `order` rows whose upper triangle, by columns, stands in `matrix`.
    ///
    /// - Parameter matrix: becomes the eigenvectors, one per column.
    /// - Returns: the eigenvalues, ascending.
    /// - Throws: `numericalFailure` where it does not converge, `outOfMemory`.
    /// - Complexity: O(order³).
    static func decompose(_ matrix: DoubleBuffer, order: Int) throws(MetaLearnersError) -> [Double] {
        let size = Int32(order)
        var info: Int32 = 0
        var best = 0.0
        var bestIntegers: Int32 = 0
        let values = try DoubleBuffer(order)
        LAPACK.syevd(
            "V", "U", [size], matrix.start, [size], values.start, &best, [-1], &bestIntegers, [-1], &info, 1,
            1)
        guard info == 0, let room = Int32(exactly: best.rounded(.up)), bestIntegers > 0 else { throw failure }
        let work = try DoubleBuffer(Int(room))
        var integers = [Int32](repeating: 0, count: Int(bestIntegers))
        LAPACK.syevd(
            "V", "U", [size], matrix.start, [size], values.start, work.start, [room], &integers,
            [bestIntegers],
            &info, 1, 1)
        guard info == 0, values.isFinite, matrix.isFinite else { throw failure }
        return values.array
    }

    private static let failure = MetaLearnersError(
        .numericalFailure, at: "linear model", "the decomposition of the covariates did not converge",
        remedy: "look for covariates of extreme scale")
}
