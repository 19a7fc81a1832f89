import MetaLearnersCore

/// What a path problem became: linear models of each fold at each penalty, and how well they predict the rows that
/// they have not seen.
package struct PathFit: Sendable {
    /// A model at one penalty, in the problem's own columns.
    struct Stage: Sendable {
        let intercept: Double
        let coefficients: [Double]
    }

    /// What the models were fitted to.
    let columns: PathColumns
    /// The fold of each row of the design matrix, −1 for those never held out.
    let folds: [Int32]
    /// The stages of each fold's model.
    let models: [[Stage]]
    /// The stages of the model of all rows; none where nobody asked for it.
    let whole: [Stage]

    /// The penalties, descending: the stages.
    package let penalties: [Double]
    /// For each stage, the weighted mean loss of the problem's rows at the models that have not seen them: squared error,
    /// or the negative log-likelihood.
    package let losses: [Double]
    /// Whether every solver came to its end. A logistic model then has probabilities that are exact to about 10⁻⁵.
    package let converged: Bool

    /// The stage of least loss.
    package var best: Int { losses.indices.min { losses[$0] < losses[$1] } ?? 0 }

    /// The stage of least loss alone, with the numbers of the first process where several hold the rows: processors of different
    /// kinds may round differently.
    ///
    /// - Throws: what the collective throws.
    func chosen(_ distribution: DistributedRows?) throws(MetaLearnersError) -> PathFit {
        let stage = Int(try distribution.agreed([Double(best)])[0])
        var numbers = try distribution.agreed(
            models.flatMap { [$0[stage].intercept] + $0[stage].coefficients })[...]
        let agreed = models.map { stages in
            let own = numbers.prefix(1 + stages[stage].coefficients.count)
            numbers = numbers.dropFirst(own.count)
            return [Stage(intercept: own.first ?? 0, coefficients: Array(own.dropFirst()))]
        }
        return PathFit(
            columns: columns, folds: folds, models: agreed, whole: [], penalties: [penalties[stage]],
            losses: [losses[stage]], converged: converged)
    }

    /// The predictions for every row of the design matrix by the model of its fold, which has not seen it: for each of
    /// `stages`, one per row. Rows without a fold get 0. A logistic path predicts log-odds.
    ///
    /// - Throws: `outOfMemory`, `cancelled`.
    /// - Complexity: O(rows × columns × stages), spread over the threads of `context`.
    package func outOfFold(stages: [Int], _ context: ExecutionContext) throws(MetaLearnersError) -> [[Double]]
    {
        try products(columns, stages, context) { stage, width in (stage.intercept, stage.coefficients) }
    }

    /// The same for one stage.
    package func outOfFold(_ stage: Int, _ context: ExecutionContext) throws(MetaLearnersError) -> [Double] {
        try outOfFold(stages: [stage], context)[0]
    }

    /// Out-of-fold predictions of what one more unit of the modulation adds, the effect: for each of `stages`, one per row.
    ///
    /// - Throws: `outOfMemory`, `cancelled`.
    package func outOfFoldSlopes(stages: [Int], _ context: ExecutionContext) throws(MetaLearnersError)
        -> [[Double]]
    {
        let modulated = columns.modulation?.columns ?? []
        let plain = PathColumns(
            design: columns.design, columns: modulated,
            scales: modulated.map { _ in columns.modulation?.columnFactor ?? 1 }, modulation: nil)
        let first = columns.columns.count
        let factor = columns.modulation?.mainFactor ?? 0
        return try products(plain, stages, context) { stage, width in
            guard factor > 0 else { return (0, []) }
            return (
                stage.coefficients[first] * factor,
                Array(stage.coefficients[(first + 1)..<(first + 1 + width)])
            )
        }
    }

    /// The model of a fold without its effect, as a function on the whole design matrix.
    package func function(_ stage: Int, fold: Int) -> LinearFunction {
        columns.functions(intercept: models[fold][stage].intercept, models[fold][stage].coefficients).base
    }

    /// The effect in the model of a fold.
    package func slope(_ stage: Int, fold: Int) -> LinearFunction {
        columns.functions(intercept: models[fold][stage].intercept, models[fold][stage].coefficients).slope
    }

    /// The mean of the folds' models without their effects: it predicts the mean of their predictions (for a logistic
    /// path, of their log-odds).
    package func function(_ stage: Int) -> LinearFunction {
        .mean(models.indices.map { function(stage, fold: $0) })
    }

    /// The mean of the folds' effects.
    package func slope(_ stage: Int) -> LinearFunction {
        .mean(models.indices.map { slope(stage, fold: $0) })
    }

    /// The model of all rows; nil where nobody asked for it.
    package func wholeFunction(_ stage: Int) -> LinearFunction? {
        guard whole.indices.contains(stage) else { return nil }
        return columns.functions(intercept: whole[stage].intercept, whole[stage].coefficients).base
    }

    /// The values of functions on `source` at the rows of each fold.
    private func products(
        _ source: PathColumns, _ stages: [Int], _ context: ExecutionContext,
        _ function: (Stage, Int) -> (Double, [Double])
    ) throws(MetaLearnersError) -> [[Double]] {
        let count = folds.count
        let width = source.width
        var rowsOfFold = [[Int32]](repeating: [], count: models.count)
        for (row, fold) in folds.enumerated() where rowsOfFold.indices.contains(Int(fold)) {
            rowsOfFold[Int(fold)].append(Int32(clamping: row))
        }
        let values = try DoubleBuffer(count * stages.count)
        let step = DesignBlocks.rowsPerBlock
        for (fold, rows) in rowsOfFold.enumerated() where !rows.isEmpty {
            let matrix = try DoubleBuffer(width * stages.count)
            var intercepts: [Double] = []
            for (place, stage) in stages.enumerated() {
                let (intercept, coefficients) = function(models[fold][stage], width)
                intercepts.append(intercept)
                for (column, value) in coefficients.enumerated() {
                    matrix.start[place * width + column] = value
                }
            }
            let block = try DoubleBuffer(max(width, 1) * step)
            let result = try DoubleBuffer(stages.count * step)
            try BLASThreads.single { () throws(MetaLearnersError) in
                try DesignBlocks(source, rows: rows).forEach(into: block, context) { range in
                    for (place, intercept) in intercepts.enumerated() {
                        (result.start + place * step).update(repeating: intercept, count: range.count)
                    }
                    if width > 0 {
                        BLAS.gemm(
                            .plain, .plain, Int32(range.count),
                            Int32(stages.count),
                            Int32(width), 1, block.start, Int32(step), matrix.start, Int32(width), 1,
                            result.start, Int32(step))
                    }
                    for place in stages.indices {
                        for (offset, index) in range.enumerated() {
                            values.start[place * count + Int(rows[index])] =
                                result.start[place * step + offset]
                        }
                    }
                }
            }
        }
        return stages.indices.map { place in
            Array(UnsafeBufferPointer(start: values.start + place * count, count: count))
        }
    }
}
