/// What decides the shape of a tree, and the units of the integer sums it is grown from.
struct GrowthRules: Sendable {
    var maxLeaves: Int
    var maxDepth: Int
    var isDepthWise: Bool
    var minLeafSize: Int64
    var minChildWeight: Double
    var minSplitGain: Double
    var l1: Double
    var l2: Double
    var categorySmoothing: Double
    var categoryL2: Double
    /// The bits below the count in a histogram's cell.
    var countShift: Int64 = 40
    /// What one unit of a gradient sum stands for.
    var gradientUnit = 1.0
    /// What one unit of a Hessian sum stands for.
    var hessianUnit = 1.0

    init(_ spec: TreesSpec) {
        maxLeaves = spec.maxLeaves
        maxDepth = spec.maxDepth == 0 ? .max : spec.maxDepth
        isDepthWise = spec.growth == .depthWise
        minLeafSize = Int64(spec.minLeafSize)
        minChildWeight = spec.minChildWeight
        minSplitGain = spec.minSplitGain
        l1 = spec.l1
        l2 = spec.l2
        categorySmoothing = spec.categorySmoothing
        categoryL2 = spec.categoryL2
    }

    /// The value that minimises −Gv + (H+λ)v²/2 + α|v|: T(G)/(H+λ), T the soft threshold at α.
    @inline(__always)
    func optimum(_ totals: GradientTotals) -> Double {
        let hessian = Double(totals.hessian) * hessianUnit + l2
        return hessian > 0 ? thresholded(Double(totals.gradient) * gradientUnit) / hessian : 0
    }

    /// Twice what the loss falls by that value: T(G)²/(H+λ).
    @inline(__always)
    func score(_ totals: GradientTotals, extraL2: Double = 0) -> Double {
        let gradient = thresholded(Double(totals.gradient) * gradientUnit)
        let hessian = Double(totals.hessian) * hessianUnit + l2 + extraL2
        return hessian > 0 ? gradient * gradient / hessian : 0
    }

    /// Whether a leaf may hold these rows.
    @inline(__always)
    func admits(_ totals: GradientTotals) -> Bool {
        totals.count >= minLeafSize && Double(totals.hessian) * hessianUnit >= minChildWeight
    }

    @inline(__always)
    private func thresholded(_ gradient: Double) -> Double {
        if l1 == 0 { return gradient }
        return gradient > l1 ? gradient - l1 : gradient < -l1 ? gradient + l1 : 0
    }
}
