import CTreeKernels

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
    /// By column: 1 where predictions must not fall with it, −1 where they must not rise; empty where no column is
    /// bound to either.
    var directions: [Int8] = []
    /// What one unit of a Hessian sum stands for.
    var hessianUnit = 1.0

    init(_ spec: TreesSpec) {
        maxLeaves = spec.leafLimit
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

    /// The penalties in the units of the sums.
    var l1Units: Double { l1 == 0 ? 0 : l1 / gradientUnit }
    var l2Units: Double { l2 == 0 ? 0 : l2 / hessianUnit }
    var categoryL2Units: Double { categoryL2 == 0 ? 0 : categoryL2 / hessianUnit }
    /// The least gain and Hessian in the units of the sums.
    var minSplitGainUnits: Double {
        minSplitGain == 0 ? 0 : minSplitGain / gradientUnit / gradientUnit * hessianUnit
    }
    var minChildWeightUnits: Double { minChildWeight == 0 ? 0 : minChildWeight / hessianUnit }

    /// What one unit of a gain stands for.
    var gainUnit: Double { gradientUnit / hessianUnit * gradientUnit }

    /// Whether the values of leaves may be bounded.
    var isBounded: Bool { !directions.isEmpty }

    /// In which direction predictions must move with a column; 0 for any.
    func direction(of feature: Int) -> Int8 { directions.isEmpty ? 0 : directions[feature] }

    /// The value of a leaf, in units of a gradient sum over a Hessian sum.
    func optimumUnits(_ totals: GradientTotals, within bounds: ValueBounds, extraL2: Double = 0) -> Double {
        let hessian = Double(totals.hessian) + l2Units + extraL2
        return bounds.clamped(hessian > 0 ? thresholded(Double(totals.gradient), l1Units) / hessian : 0)
    }

    /// The value of a leaf.
    func optimum(_ totals: GradientTotals, within bounds: ValueBounds) -> Double {
        isBounded
            ? optimumUnits(totals, within: bounds) * (gradientUnit / hessianUnit) : optimum(totals)
    }

    /// Twice what the loss falls by the best value within `bounds`, in the units of the sums.
    func score(_ totals: GradientTotals, within bounds: ValueBounds, extraL2: Double = 0) -> Double {
        if !isBounded { return score(totals, extraL2: extraL2) }
        let value = optimumUnits(totals, within: bounds, extraL2: extraL2)
        let hessian = Double(totals.hessian) + l2Units + extraL2
        return value * (2 * Double(totals.gradient) - hessian * value) - 2 * l1Units * abs(value)
    }

    /// The value that minimises −Gv + (H+λ)v²/2 + α|v|: T(G)/(H+λ), T the soft threshold at α.
    func optimum(_ totals: GradientTotals) -> Double {
        let hessian = Double(totals.hessian) * hessianUnit + l2
        return hessian > 0 ? thresholded(Double(totals.gradient) * gradientUnit, l1) / hessian : 0
    }

    /// Twice what the loss falls by that value, T(G)²/(H+λ), in the units of the sums: squares of these stay within
    /// the range of Double whatever the target's magnitude is.
    func score(_ totals: GradientTotals, extraL2: Double = 0) -> Double {
        let gradient = thresholded(Double(totals.gradient), l1Units)
        let hessian = Double(totals.hessian) + l2Units + extraL2
        return hessian > 0 ? gradient * gradient / hessian : 0
    }

    /// Whether a leaf may hold these rows.
    func admits(_ totals: GradientTotals) -> Bool {
        totals.count >= minLeafSize && Double(totals.hessian) >= minChildWeightUnits
    }

    /// A leaf as the kernels need it to find its best split.
    func leaf(_ totals: GradientTotals, extraL2: Double = 0) -> mtlk_leaf {
        mtlk_leaf(
            gradient: Double(totals.gradient), hessian: Double(totals.hessian), count: Double(totals.count),
            l1: l1Units, l2: l2Units + extraL2, least_count: Double(minLeafSize),
            least_hessian: minChildWeightUnits, least_gain: minSplitGainUnits, score: score(totals))
    }

    private func thresholded(_ gradient: Double, _ l1: Double) -> Double {
        if l1 == 0 { return gradient }
        return gradient > l1 ? gradient - l1 : gradient < -l1 ? gradient + l1 : 0
    }
}

/// What the value of a leaf may be, so that predictions rise or fall with a column as they must.
///
/// A split by such a column parts the values of both sides at the mean of what they would be; whatever is split later
/// on either side keeps to that (Chen & Guestrin's XGBoost and LightGBM, "basic", do the same).
struct ValueBounds: Sendable, Equatable {
    var low = -Double.infinity
    var high = Double.infinity

    /// The bound nearest to `value`, or the value itself.
    @inline(__always)
    func clamped(_ value: Double) -> Double { min(max(value, low), high) }

    /// The bounds of both sides of a split by a column along which values must move in `direction`.
    func parted(left: Double, right: Double, direction: Int8) -> (left: ValueBounds, right: ValueBounds) {
        guard direction != 0 else { return (self, self) }
        let middle = (left + right) / 2
        var lower = self
        var upper = self
        lower.high = middle
        upper.low = middle
        return direction > 0 ? (lower, upper) : (upper, lower)
    }
}

/// A leaf of a tree that still grows.
protocol GrowingLeaf {
    /// Splits on the way to it from the root.
    var depth: Int { get }
    /// How many rows it holds.
    var count: Int64 { get }
    /// What its best split gains; nil where none is known to gain.
    var gain: Double? { get }
}

extension GrowthRules {
    /// The leaf to be split next: that of the largest gain, where trees grow depth-wise among those nearest to the root;
    /// the first of several. Nil where none gains.
    func nextLeaf(_ leaves: [some GrowingLeaf]) -> Int? {
        var chosen: (index: Int, gain: Double)?
        for index in leaves.indices {
            guard let gain = leaves[index].gain else { continue }
            if let current = chosen {
                let deeper = isDepthWise ? leaves[index].depth - leaves[current.index].depth : 0
                guard deeper < 0 || deeper == 0 && gain > current.gain else { continue }
            }
            chosen = (index, gain)
        }
        return chosen?.index
    }

    /// Whether a tree of so many leaves may split this one.
    func maySplit(_ leaf: some GrowingLeaf, leafCount: Int) -> Bool {
        leaf.count / 2 >= minLeafSize && leaf.depth < maxDepth && leafCount < maxLeaves
    }
}
