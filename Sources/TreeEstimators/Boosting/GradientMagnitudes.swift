/// What the gradients and Hessians of some rows come to without their signs, and the largest of them; or bounds of these.
struct GradientMagnitudes {
    var gradient = 0.0
    var hessian = 0.0
    var largestGradient = 0.0
    var largestHessian = 0.0

    /// Adds a row.
    @inline(__always)
    mutating func add(gradient: Double, hessian: Double) {
        self.gradient += gradient
        self.hessian += hessian
        largestGradient = max(largestGradient, gradient)
        largestHessian = max(largestHessian, hessian)
    }

    /// Adds other rows.
    mutating func add(_ other: GradientMagnitudes) {
        gradient += other.gradient
        hessian += other.hessian
        largestGradient = max(largestGradient, other.largestGradient)
        largestHessian = max(largestHessian, other.largestHessian)
    }
}
