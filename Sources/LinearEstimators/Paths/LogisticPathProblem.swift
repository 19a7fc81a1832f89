import MetaLearnersCore

/// Logistic regression with a ridge penalty, cross-fitted: minimises the weighted mean of −log p plus λ/2·|β|², for each
/// fold on the problem's rows outside it, at a whole path of penalties, each solution being the start of the next.
package struct LogisticPathProblem: Sendable {
    private let columns: PathColumns
    private let rows: [Int32]
    private let folds: [Int32]
    private let foldCount: Int
    private let target: [Double]
    private let weights: [Double]?

    /// Describes the problem.
    ///
    /// - Parameters:
    ///   - columns: columns of the design matrix, each once; nil for all.
    ///   - rows: the rows to learn from, ascending.
    ///   - folds: the fold of each row of the design matrix, from 0; −1 for rows that are never held out.
    ///   - foldCount: how many folds there are; nil for as many as rows have here.
    ///   - target: 0 or 1 for each row of the design matrix, read at `rows`.
    ///   - weights: one for each row of the design matrix, not negative; nil where all count alike.
    /// - Throws: `invalidArgument` for arrays of the wrong length.
    package init(
        _ design: DesignMatrix, columns: [Int]? = nil, rows: [Int32], folds: [Int32],
        foldCount count: Int? = nil, target: [Double], weights: [Double]? = nil
    ) throws(MetaLearnersError) {
        let chosen = columns ?? Array(0..<design.width)
        guard
            [folds.count, target.count, weights?.count ?? target.count].allSatisfy({ $0 == design.rowCount }),
            chosen.allSatisfy({ (0..<design.width).contains($0) }),
            rows.allSatisfy({ $0 >= 0 && $0 < design.rowCount })
        else {
            throw MetaLearnersError(
                .invalidArgument, at: "path", "columns, rows or arrays do not fit the design matrix")
        }
        self.columns = PathColumns(
            design: design, columns: chosen, scales: [Double](repeating: 1, count: chosen.count),
            modulation: nil)
        self.rows = rows.filter { weights?[Int($0)] ?? 1 > 0 }
        self.folds = folds
        foldCount = count ?? Int(folds.max() ?? -1) + 1
        self.target = target
        self.weights = weights
    }

    /// Fits the models; they predict log-odds.
    ///
    /// - Parameters:
    ///   - penalties: descending, positive.
    ///   - endsEarly: whether a fold stays at its solution once the loss of the rows that it holds out has risen (`PathEnd`), where these are
    ///     not too few to tell.
    ///   - whole: whether to fit a model of all rows beside those of the folds.
    /// - Throws: `invalidData` where a fold leaves rows of one class only, `numericalFailure`, `outOfMemory`, `cancelled`.
    /// - Complexity: O(rows × columns²) for a Hessian, of which a path takes a few, and O(rows × columns + columns³) for a step, of which a
    ///   penalty takes three to six.
    package func ridgePath(
        penalties: [Double] = PathProblem.defaultRidgePenalties, endsEarly: Bool = true, whole: Bool = false,
        _ context: ExecutionContext
    ) throws(MetaLearnersError) -> PathFit {
        // With other processes one fold after another: all make the same exchanges in the same order.
        let distribution = columns.design.distribution
        let rowCount = try distribution.sum([rows.count])[0]
        let mayEnd = endsEarly && PathEnd.isWise(rows: rowCount, folds: foldCount)
        let parts = try BLASThreads.single { () throws(MetaLearnersError) in
            try ParallelParts.run(foldCount + (whole ? 1 : 0), oneByOne: distribution != nil, context) {
                fold throws(MetaLearnersError) in
                try path(fold < foldCount ? Int32(clamping: fold) : nil, penalties, mayEnd, context)
            }
        }
        let held = parts.prefix(foldCount)
        let total = rows.reduce(0) { $0 + (weights?[Int($1)] ?? 1) }
        let weight = try distribution.sum([total])[0]
        return PathFit(
            columns: columns, folds: folds, models: held.map(\.stages),
            whole: whole ? parts.last?.stages ?? [] : [], penalties: penalties,
            losses: penalties.indices.map { stage in held.reduce(0) { $0 + $1.losses[stage] } / weight },
            converged: parts.allSatisfy(\.converged))
    }

    private typealias Part = (stages: [PathFit.Stage], losses: [Double], converged: Bool)

    /// The models of a fold, or of all rows, and the losses of the rows held out, in all processes.
    private func path(
        _ fold: Int32?, _ penalties: [Double], _ mayEnd: Bool, _ context: ExecutionContext
    ) throws(MetaLearnersError) -> Part {
        let training = rows.filter { folds[Int($0)] != fold }
        let heldOut = fold.map { fold in rows.filter { folds[Int($0)] == fold } } ?? []
        guard
            let classes = try ClassLabels(
                binary: target, rows: training, weights: weights, columns.design.distribution)
        else {
            throw MetaLearnersError(
                .invalidData, at: fold.map { "fold \($0 + 1)" },
                "only one class occurs among the rows to learn from",
                remedy: "use fewer folds, or stratify them")
        }
        let total = classes.totalWeight
        let design = try DesignBlocks(columns, rows: training).keeping(context)
        let loss = try LogisticLoss(design, classes, l2: 1)
        // A Newton step squares the distance: after one of 10⁻⁴ what is left is about 10⁻⁸. (By a Hessian that is kept, about 10⁻⁵ in directions
        // that shrink slowly.)
        let solver = NewtonSolver(
            loss: loss, maxIterations: 100, tolerance: 1e-4, denseLimit: NewtonSolver.denseLimit,
            kept: KeptHessian())
        let width = columns.width
        var start: DoubleBuffer?
        var stages: [PathFit.Stage] = []
        var losses: [Double] = []
        var end = PathEnd()
        var converged = true
        for penalty in penalties {
            loss.l2 = penalty * total
            let solution = try solver.solve(from: start, context)
            start = solution.parameters
            converged = converged && solution.converged
            let stage = PathFit.Stage(
                intercept: solution.parameters.start[width],
                coefficients: Array(solution.parameters.array[0..<width]))
            stages.append(stage)
            guard fold != nil else { continue }
            let loss = try columns.design.distribution.sum([try self.loss(stage, heldOut, context)])[0]
            losses.append(loss)
            guard mayEnd, end.ends(after: loss) else { continue }
            stages += Array(repeating: stage, count: penalties.count - stages.count)
            losses += Array(repeating: loss, count: penalties.count - losses.count)
            break
        }
        return (stages, losses, converged)
    }

    /// Σ w·(−log p) of the rows.
    private func loss(_ model: PathFit.Stage, _ rows: [Int32], _ context: ExecutionContext)
        throws(MetaLearnersError) -> Double
    {
        var loss = 0.0
        let step = DesignBlocks.rowsPerBlock
        let block = try DoubleBuffer(max(columns.width, 1) * step)
        try DesignBlocks(columns, rows: rows).forEach(into: block, context) { range in
            for (offset, index) in range.enumerated() {
                var value = model.intercept
                for (column, coefficient) in model.coefficients.enumerated() {
                    value += block.start[column * step + offset] * coefficient
                }
                let row = Int(rows[index])
                let signed = target[row] == 1 ? -value : value
                loss +=
                    (weights?[row] ?? 1)
                    * (max(signed, 0) + Double.log(onePlus: Double.exp(-abs(signed))))
            }
        }
        return loss
    }
}
