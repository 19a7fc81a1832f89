/// Cholesky's factorisation of small dense matrices, some tens of rows at most, without a library; larger ones are
/// LAPACK's.
///
/// Matrices are row-major; of a symmetric one only the lower triangle is read.
package enum SmallCholesky {
    /// Replaces the lower triangle of A by that of L, A = LLᵀ, and the vector b by L⁻¹b. O(order³).
    ///
    /// A row that depends on those before it, or that makes A indefinite, becomes 0, and so does its element of the
    /// vector.
    ///
    /// - Parameter leastPivot: a pivot up to this share of its diagonal entry is a rounding error.
    /// - Returns: how many rows became 0; A is positive definite where there are none.
    @inlinable @inline(__always)
    package static func factorize(
        _ matrix: UnsafeMutablePointer<Double>, order: Int, _ vector: UnsafeMutablePointer<Double>,
        leastPivot: Double = 0
    ) -> Int {
        var dependent = 0
        for row in 0..<order {
            let line = matrix + row * order
            var right = vector[row]
            for column in 0..<row {
                let other = matrix + column * order
                var sum = line[column]
                for inner in 0..<column { sum -= line[inner] * other[inner] }
                line[column] = other[column] > 0 ? sum / other[column] : 0
                right -= line[column] * vector[column]
            }
            let diagonal = line[row]
            var pivot = diagonal
            for inner in 0..<row { pivot -= line[inner] * line[inner] }
            if pivot > diagonal * leastPivot {
                line[row] = pivot.squareRoot()
                vector[row] = right / line[row]
            } else {
                line[row] = 0
                vector[row] = 0
                dependent += 1
            }
        }
        return dependent
    }

    /// Replaces the vector c by the x of Lᵀx = c, 0 where L has a row of 0: with what `factorize` left, the solution
    /// of Ax = b. O(order²).
    @inlinable @inline(__always)
    package static func substitute(
        _ factor: UnsafePointer<Double>, order: Int, _ vector: UnsafeMutablePointer<Double>
    ) {
        for row in stride(from: order - 1, through: 0, by: -1) {
            let pivot = factor[row * order + row]
            guard pivot > 0 else {
                vector[row] = 0
                continue
            }
            var sum = vector[row]
            for later in row + 1..<max(order, row + 1) { sum -= factor[later * order + row] * vector[later] }
            vector[row] = sum / pivot
        }
    }
}
