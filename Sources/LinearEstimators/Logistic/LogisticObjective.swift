import MetaLearnersCore

/// The penalised negative log-likelihood Σ w·(−log p_y(z)) + l2/2·|β|² with its derivatives, however the rows are stored.
///
/// Two classes have one linear function, η = b + z·β and p_1 = 1/(1 + e^−η). More have one each and
/// p_k = e^η_k / Σ e^η_l: all β_k are penalised, so that no class is special. Parameters stand function by function,
/// each its β and then its b. Intercepts are not penalised: their common shift, which changes no probability, is
/// pinned at 0 by a term in the Hessian.
protocol LogisticObjective: AnyObject {
    /// How many linear functions there are.
    var functions: Int { get }
    /// Columns of the design matrix, and the intercept.
    var size: Int { get }
    /// The classes of the rows.
    var classes: ClassLabels { get }
    /// The penalty on squares.
    var l2: Double { get set }

    /// The loss at `parameters`, with its derivatives.
    ///
    /// - Parameter dense: whether to make the Hessian, or else what products with it need.
    func evaluate(_ parameters: DoubleBuffer, dense: Bool, _ context: ExecutionContext)
        throws(MetaLearnersError) -> LogisticEvaluation

    /// The product of the Hessian at `point` with `direction`.
    func hessianProduct(_ point: LogisticEvaluation, _ direction: DoubleBuffer, _ context: ExecutionContext)
        throws(MetaLearnersError) -> DoubleBuffer

    /// The same loss of some of the columns.
    func selecting(_ columns: [Int], _ context: ExecutionContext) throws(MetaLearnersError)
        -> any LogisticObjective
}

extension LogisticObjective {
    /// How many parameters there are.
    var parameterCount: Int { functions * size }

    /// Coefficients 0 and the intercepts that give the classes' shares.
    func startingPoint() throws(MetaLearnersError) -> DoubleBuffer {
        let parameters = try DoubleBuffer(parameterCount)
        let logs = classes.shares.map { Double.log($0) }
        if functions == 1 {
            parameters.start[size - 1] = logs[1] - logs[0]
        } else {
            let mean = logs.reduce(0, +) / Double(functions)
            for function in 0..<functions {
                parameters.start[function * size + size - 1] = logs[function] - mean
            }
        }
        return parameters
    }

    /// The curvature that pins the common shift of the intercepts.
    var gauge: Double { classes.totalWeight / (Double(functions) * Double(functions)) }
}
