import MetaLearnersCore

/// The Cholesky factor of a symmetric positive definite matrix.
struct CholeskyFactor {
    private let factor: DoubleBuffer
    private let order: Int
    /// An estimate of the reciprocal condition number, or a bound that it does not exceed (`Condition`).
    let reciprocalCondition: Double

    /// How the condition is estimated.
    enum Condition {
        /// In the 1-norm, by LAPACK.
        case estimate
        /// By the factor's diagonal, whose squared ratio the reciprocal never exceeds; at no cost.
        case bound
    }

    /// Factorises the matrix of `order` rows whose upper triangle, by columns, stands in `matrix`, which is
    /// overwritten; nil where it is not positive definite. O(order³).
    init?(_ matrix: DoubleBuffer, order: Int, _ condition: Condition = .estimate) throws(MetaLearnersError) {
        let norm = condition == .estimate ? Self.oneNorm(matrix, order) : 0
        guard norm.isFinite else { return nil }
        let size = Int32(order)
        var info: Int32 = 0
        LAPACK.potrf("U", [size], matrix.start, [size], &info, 1)
        guard info == 0 else { return nil }
        factor = matrix
        self.order = order
        if condition == .bound {
            let diagonal = (0..<order).map { matrix.start[$0 * (order + 1)] }
            let ratio = (diagonal.min() ?? 1) / (diagonal.max() ?? 1)
            guard ratio.isFinite else { return nil }
            reciprocalCondition = ratio * ratio
            return
        }
        let work = try DoubleBuffer(3 * order)
        var integers = [Int32](repeating: 0, count: order)
        var reciprocal = 0.0
        LAPACK.pocon("U", [size], matrix.start, [size], [norm], &reciprocal, work.start, &integers, &info, 1)
        guard info == 0 else { return nil }
        reciprocalCondition = reciprocal
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
