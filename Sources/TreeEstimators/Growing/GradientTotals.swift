/// The sums of some rows: of the descent gradient, of the Hessian and of ones.
struct GradientTotals: Sendable, Equatable {
    var gradient: Int64 = 0
    var hessian: Int64 = 0
    var count: Int64 = 0

    @inline(__always)
    static func + (left: GradientTotals, right: GradientTotals) -> GradientTotals {
        GradientTotals(
            gradient: left.gradient &+ right.gradient, hessian: left.hessian &+ right.hessian,
            count: left.count &+ right.count)
    }

    @inline(__always)
    static func - (left: GradientTotals, right: GradientTotals) -> GradientTotals {
        GradientTotals(
            gradient: left.gradient &- right.gradient, hessian: left.hessian &- right.hessian,
            count: left.count &- right.count)
    }
}
