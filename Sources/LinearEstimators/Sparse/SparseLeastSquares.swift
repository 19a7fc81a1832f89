import MetaLearnersCore

/// Minimises Σ (v − f·z·β)² + l2·|β|² over sparse rows by conjugate gradients on the normal equations (CGLS; Björck 1996,
/// section 7.4): for many columns, more than a matrix of their products could have, or columns that depend on each other.
///
/// With a penalty the diagonal of the normal equations is the preconditioner: indicators of frequent and of rare levels
/// are of very different length. Without one all columns are of the same, and it starts from 0, and so finds the solution
/// of least norm where there are several.
struct SparseLeastSquares {
    let design: SparseRows
    let factors: [Double]
    let responses: [Double]
    let l2: Double

    /// The coefficients, and whether the gradient has become as small as rounding allows.
    ///
    /// - Throws: `outOfMemory`, `cancelled`.
    /// - Complexity: O(stored values) an iteration.
    func solve(_ context: ExecutionContext) throws(MetaLearnersError) -> (
        coefficients: [Double], converged: Bool
    ) {
        let width = design.width
        let size = Int32(clamping: width)
        let count = design.count
        let coefficients = try DoubleBuffer(width)
        let residual = try DoubleBuffer(count)
        let image = try DoubleBuffer(count)
        let gradient = try DoubleBuffer(width)
        let search = try DoubleBuffer(width)
        let inverse = try inverseDiagonal()
        residual.start.update(from: responses, count: count)
        func differentiate() {
            for row in 0..<count { image.start[row] = residual.start[row] * factors[row] }
            for column in 0..<width { gradient.start[column] = -l2 * coefficients.start[column] }
            design.addTransposed(image.start, to: gradient.start)
        }
        /// g'·M⁻¹·g.
        func squaredNorm() -> Double {
            var sum = 0.0
            for column in 0..<width {
                sum += gradient.start[column] * gradient.start[column] * inverse[column]
            }
            return sum
        }
        differentiate()
        for column in 0..<width { search.start[column] = gradient.start[column] * inverse[column] }
        var norm = squaredNorm()
        let target = norm * 1e-28
        var iteration = 0
        while norm > target, iteration < 20 * min(width, count) + 100 {
            try context.checkCancellation()
            iteration += 1
            design.multiply(search.start, to: image.start)
            var curvature = l2 * BLAS.dot(size, search.start, 1, search.start, 1)
            for row in 0..<count {
                image.start[row] *= factors[row]
                curvature += image.start[row] * image.start[row]
            }
            guard curvature > 0 else { break }
            let length = norm / curvature
            BLAS.axpy(size, length, search.start, 1, coefficients.start, 1)
            BLAS.axpy(Int32(clamping: count), -length, image.start, 1, residual.start, 1)
            differentiate()
            let next = squaredNorm()
            for column in 0..<width {
                search.start[column] =
                    gradient.start[column] * inverse[column] + next / norm * search.start[column]
            }
            norm = next
        }
        return (coefficients.array, norm <= target * 1e8)
    }

    /// 1 / (Σ f²·z² + l2) of each column; 1 where there is no penalty.
    private func inverseDiagonal() throws(MetaLearnersError) -> [Double] {
        guard l2 > 0 else { return [Double](repeating: 1, count: design.width) }
        let diagonal = try DoubleBuffer(design.width)
        design.addSquares(factors.map { $0 * $0 }, to: diagonal.start)
        return diagonal.array.map { 1 / (max($0, 0) + l2) }
    }
}
