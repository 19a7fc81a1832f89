import LinearEstimators
import MetaLearnersCore

/// A regularised linear model of each fold on columns of one design matrix, at the penalty that predicts the held-out
/// rows best.
struct LinearPath: Sendable {
    /// What is fitted.
    struct Problem: Sendable {
        /// The method.
        enum Method: Sendable {
            case ridge
            case lasso(stages: Int)
            case logistic
        }

        let method: Method
        /// The feature map.
        let map: FeatureExpansion
        /// The rows to learn from, ascending.
        let rows: [Int32]
        /// y, or 0 and 1, of each row of the dataset.
        let target: [Double]
        /// r of each row, as in the R-learner's loss; nil for 1.
        var regressor: [Double]?
        /// The treatment's columns beside the others; nil for none.
        var modulation: Modulation?

        /// Fits the folds.
        func fit(
            _ design: DesignMatrix, _ folds: FoldAssignment, _ weights: [Double]?, _ context: ExecutionContext
        ) throws(MetaLearnersError) -> LinearPath {
            let columns = design.columns(map)
            let fit: PathFit
            switch method {
            case .logistic:
                fit = try LogisticPathProblem(
                    design, columns: columns, rows: rows, folds: folds.folds, target: target, weights: weights
                ).ridgePath(context)
            case .ridge, .lasso:
                let problem = try PathProblem(
                    design, columns: columns, modulation: modulation, rows: rows, folds: folds.folds,
                    target: target, weights: weights, regressor: regressor, context)
                if case .lasso(let stages) = method {
                    fit = try problem.lassoPath(stages: stages, context)
                } else {
                    fit = try problem.ridgePath(context)
                }
            }
            return try LinearPath(fit, folds.count, hasSlopes: modulation != nil, context)
        }
    }

    /// The functions of the folds, without their slopes.
    let functions: [LinearFunction]
    /// The functions of the folds that the modulation is multiplied by; none without a modulation.
    let slopes: [LinearFunction]
    /// The prediction of every row by the model of its fold; log-odds for a logistic path.
    let outOfFold: [Double]
    /// The same of the slopes.
    let outOfFoldSlopes: [Double]

    private init(_ fit: PathFit, _ folds: Int, hasSlopes: Bool, _ context: ExecutionContext)
        throws(MetaLearnersError)
    {
        let best = fit.best
        functions = (0..<folds).map { fit.function(best, fold: $0) }
        slopes = hasSlopes ? (0..<folds).map { fit.slope(best, fold: $0) } : []
        outOfFold = try fit.outOfFold(best, context)
        outOfFoldSlopes = hasSlopes ? try fit.outOfFoldSlopes(stages: [best], context).first ?? [] : []
    }
}
