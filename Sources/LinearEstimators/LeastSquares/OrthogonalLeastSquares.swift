import MetaLearnersCore

/// Solves least squares by orthogonal transformations of the design matrix itself: for columns that nearly or
/// wholly depend on each other, and for more columns than rows.
///
/// Rows are stacked under the triangle R of those before and factorised again (a sequential QR), so that no more
/// than a few times columns² numbers are in memory; then the singular value decomposition R = U·S·V' gives
/// β = V·(S/(S² + l2))·U'v, singular values that rounding alone may have made counting as 0.
struct OrthogonalLeastSquares {
    private let problem: LeastSquares
    private let width: Int
    /// How many rows the stack holds.
    private let capacity: Int
    /// The columns of the design matrix and, last, the response.
    private let stack: DoubleBuffer

    init(_ problem: LeastSquares) throws(MetaLearnersError) {
        self.problem = problem
        width = problem.design.width
        // Enough for at least as many new rows as the triangle has; fewer rows than columns all fit.
        capacity = min(2 * (width + 1), problem.design.rows.count) + DesignBlocks.rowsPerBlock
        stack = try DoubleBuffer(capacity * (width + 1))
    }

    /// - Throws: `numericalFailure` where the decomposition fails, `outOfMemory`, `cancelled`.
    func solve(_ context: ExecutionContext) throws(MetaLearnersError) -> LeastSquares.Solution {
        let block = try DoubleBuffer(width * DesignBlocks.rowsPerBlock)
        var height = 0
        try problem.forEachBlock(into: block, context) { range throws(MetaLearnersError) in
            if height + range.count > capacity {
                try context.checkCancellation()
                height = try triangulate(height)
            }
            for column in 0..<width {
                (stack.start + column * capacity + height).update(
                    from: block.start + column * DesignBlocks.rowsPerBlock, count: range.count)
            }
            for (offset, row) in range.enumerated() {
                stack.start[width * capacity + height + offset] = problem.responses[row]
            }
            height += range.count
        }
        if height > width { height = try triangulate(height) }
        guard stack.isFinite else { throw LeastSquares.overflow }
        try context.checkCancellation()
        // The last row of the triangle holds nothing but the residual.
        return try decompose(rows: min(height, width))
    }

    /// Replaces the first `height` rows of the stack by their triangle, and gives its number of rows.
    private func triangulate(_ height: Int) throws(MetaLearnersError) -> Int {
        let columns = width + 1
        let kept = min(height, columns)
        let reflectors = try DoubleBuffer(kept)
        var info: Int32 = 0
        var best = 0.0
        let (m, n, lead) = (Int32(height), Int32(columns), Int32(capacity))
        LAPACK.geqrf([m], [n], stack.start, [lead], reflectors.start, &best, [-1], &info)
        let size = max(Int(exactly: best.rounded(.up)) ?? 0, columns)
        let work = try DoubleBuffer(size)
        LAPACK.geqrf(
            [m], [n], stack.start, [lead], reflectors.start, work.start, [Int32(clamping: size)], &info)
        guard info == 0 else { throw Self.failure }
        for column in 0..<columns where column + 1 < height {
            (stack.start + column * capacity + column + 1).update(repeating: 0, count: height - column - 1)
        }
        return kept
    }

    private static let failure = MetaLearnersError(
        .numericalFailure, at: "linear model", "the decomposition of the covariates did not converge",
        remedy: "look for covariates of extreme scale")

    private func decompose(rows: Int) throws(MetaLearnersError) -> LeastSquares.Solution {
        let singular = try DoubleBuffer(rows)
        let left = try DoubleBuffer(rows * rows)
        let right = try DoubleBuffer(rows * width)
        var integers = [Int32](repeating: 0, count: 8 * rows)
        var info: Int32 = 0
        var best = 0.0
        let (m, n, lead) = (Int32(rows), Int32(width), Int32(capacity))
        LAPACK.gesdd(
            "S", [m], [n], stack.start, [lead], singular.start, left.start, [m], right.start, [m], &best,
            [-1],
            &integers, &info, 1)
        guard info == 0, let room = Int(exactly: best.rounded(.up)), let room32 = Int32(exactly: room) else {
            throw Self.failure
        }
        let work = try DoubleBuffer(room)
        LAPACK.gesdd(
            "S", [m], [n], stack.start, [lead], singular.start, left.start, [m], right.start, [m], work.start,
            [room32], &integers, &info, 1)
        guard info == 0 else { throw Self.failure }

        let response = stack.start + width * capacity
        let rotated = try DoubleBuffer(rows)
        BLAS.gemv(.transposed, m, m, 1, left.start, m, response, 1, 0, rotated.start, 1)
        // Rounding adds up over the rows; this is the bound that numerical ranks are usually told by.
        let size = max(64, problem.design.rows.count, width)
        let cutoff = singular.start[0] * Double.ulpOfOne * Double(size)
        var rank = 0
        for index in 0..<rows {
            let value = singular.start[index]
            let counts = value > cutoff
            // S/(S² + l2), so written that the square cannot overflow.
            rotated.start[index] = counts ? rotated.start[index] / (value + problem.l2 / value) : 0
            if counts { rank += 1 }
        }
        let coefficients = try DoubleBuffer(width)
        BLAS.gemv(.transposed, m, n, 1, right.start, m, rotated.start, 1, 0, coefficients.start, 1)
        return LeastSquares.Solution(
            coefficients: coefficients.array, deficientRank: rank < width ? rank : nil)
    }
}
