import MetaLearnersCore

/// Minimises Σ (v − f·z·β)² + l2·|β|² over β, where rows f·z come from a design matrix, with responses v.
///
/// Where l2 is 0 and the minimum is not unique, the solution is the one of least norm.
struct LeastSquares {
    let design: DesignBlocks
    /// What each row of the design matrix is multiplied by.
    let factors: [Double]
    /// The response of each row.
    let responses: [Double]
    let l2: Double
    /// What joins the processes that hold the rows; nil where there are no others.
    var distribution: DistributedRows?

    /// What came out.
    struct Solution {
        /// One for each column of the design matrix.
        let coefficients: [Double]
        /// The rank of the design matrix where it is less than could be, nil where nobody had to ask.
        let deficientRank: Int?
    }

    /// Below this reciprocal condition number, squaring it would cost too many digits, and the design matrix is
    /// factorised itself instead of its Gram matrix.
    private static let leastReciprocalCondition = 1e-7

    /// - Throws: `numericalFailure` where numbers overflow, `outOfMemory`, `cancelled`.
    /// - Complexity: O(rows × columns²), with columns² + 256 × columns numbers of memory; for more columns than
    ///   rows O(rows² × columns), with rows × columns.
    func solve(_ context: ExecutionContext) throws(MetaLearnersError) -> Solution {
        guard design.width > 0 else { return Solution(coefficients: [], deficientRank: nil) }
        if let sparse = design.sparse { return try solve(sparse, context) }
        if let distribution {
            // The sums of products are all that processes need to tell each other. The solution is that of the first: processors
            // that differ may round differently.
            let own = try solvePrimal(context)
            if try !distribution.any(own == nil) {
                return try checked(distribution.agreed(own ?? []), nil)
            }
            throw MetaLearnersError(
                .numericalFailure, at: "linear model",
                "its columns nearly depend on each other, or outnumber the rows",
                remedy: "use ridge, or a larger l2")
        }
        let wide = design.width > design.rows.count
        if !wide {
            if let coefficients = try solvePrimal(context) { return try checked(coefficients, nil) }
        } else if l2 > 0 {
            if let coefficients = try solveDual(context) { return try checked(coefficients, nil) }
        }
        let solution = try OrthogonalLeastSquares(self).solve(context)
        return try checked(solution.coefficients, solution.deficientRank)
    }

    /// The most sparse columns whose Gram matrix is factorised before anything else is tried: the time that takes grows
    /// with the third power of the columns.
    static let factorLimit = 500

    /// By the Gram matrix where there are few columns, else by conjugate gradients, and if these do not get there by the
    /// Gram matrix after all.
    private func solve(_ sparse: SparseRows, _ context: ExecutionContext) throws(MetaLearnersError)
        -> Solution
    {
        let rank = l2 == 0 && sparse.width >= sparse.count ? sparse.count - 1 : nil
        let hasGram = !design.isTooWide && (l2 > 0 || sparse.count >= sparse.width)
        let isNarrow = hasGram && sparse.width <= Self.factorLimit
        if isNarrow, let coefficients = try solvePrimal(context) { return try checked(coefficients, nil) }
        let solution = try SparseLeastSquares(
            design: sparse, factors: factors, responses: responses, l2: l2
        ).solve(context)
        if solution.converged { return try checked(solution.coefficients, rank) }
        if hasGram, !isNarrow, let coefficients = try solvePrimal(context) {
            return try checked(coefficients, rank)
        }
        throw MetaLearnersError(
            .numericalFailure, at: "linear model", "its columns nearly depend on each other",
            remedy: "use ridge, or a larger l2")
    }

    private func checked(_ coefficients: [Double], _ rank: Int?) throws(MetaLearnersError) -> Solution {
        guard coefficients.allSatisfy(\.isFinite) else { throw Self.overflow }
        return Solution(coefficients: coefficients, deficientRank: rank)
    }

    static let overflow = MetaLearnersError(
        .numericalFailure, at: "linear model", "the sums of squares overflow",
        remedy: "rescale the target, the weights or the covariates")

    /// Makes each block of the design matrix, its rows multiplied by their factors.
    func forEachBlock(
        into buffer: DoubleBuffer, _ context: ExecutionContext,
        _ body: (Range<Int>) throws(MetaLearnersError) -> Void
    ) throws(MetaLearnersError) {
        try design.forEach(into: buffer, context) { range throws(MetaLearnersError) in
            factors.withUnsafeBufferPointer { factors in
                let factors = UnsafeBufferPointer(rebasing: factors[range])
                for column in 0..<design.width {
                    let values = buffer.start + column * DesignBlocks.rowsPerBlock
                    for row in 0..<factors.count { values[row] *= factors[row] }
                }
            }
            try body(range)
        }
    }

    /// The same for some of the rows.
    func restricted(to range: Range<Int>) -> LeastSquares {
        LeastSquares(
            design: design.restricted(to: range),
            factors: Array(factors[range]), responses: Array(responses[range]), l2: l2)
    }

    /// By the Gram matrix: (Z'Z + l2·I) β = Z'v. Nil where that is too ill-conditioned.
    private func solvePrimal(_ context: ExecutionContext) throws(MetaLearnersError) -> [Double]? {
        let order = design.width
        let sums = try GramSums.of(self, context)
        if let distribution { try GramSums.addOtherProcesses([sums], distribution) }
        let gram = try DoubleBuffer(order * order)
        let moments = try DoubleBuffer(order)
        for column in 0..<order {
            (gram.start + column * order).update(from: sums.column(column), count: column + 1)
        }
        moments.start.update(from: sums.response, count: order)
        guard gram.isFinite, moments.isFinite else { throw Self.overflow }
        for column in 0..<order { gram.start[column * (order + 1)] += l2 }
        guard let factor = try CholeskyFactor(gram, order: order),
            factor.reciprocalCondition >= Self.leastReciprocalCondition
        else { return nil }
        factor.solve(moments)
        return moments.array
    }

    /// By the matrix of the rows' inner products, the smaller one where columns are many:
    /// β = Z'(ZZ' + l2·I)⁻¹ v. Nil where that is too ill-conditioned.
    private func solveDual(_ context: ExecutionContext) throws(MetaLearnersError) -> [Double]? {
        let order = design.rows.count
        let rows = Int32(order)
        let width = Int32(design.width)
        let matrix = try wholeMatrix(context)
        let kernel = try DoubleBuffer(order * order)
        BLAS.syrk(
            .plain, rows, width, 1, matrix.start, rows, 0, kernel.start, rows
        )
        guard kernel.isFinite else { throw Self.overflow }
        for row in 0..<order { kernel.start[row * (order + 1)] += l2 }
        let multipliers = try DoubleBuffer(order)
        for row in 0..<order { multipliers.start[row] = responses[row] }
        try context.checkCancellation()
        guard let factor = try CholeskyFactor(kernel, order: order),
            factor.reciprocalCondition >= Self.leastReciprocalCondition
        else { return nil }
        factor.solve(multipliers)
        let coefficients = try DoubleBuffer(design.width)
        BLAS.gemv(
            .transposed, rows, width, 1, matrix.start, rows, multipliers.start, 1, 0,
            coefficients.start, 1)
        return coefficients.array
    }

    /// The whole design matrix by columns, for fewer rows than columns.
    func wholeMatrix(_ context: ExecutionContext) throws(MetaLearnersError) -> DoubleBuffer {
        let rows = design.rows.count
        let block = try DoubleBuffer(design.width * DesignBlocks.rowsPerBlock)
        let matrix = try DoubleBuffer(rows * design.width)
        try forEachBlock(into: block, context) { range throws(MetaLearnersError) in
            for column in 0..<design.width {
                (matrix.start + column * rows + range.lowerBound).update(
                    from: block.start + column * DesignBlocks.rowsPerBlock, count: range.count)
            }
        }
        return matrix
    }
}
