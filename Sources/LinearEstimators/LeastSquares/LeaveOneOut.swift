import MetaLearnersCore

/// The mean squared error of each row at the ridge fit to all others, for each of several penalties.
struct LeaveOneOut {
    let penalties: [Double]
    let eigenvalues: [Double]
    let rotated: [Double]
    /// Whether the eigenvectors are those of the rows' inner products.
    let wide: Bool
    let problem: LeastSquares

    /// Σ (e/(1 − h))² / n for each penalty.
    ///
    /// - Throws: `outOfMemory`, `cancelled`.
    /// - Complexity: O(rows × columns × (columns + penalties)).
    func errors(_ vectors: DoubleBuffer, _ context: ExecutionContext) throws(MetaLearnersError) -> [Double] {
        let order = eigenvalues.count
        let step = DesignBlocks.rowsPerBlock
        let count = problem.responses.count
        let fits = try DoubleBuffer(order * penalties.count)
        let leverages = try DoubleBuffer(order * penalties.count)
        for (column, penalty) in penalties.enumerated() {
            for index in 0..<order {
                let sum = eigenvalues[index] + penalty
                fits.start[column * order + index] = rotated[index] * (wide ? eigenvalues[index] : 1) / sum
                leverages.start[column * order + index] = (wide ? eigenvalues[index] : 1) / sum
            }
        }
        let sums = try problem.distribution.sum([problem.factors.reduce(0) { $0 + $1 * $1 }, Double(count)])
        let (total, ofAll) = (sums[0], sums[1])
        let scores = try DoubleBuffer(order * step)
        let fitted = try DoubleBuffer(penalties.count * step)
        let leverage = try DoubleBuffer(penalties.count * step)
        var errors = [Double](repeating: 0, count: penalties.count)
        func add(_ range: Range<Int>) {
            multiply(scores, fits, to: fitted, range.count)
            for index in 0..<scores.count { scores.start[index] *= scores.start[index] }
            multiply(scores, leverages, to: leverage, range.count)
            for column in penalties.indices {
                for (offset, row) in range.enumerated() {
                    let own = problem.factors[row] * problem.factors[row] / total
                    let left = 1 - own - leverage.start[column * step + offset]
                    // A row that alone decides its fit says nothing of it.
                    let error =
                        left > 1e-10
                        ? (problem.responses[row] - fitted.start[column * step + offset]) / left : .infinity
                    errors[column] += error * error / ofAll
                }
            }
        }
        if wide {
            for start in stride(from: 0, to: count, by: step) {
                let range = start..<min(start + step, count)
                for column in 0..<order {
                    (scores.start + column * step).update(
                        from: vectors.start + column * order + start, count: range.count)
                }
                add(range)
            }
            return errors
        }
        let block = try DoubleBuffer(order * step)
        try problem.forEachBlock(into: block, context) { range throws(MetaLearnersError) in
            BLAS.gemm(
                .plain, .plain, Int32(range.count), Int32(order), Int32(order), 1,
                block.start, Int32(step), vectors.start, Int32(order), 0, scores.start, Int32(step))
            add(range)
        }
        return try problem.distribution.sum(errors)
    }

    /// target = scores · weights, for the first `rows` rows.
    private func multiply(
        _ scores: DoubleBuffer, _ weights: DoubleBuffer, to target: DoubleBuffer, _ rows: Int
    ) {
        let step = Int32(DesignBlocks.rowsPerBlock)
        let order = Int32(eigenvalues.count)
        BLAS.gemm(
            .plain, .plain, Int32(rows), Int32(penalties.count), order, 1,
            scores.start,
            step, weights.start, order, 0, target.start, step)
    }
}
