import MetaLearnersCore

/// Least squares with penalties, cross-fitted: minimises Σ w·(y − r·f(x))²/Σ w·r² + penalty over linear functions f, for
/// each fold on the problem's rows outside it, at a whole path of penalties.
///
/// The sums of products of each fold are formed once, so that a fold's path costs no more than its own linear algebra,
/// however many rows there are; held-out losses come from the same sums. The intercept is not penalised.
///
///     let design = try DesignMatrix(features, expansion: .splinesInteractions, context)  // once
///     let problem = try PathProblem(design, rows: rows, folds: folds, target: outcomes, context)
///     let fit = try problem.lassoPath(context)                  // or ridgePath; LogisticPathProblem likewise
///     let outOfFold = try fit.outOfFold(fit.best, context)      // one per row of the design matrix
///     let model = design.model(of: [fit.function(fit.best)])    // mean of the folds' models: predicts, encodes
package struct PathProblem: Sendable {
    /// Up to so many columns, all sums of products are formed even where rows are fewer: the folds share them.
    private static let denseLimit = 3000

    private let columns: PathColumns
    private let folds: [Int32]
    private let foldCount: Int
    private let source: CovarianceSource
    /// Which places of the problem's rows, ordered by fold, each fold has.
    private let ranges: [Range<Int>]
    /// How many rows there are, those of other processes among them.
    private let rowCount: Int
    private let totalWeight: Double
    /// The mean of y/r, that responses are counted from.
    private let center: Double

    /// Forms the sums of products of `rows`, those of other processes among them.
    ///
    /// - Parameters:
    ///   - columns: columns of the design matrix, each once; nil for all.
    ///   - factors: what each of the columns is multiplied by, positive: a large one divides the penalty on it (for ridge,
    ///     by its square). Coefficients are reported for the column as it is. nil for 1.
    ///   - modulation: further columns.
    ///   - rows: the rows to learn from, ascending.
    ///   - folds: the fold of each row of the design matrix, from 0; −1 for rows that are never held out.
    ///   - foldCount: how many folds there are; nil for as many as rows have here.
    ///   - target: y of each row of the design matrix, read at `rows`.
    ///   - weights: w of each row of the design matrix, not negative; nil where all count alike.
    ///   - regressor: r of each row of the design matrix, as in the R-learner's loss; nil for 1.
    /// - Throws: `invalidArgument` for arrays of the wrong length, `invalidData` where a fold leaves nothing to learn from,
    ///   `numericalFailure` where sums overflow, `outOfMemory`, `cancelled`.
    /// - Complexity: O(rows × columns²), spread over the threads of `context`.
    package init(
        _ design: DesignMatrix, columns: [Int]? = nil, factors: [Double]? = nil,
        modulation: Modulation? = nil,
        rows: [Int32], folds: [Int32], foldCount count: Int? = nil, target: [Double],
        weights: [Double]? = nil, regressor: [Double]? = nil, _ context: ExecutionContext
    ) throws(MetaLearnersError) {
        let chosen = columns ?? Array(0..<design.width)
        let lengths = [folds.count, target.count, weights?.count, regressor?.count, modulation?.values.count]
        guard lengths.compactMap(\.self).allSatisfy({ $0 == design.rowCount }),
            factors?.count ?? chosen.count == chosen.count,
            (chosen + (modulation?.columns ?? [])).allSatisfy({ (0..<design.width).contains($0) }),
            rows.allSatisfy({ $0 >= 0 && $0 < design.rowCount })
        else {
            throw MetaLearnersError(
                .invalidArgument, at: "path", "columns, rows or arrays do not fit the design matrix")
        }
        self.columns = PathColumns(
            design: design, columns: chosen,
            scales: factors ?? [Double](repeating: 1, count: chosen.count), modulation: modulation)
        self.folds = folds
        foldCount = count ?? Int(folds.max() ?? -1) + 1
        let distribution = design.distribution
        let never = foldCount
        var byFold = [[Int32]](repeating: [], count: foldCount + 1)
        for row in rows {
            let weight = weights?[Int(row)] ?? 1
            let slope = regressor?[Int(row)] ?? 1
            guard weight * slope * slope > 0 else { continue }
            byFold[folds[Int(row)] < 0 ? never : Int(folds[Int(row)])].append(row)
        }
        let ordered = byFold.flatMap(\.self)
        let sizes = try distribution.sum(byFold.map(\.count))
        rowCount = sizes.reduce(0, +)
        for held in 0..<foldCount where sizes[held] == rowCount {
            throw MetaLearnersError(
                .invalidData, at: "fold \(held + 1)", "no row outside it has a weight",
                remedy: "use fewer folds, or stratify them")
        }
        var ranges: [Range<Int>] = []
        for members in byFold {
            let start = ranges.last?.upperBound ?? 0
            ranges.append(start..<start + members.count)
        }
        self.ranges = ranges
        let factorsOfRows = ordered.map { row in
            (weights?[Int(row)] ?? 1).squareRoot() * (regressor?[Int(row)] ?? 1)
        }
        let roots = ordered.map { (weights?[Int($0)] ?? 1).squareRoot() }
        var total = 0.0
        var sum = 0.0
        for (place, row) in ordered.enumerated() {
            total += factorsOfRows[place] * factorsOfRows[place]
            sum += factorsOfRows[place] * roots[place] * target[Int(row)]
        }
        let ofAll = try distribution.sum([total, sum])
        total = ofAll[0]
        let center = ofAll[1] / total
        guard total.isFinite, total > 0, center.isFinite else { throw LeastSquares.overflow }
        totalWeight = total
        self.center = center
        let problem = LeastSquares(
            design: DesignBlocks(self.columns, rows: ordered), factors: factorsOfRows,
            responses: ordered.enumerated().map { place, row in
                roots[place] * target[Int(row)] - factorsOfRows[place] * center
            }, l2: 0, distribution: distribution)
        source = try BLASThreads.single { () throws(MetaLearnersError) in
            try CovarianceSource(problem, ranges, denseLimit: Self.denseLimit, context)
        }
    }

    /// The lasso's path: minimises half the mean of squared errors plus λ·|β|₁ at `stages` penalties, a geometric
    /// sequence from the least at which every coefficient of the model of all rows is 0.
    ///
    /// - Parameters:
    ///   - ratio: the last penalty relative to the first.
    ///   - endsEarly: whether a fold stays at its solution once the loss of the rows that it holds out has risen (`PathEnd`), where these are
    ///     not too few to tell.
    ///   - tolerance: the change of the gradient, relative to its largest value, that counts as none.
    ///   - whole: whether to fit a model of all rows beside those of the folds, up to the best stage.
    /// - Throws: `numericalFailure`, `outOfMemory`, `cancelled`.
    package func lassoPath(
        stages: Int = 40, ratio: Double = 0.001_995_262_314_968_879, endsEarly: Bool = true,
        tolerance: Double = 1e-5, whole: Bool = false, _ context: ExecutionContext
    ) throws(MetaLearnersError) -> PathFit {
        let largest = try BLASThreads.single { () throws(MetaLearnersError) in
            CoordinateDescent(try source.problem(without: nil), l1Ratio: 1).largestMoment
        }
        guard largest.isFinite else { throw LeastSquares.overflow }
        let penalties = (0..<max(stages, 1)).map { stage in
            largest * Double.exp(Double.log(ratio) * Double(stage) / Double(max(stages - 1, 1)))
        }
        let mayEnd = endsEarly && PathEnd.isWise(rows: rowCount, folds: foldCount)
        return try fit(penalties, whole: whole, context) { problem, last throws(MetaLearnersError) in
            let descent = CoordinateDescent(problem, l1Ratio: 1, tolerance: tolerance)
            var solutions: [Solution] = []
            var converged = true
            var end = PathEnd()
            for penalty in penalties[...last] {
                try descent.advance(to: penalty, context)
                converged = converged && descent.converged
                let solution = Solution(problem, descent.coefficients, descent.support)
                solutions.append(solution)
                guard mayEnd, let loss = solution.loss, end.ends(after: loss) else { continue }
                solutions += Array(repeating: solution, count: last + 1 - solutions.count)
                break
            }
            return (solutions, converged)
        }
    }

    /// The ridge path: minimises the mean of squared errors plus λ·|β|² at each of `penalties`, from one
    /// eigen-decomposition for each fold.
    ///
    /// - Parameters:
    ///   - penalties: descending, positive.
    ///   - whole: whether to fit a model of all rows beside those of the folds.
    /// - Throws: `numericalFailure`, `outOfMemory`, `cancelled`.
    /// - Complexity: O(columns³) for each fold.
    package func ridgePath(
        penalties: [Double] = defaultRidgePenalties, whole: Bool = false, _ context: ExecutionContext
    ) throws(MetaLearnersError) -> PathFit {
        try fit(penalties, whole: whole, context) { problem, last throws(MetaLearnersError) in
            let spectrum = try RidgeSpectrum(problem)
            let support = Array(0..<problem.width)
            let solutions = try penalties[...last].map { penalty throws(MetaLearnersError) in
                Solution(problem, try spectrum.coefficients(penalty: penalty), support)
            }
            return (solutions, true)
        }
    }

    /// Thirteen penalties beside the mean of squared errors, from 100 to 10⁻⁴.
    package static let defaultRidgePenalties: [Double] = (0...12).map { step in
        Double.exp(Double.log(10) * (2 - 0.5 * Double(step)))
    }

    /// Coefficients with their intercept and their held-out loss.
    private struct Solution: Sendable {
        let intercept: Double
        let coefficients: [Double]
        /// The loss of the rows that were held out; nil where there were none.
        let loss: Double?

        init(_ problem: any CovarianceProblem, _ coefficients: [Double], _ support: [Int]) {
            intercept = problem.intercept(coefficients, support: support)
            self.coefficients = coefficients
            loss = problem.holdsOut ? problem.heldOutLoss(coefficients, support: support) : nil
        }
    }

    /// Solves the problem of each fold, and, if wanted, that of all rows.
    ///
    /// - Parameter solve: the solutions of a problem up to a stage, and whether all are exact.
    private func fit(
        _ penalties: [Double], whole: Bool, _ context: ExecutionContext,
        _ solve:
            @Sendable (any CovarianceProblem, Int) throws(MetaLearnersError) -> (
                solutions: [Solution], converged: Bool
            )
    ) throws(MetaLearnersError) -> PathFit {
        func stages(_ solutions: [Solution]) throws(MetaLearnersError) -> [PathFit.Stage] {
            for solution in solutions {
                guard solution.intercept.isFinite, solution.coefficients.allSatisfy(\.isFinite) else {
                    throw LeastSquares.overflow
                }
            }
            return solutions.map {
                PathFit.Stage(intercept: center + $0.intercept, coefficients: $0.coefficients)
            }
        }
        return try BLASThreads.single { () throws(MetaLearnersError) in
            let last = penalties.count - 1
            let parts = try ParallelParts.run(foldCount, context) { fold throws(MetaLearnersError) in
                try solve(try source.problem(without: fold), last)
            }
            let losses = penalties.indices.map { stage in
                parts.reduce(0) { $0 + ($1.solutions[stage].loss ?? 0) } / totalWeight
            }
            let best = losses.indices.min { losses[$0] < losses[$1] } ?? 0
            let all = whole ? try solve(try source.problem(without: nil), foldCount > 0 ? best : last) : nil
            return PathFit(
                columns: columns, folds: folds,
                models: try parts.map { part throws(MetaLearnersError) in try stages(part.solutions) },
                whole: try stages(all?.solutions ?? []), penalties: penalties, losses: losses,
                converged: parts.allSatisfy(\.converged) && all?.converged ?? true)
        }
    }
}
