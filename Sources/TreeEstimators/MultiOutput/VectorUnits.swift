/// What the integer sums of a leaf with several values stand for, and the penalties in the same terms.
struct VectorUnits: Sendable {
    /// What one unit of each output's gradient sum stands for.
    var gradients: [Double]
    /// What one unit of a Hessian sum stands for.
    var hessian: Double
    /// What one unit of each output's Hessian stands for in the terms of penalties.
    let penalties: [Double]
    /// The penalty λ on the square of each output's value, before it is brought to the units of Hessians.
    let l2: Double
    /// The least sum of each output's Hessian in a leaf, in the terms of penalties.
    let leastHessian: Double
}
