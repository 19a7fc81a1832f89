import MetaLearnersCore

/// Ridge regression with the penalty that has the least error of generalised, leave-one-out or k-fold cross-validation,
/// from one eigen-decomposition (and one for each fold).
///
/// With Z = the rows f·z, Z'Z = V·S·V' and q = V'Z'v, a penalty λ gives the coefficients V·q/(S + λ) and the leverages
/// h = f²/Σf² + Σ (Z·V)²/(S + λ), the intercept's included. Over n rows, the criteria are
///
/// - generalised: n·Σ e² / (n − Σ h)²,
/// - leave-one-out: Σ (e/(1 − h))² / n,
///
/// e being the residual of a row, multiplied by the root of its weight. For more columns than rows the decomposition is
/// that of ZZ'.
struct RidgePath {
    /// The penalties, their errors, and which was taken.
    let choice: PenaltyChoice
    /// The coefficients.
    let coefficients: [Double]

    /// - Parameters:
    ///   - problem: for k-fold cross-validation with its rows ordered by fold.
    ///   - folds: ranges of its rows.
    /// - Throws: `numericalFailure` where sums overflow, `outOfMemory`, `cancelled`.
    /// - Complexity: O(rows × columns² + columns³), for more columns than rows O(rows² × columns + rows³), which rows that
    ///   several processes hold do not save.
    init(
        _ problem: LeastSquares, _ spec: RidgeSpec, folds: [Range<Int>], _ context: ExecutionContext
    ) throws(MetaLearnersError) {
        let distribution = problem.distribution
        let count = problem.responses.count
        let width = problem.design.width
        guard width > 0 else {
            choice = PenaltyChoice(criterion: "", penalties: [], errors: [], chosen: 0)
            coefficients = []
            return
        }
        let wide = width > count && distribution == nil
        let whole = wide ? try problem.wholeMatrix(context) : nil
        let order = wide ? count : width
        let vectors = try DoubleBuffer(order * order)
        let moments = try DoubleBuffer(order)
        if let whole {
            BLAS.syrk(
                .plain, Int32(order), Int32(width), 1, whole.start,
                Int32(count), 0, vectors.start, Int32(order))
            for row in 0..<count { moments.start[row] = problem.responses[row] }
        } else {
            let sums = try GramSums.of(problem, context)
            if let distribution { try GramSums.addOtherProcesses([sums], distribution) }
            for column in 0..<order {
                (vectors.start + column * order).update(from: sums.column(column), count: column + 1)
            }
            moments.start.update(from: sums.response, count: order)
        }
        guard vectors.isFinite, moments.isFinite else { throw LeastSquares.overflow }
        try context.checkCancellation()
        // Rounding alone can make an eigenvalue negative.
        let eigenvalues = try SymmetricEigen.decompose(vectors, order: order).map { max($0, 0) }
        let rotatedBuffer = try DoubleBuffer(order)
        BLAS.gemv(
            .transposed, Int32(order), Int32(order), 1, vectors.start, Int32(order),
            moments.start, 1,
            0, rotatedBuffer.start, 1)
        let rotated = rotatedBuffer.array
        let largest = 100 * (eigenvalues.last ?? 0)
        // (What eigenvalues decide is that of the first process: processors of different kinds may round differently.)
        let penalties = try distribution.agreed(
            (0..<spec.pathLength).map { step in
                largest * Double.exp(Double.log(spec.pathRatio) * Double(step) / Double(spec.pathLength - 1))
            })
        guard largest.isFinite, penalties.allSatisfy({ $0 > 0 }) else { throw LeastSquares.overflow }

        var criterion: [Double]
        switch spec.selection {
        case .fixed, .gcv:
            criterion = try Self.generalised(problem, penalties, eigenvalues, rotated, wide: wide)
        case .loo:
            let leaving = LeaveOneOut(
                penalties: penalties, eigenvalues: eigenvalues, rotated: rotated, wide: wide, problem: problem
            )
            criterion = try leaving.errors(vectors, context)
        case .cv:
            criterion = try Self.crossValidated(
                problem, folds, penalties, wide ? (vectors, eigenvalues) : nil, context)
        }
        criterion = try distribution.agreed(criterion)
        let chosen = criterion.indices.min { criterion[$0] < criterion[$1] } ?? 0
        choice = PenaltyChoice(
            criterion: spec.selection == .cv ? "cross_validated_squared_error" : spec.selection.rawValue,
            penalties: penalties, errors: criterion, chosen: chosen)

        let shrunk = try DoubleBuffer(order)
        for index in 0..<order {
            shrunk.start[index] = rotated[index] / (eigenvalues[index] + penalties[chosen])
        }
        let combined = try DoubleBuffer(order)
        BLAS.gemv(
            .plain, Int32(order), Int32(order), 1, vectors.start, Int32(order),
            shrunk.start,
            1, 0, combined.start, 1)
        guard let whole else {
            coefficients = try distribution.agreed(combined.array)
            return
        }
        let result = try DoubleBuffer(width)
        BLAS.gemv(
            .transposed, Int32(count), Int32(width), 1, whole.start, Int32(count),
            combined.start, 1, 0,
            result.start, 1)
        coefficients = result.array
    }

    /// The mean squared error of held-out rows for each penalty; the largest penalty's where nothing can be held out.
    ///
    /// - Parameter wide: for more columns than rows, the eigenvectors and eigenvalues of the rows' inner products.
    private static func crossValidated(
        _ problem: LeastSquares, _ folds: [Range<Int>], _ penalties: [Double],
        _ wide: (vectors: DoubleBuffer, eigenvalues: [Double])?, _ context: ExecutionContext
    ) throws(MetaLearnersError) -> [Double] {
        guard folds.count > 1 else { return penalties.map { _ in 0 } }
        var rotated: DoubleBuffer?
        if let wide {
            let count = problem.responses.count
            let rows = try DoubleBuffer(count * count)
            for (column, value) in wide.eigenvalues.enumerated() {
                let root = value.squareRoot()
                for row in 0..<count {
                    rows.start[column * count + row] = wide.vectors.start[column * count + row] * root
                }
            }
            rotated = rows
        }
        let losses = try RidgeFolds(problem, folds, penalties: penalties, rotated: rotated, context).losses
        let total = try problem.distribution.sum([problem.factors.reduce(0) { $0 + $1 * $1 }])[0]
        return penalties.indices.map { step in losses.reduce(0) { $0 + $1[step] } / total }
    }

    /// n·Σ e² / (n − Σ h)² for each penalty.
    private static func generalised(
        _ problem: LeastSquares, _ penalties: [Double], _ eigenvalues: [Double], _ rotated: [Double],
        wide: Bool
    ) throws(MetaLearnersError) -> [Double] {
        let sums = try problem.distribution.sum(
            [Double(problem.responses.count), problem.responses.reduce(0) { $0 + $1 * $1 }])
        let (count, squares) = (sums[0], sums[1])
        return penalties.map { penalty in
            var freedom = 1.0
            var explained = 0.0
            var residual = 0.0
            for (value, moment) in zip(eigenvalues, rotated) {
                let sum = value + penalty
                freedom += value / sum
                explained += moment * moment * (sum + penalty) / (sum * sum)
                residual += moment * moment * (penalty / sum) * (penalty / sum)
            }
            if !wide { residual = max(squares - explained, 0) }
            let left = count - freedom
            return left > 0 ? count * residual / (left * left) : .infinity
        }
    }
}
