import MetaLearnersCore

/// A weighted least-squares fit with a constant, made for partial R²: how much of the outcome's variance that the other
/// columns leave a group of columns explains.
///
/// Columns are centred and scaled before the normal equations are solved by Cholesky's method; a column that depends on those
/// before it takes no part. O(rows × columns² + columns³).
package struct PartialRegression {
    /// The coefficient of each column, the constant left out; 0 where the column depends on those before it.
    package let coefficients: [Double]
    /// Rows less coefficients, the constant among these.
    package let degreesOfFreedom: Double
    private let width: Int
    private let scales: [Double]
    private let scaled: [Double]
    private let inverse: [Double]
    private let residualSum: Double

    /// Fits `outcome` to `columns`.
    ///
    /// - Parameter weights: those of the rows that take part are above 0.
    package init(_ columns: [[Double]], _ outcome: [Double], weights: [Double]) {
        let rows = outcome.indices.filter { weights[$0] > 0 }
        func centred(_ values: [Double]) -> [Double] {
            var sum = 0.0
            var total = 0.0
            for row in rows {
                sum += weights[row] * values[row]
                total += weights[row]
            }
            return rows.map { values[$0] - sum / total }
        }
        let roots = rows.map { weights[$0].squareRoot() }
        let target = zip(centred(outcome), roots).map { $0 * $1 }
        var design = columns.map { zip(centred($0), roots).map { $0 * $1 } }
        func product(_ left: [Double], _ right: [Double]) -> Double {
            var sum = 0.0
            for row in left.indices { sum += left[row] * right[row] }
            return sum
        }
        let norms = design.indices.map { column -> Double in
            let norm = product(design[column], design[column]).squareRoot()
            let size = rows.reduce(0) { max($0, abs(columns[column][$1])) }
            // A constant differs from its mean by rounding alone.
            return norm > 1e-10 * size ? norm : 0
        }
        for column in design.indices {
            design[column] = design[column].map { norms[column] > 0 ? $0 / norms[column] : 0 }
        }
        let order = columns.count
        var gram = [Double](repeating: 0, count: order * order)
        var right = [Double](repeating: 0, count: order)
        for row in 0..<order {
            for column in 0...row { gram[row * order + column] = product(design[row], design[column]) }
            right[row] = product(design[row], target)
        }
        func solved(_ vector: [Double]) -> ([Double], dependent: Int) {
            var factor = gram
            var solution = vector
            var dependent = 0
            factor.withUnsafeMutableBufferPointer { factor in
                solution.withUnsafeMutableBufferPointer { solution in
                    guard let factor = factor.baseAddress, let solution = solution.baseAddress else { return }
                    dependent = SmallCholesky.factorize(factor, order: order, solution, leastPivot: 1e-11)
                    SmallCholesky.substitute(factor, order: order, solution)
                }
            }
            return (solution, dependent)
        }
        var (solution, dependent) = solved(right)
        func residuals(_ solution: [Double]) -> [Double] {
            var residuals = target
            for column in 0..<order where solution[column] != 0 {
                for row in residuals.indices { residuals[row] -= solution[column] * design[column][row] }
            }
            return residuals
        }
        // One step of refinement, for the digits that the normal equations lose.
        let left = residuals(solution)
        let (correction, _) = solved((0..<order).map { product(design[$0], left) })
        solution = zip(solution, correction).map { $0 + $1 }
        let rest = residuals(solution)
        residualSum = product(rest, rest)
        width = order
        scales = norms
        scaled = solution
        coefficients = zip(solution, norms).map { $1 > 0 ? $0 / $1 : 0 }
        degreesOfFreedom = Double(rows.count - 1 - (order - dependent))
        inverse = (0..<order).flatMap { column -> [Double] in
            var unit = [Double](repeating: 0, count: order)
            unit[column] = 1
            return solved(unit).0
        }
    }

    /// The standard error of a coefficient, of errors that scatter alike everywhere.
    package func standardError(_ column: Int) -> Double {
        guard scales[column] > 0 else { return .nan }
        return (residualSum / degreesOfFreedom * inverse[column * width + column]).squareRoot()
            / scales[column]
    }

    /// Partial R² of a group of columns, given all others. O(group³).
    package func partialRSquared(_ group: [Int]) -> Double {
        let used = group.filter { inverse[$0 * width + $0] > 0 && scaled[$0] != 0 }
        let order = used.count
        var block = used.flatMap { row in used.map { inverse[row * width + $0] } }
        var vector = used.map { scaled[$0] }
        block.withUnsafeMutableBufferPointer { block in
            vector.withUnsafeMutableBufferPointer { vector in
                guard let block = block.baseAddress, let vector = vector.baseAddress else { return }
                _ = SmallCholesky.factorize(block, order: order, vector)
            }
        }
        // bᵀ A⁻¹ b is the squared length of L⁻¹b.
        let explained = vector.reduce(0) { $0 + $1 * $1 }
        return explained + residualSum > 0 ? explained / (explained + residualSum) : 0
    }
}
