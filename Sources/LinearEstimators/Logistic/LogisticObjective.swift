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
    /// - Parameter curvature: what of the second derivative is made with it.
    func evaluate(_ parameters: DoubleBuffer, _ curvature: LogisticCurvature, _ context: ExecutionContext)
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

    /// Takes the first process's numbers: processors of different kinds may round differently.
    ///
    /// - Throws: what the collective throws.
    func agree(_ numbers: DoubleBuffer) throws(MetaLearnersError) {
        guard let distribution = classes.distribution else { return }
        for (index, value) in try distribution.agreed(numbers.array).enumerated() {
            numbers.start[index] = value
        }
    }

    /// The penalty at `parameters`, whose derivatives are added to those of the loss.
    ///
    /// - Parameters:
    ///   - hessian: by columns; nil where it is not wanted.
    ///   - diagonal: that of the Hessian; empty where it is not wanted.
    func addPenalty(
        _ parameters: DoubleBuffer, gradient: DoubleBuffer, hessian: DoubleBuffer?, diagonal: inout [Double]
    ) -> Double {
        var penalty = 0.0
        for index in 0..<parameterCount where index % size < size - 1 {
            let value = parameters.start[index]
            penalty += 0.5 * l2 * value * value
            gradient.start[index] += l2 * value
            hessian?.start[index * (parameterCount + 1)] += l2
            if !diagonal.isEmpty { diagonal[index] += l2 }
        }
        return penalty
    }

    /// Adds the product of what the penalty and the pinned shift make of the Hessian with `direction`.
    func addPenaltyProduct(_ direction: DoubleBuffer, to product: DoubleBuffer) {
        var shift = 0.0
        for function in 0..<functions { shift += direction.start[function * size + size - 1] }
        for index in 0..<parameterCount {
            if index % size < size - 1 {
                product.start[index] += l2 * direction.start[index]
            } else if functions > 1 {
                product.start[index] += gauge * shift
            }
        }
    }

    /// Mirrors the blocks beside the diagonal, of which only the upper triangles were summed, and pins the shift.
    func completeHessian(_ hessian: DoubleBuffer) {
        let lead = parameterCount
        for first in 0..<functions {
            for second in first..<functions {
                let corner = hessian.start + (second * size * lead + first * size)
                if first < second {
                    for column in 0..<size {
                        for row in 0..<column { corner[row * lead + column] = corner[column * lead + row] }
                    }
                }
                if functions > 1 { corner[(size - 1) * (lead + 1)] += gauge }
            }
        }
    }

    /// The curvature that pins the common shift of the intercepts.
    var gauge: Double { classes.totalWeight / (Double(functions) * Double(functions)) }
}

/// What of the second derivative of a logistic loss is made beside the loss and its gradient.
enum LogisticCurvature {
    /// Nothing.
    case none
    /// What products with the Hessian need, and its diagonal.
    case products
    /// The Hessian.
    case matrix
}

/// What a point of a logistic loss has: the loss, its gradient, and the curvature for the next step.
struct LogisticEvaluation {
    let loss: Double
    let gradient: DoubleBuffer
    /// The upper triangle of the Hessian, by columns; nil where it was not made.
    let hessian: DoubleBuffer?
    /// For each row, the probability of each function's class: what products with the Hessian need; empty where they were not asked for.
    let probabilities: [Double]
    /// The diagonal of the Hessian; empty where products were not asked for.
    let diagonal: [Double]
}
