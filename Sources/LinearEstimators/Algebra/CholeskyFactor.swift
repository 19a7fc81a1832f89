import MetaLearnersCore

/// The Cholesky factor of a symmetric positive definite matrix.
struct CholeskyFactor {
    private let factor: DoubleBuffer
    private let order: Int
    /// An estimate of the reciprocal condition number, in the 1-norm.
    let reciprocalCondition: Double

    /// Factorises the matrix of `order` rows whose upper triangle, by columns, stands in `matrix`, which is
    /// overwritten; nil where it is not positive definite. O(order³).
    init?(_ matrix: DoubleBuffer, order: Int) throws(MetaLearnersError) {
        let norm = Self.oneNorm(matrix, order)
        guard norm.isFinite else { return nil }
        let size = Int32(order)
        var info: Int32 = 0
        LAPACK.potrf("U", [size], matrix.start, [size], &info, 1)
        guard info == 0 else { return nil }
        let work = try DoubleBuffer(3 * order)
        var integers = [Int32](repeating: 0, count: order)
        var condition = 0.0
        LAPACK.pocon("U", [size], matrix.start, [size], [norm], &condition, work.start, &integers, &info, 1)
        guard info == 0 else { return nil }
        factor = matrix
        self.order = order
        reciprocalCondition = condition
    }

    /// Solves for the right-hand side `vector`, which becomes the solution. O(order²).
    func solve(_ vector: DoubleBuffer) {
        let size = Int32(order)
        var info: Int32 = 0
        LAPACK.potrs("U", [size], [1], factor.start, [size], vector.start, [size], &info, 1)
    }

    /// The largest sum of absolute values of a column.
    private static func oneNorm(_ matrix: DoubleBuffer, _ order: Int) -> Double {
        var sums = [Double](repeating: 0, count: order)
        for column in 0..<order {
            for row in 0...column {
                let value = abs(matrix.start[column * order + row])
                sums[column] += value
                if row < column { sums[row] += value }
            }
        }
        // A NaN must not get lost in a comparison.
        return sums.allSatisfy(\.isFinite) ? sums.max() ?? 0 : .nan
    }
}
