/// What gradients and Hessians are multiplied by to become integers.
struct GradientScales {
    var gradient: Double
    var hessian: Double
}
