/// What a point of a logistic loss has: the loss, its gradient, and the curvature for the next step.
struct LogisticEvaluation {
    let loss: Double
    let gradient: DoubleBuffer
    /// The upper triangle of the Hessian, by columns; nil where that is too large.
    let hessian: DoubleBuffer?
    /// For each row, the probability of each function's class: what products with the Hessian need.
    let probabilities: [Double]
    /// The diagonal of the Hessian; empty where the whole is there.
    let diagonal: [Double]
}
