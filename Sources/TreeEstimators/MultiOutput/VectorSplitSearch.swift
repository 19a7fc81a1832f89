import MetaLearnersCore

/// Finds the best split of a leaf with several values by one column, from the column's histogram.
///
/// What splits gain is G_Lᵀ(H_L+Λ)⁻¹G_L + G_Rᵀ(H_R+Λ)⁻¹G_R − Gᵀ(H+Λ)⁻¹G. It serves one thread at a time.
final class VectorSplitSearch {
    private let layout: VectorLayout
    private let units: VectorUnits
    private let rules: GrowthRules
    private let solver: LeafSolver
    /// Sums below a split, and the sums on both of its sides as solvers need them.
    private let below: AlignedBuffer<Int64>
    private let left: AlignedBuffer<Double>
    private let right: AlignedBuffer<Double>

    /// Gains below this share of the scores they are differences of are rounding errors.
    private static let relativePrecision = 1e-11
    /// With so many categories or fewer each is tried against all others.
    private static let oneAgainstRest = 4

    /// - Throws: `outOfMemory`.
    init(_ layout: VectorLayout, _ units: VectorUnits, _ rules: GrowthRules) throws(MetaLearnersError) {
        self.layout = layout
        self.units = units
        self.rules = rules
        solver = try LeafSolver(layout, units)
        below = try AlignedBuffer(uninitialized: layout.lanes)
        left = try AlignedBuffer(uninitialized: layout.lanes)
        right = try AlignedBuffer(uninitialized: layout.lanes)
    }

    /// The score of a leaf that is not split.
    func score(_ sums: [Int64]) -> Double { solver.score(sums.map(Double.init)) }

    /// The best values of a leaf.
    func values(_ sums: [Int64]) -> [Double] { solver.values(sums.map(Double.init)) }

    /// The best split by the column with histogram `cells`, nil where none gains.
    func best(
        _ cells: UnsafePointer<Int64>, binCount: Int, feature: Int, isCategorical: Bool, totals: [Int64]
    ) -> VectorCandidate? {
        let best =
            isCategorical
            ? bestOfCategories(cells, binCount, totals) : bestOrdered(cells, binCount, totals)
        guard let best else { return nil }
        return VectorCandidate(
            split: SplitCandidate(
                gain: best.gain, feature: feature, rule: best.rule,
                left: GradientTotals(count: best.left[layout.countLane])), left: best.left)
    }

    private typealias Found = (gain: Double, rule: SplitCandidate.Rule, left: [Int64])

    /// What a split with these sums on the left gains, nil where it is not admitted or not more than `least`.
    @inline(__always)
    private func gain(
        left sums: UnsafePointer<Int64>, plus more: UnsafePointer<Int64>?, of totals: UnsafePointer<Int64>,
        parentScore: Double, least: Double, extraL2: Double = 0
    ) -> Double? {
        for lane in 0..<layout.countLane + 1 {
            let sum = sums[lane] &+ (more?[lane] ?? 0)
            left.start[lane] = Double(sum)
            right.start[lane] = Double(totals[lane] &- sum)
        }
        let count = layout.countLane
        let leastCount = Double(rules.minLeafSize)
        guard left.start[count] >= leastCount, right.start[count] >= leastCount else { return nil }
        guard solver.admits(left.start), solver.admits(right.start) else { return nil }
        let sum =
            solver.score(left.start, extraL2: extraL2) + solver.score(right.start, extraL2: extraL2)
        let gain = sum - parentScore
        return gain > least && gain > sum * Self.relativePrecision ? gain : nil
    }

    private func bestOrdered(_ cells: UnsafePointer<Int64>, _ binCount: Int, _ totals: [Int64]) -> Found? {
        let lanes = layout.lanes
        let hasMissing = cells[layout.countLane] > 0
        // Without missing values the last bin has nothing to be parted from.
        let splitCount = hasMissing ? binCount - 1 : binCount - 2
        guard splitCount > 0 else { return nil }
        let parentScore = score(totals)
        var bestGain = rules.minSplitGain
        var best: (split: Int, missingRight: Bool)?
        below.start.update(repeating: 0, count: lanes)
        for split in 0..<splitCount {
            let cell = cells + (split + 1) * lanes
            let isEmpty = cell[layout.countLane] == 0
            for lane in 0..<lanes { below.start[lane] &+= cell[lane] }
            // An empty bin parts the same rows as the bin before it.
            if isEmpty { continue }
            if let gain = gain(
                left: below.start, plus: nil, of: totals, parentScore: parentScore, least: bestGain)
            {
                bestGain = gain
                best = (split, true)
            }
            if hasMissing,
                let gain = gain(
                    left: below.start, plus: cells, of: totals, parentScore: parentScore, least: bestGain)
            {
                bestGain = gain
                best = (split, false)
            }
        }
        guard let best else { return nil }
        var sums = [Int64](repeating: 0, count: lanes)
        for bin in 1...best.split + 1 { for lane in 0..<lanes { sums[lane] &+= cells[bin * lanes + lane] } }
        let count = layout.countLane
        // Where nothing is known of missing values, they follow the majority.
        let missingRight = hasMissing ? best.missingRight : 2 * sums[count] < totals[count]
        if hasMissing, !best.missingRight { for lane in 0..<lanes { sums[lane] &+= cells[lane] } }
        return (
            bestGain, .ordered(threshold: UInt16(best.split + 1), missingRight: missingRight), sums
        )
    }

    private func bestOfCategories(_ cells: UnsafePointer<Int64>, _ binCount: Int, _ totals: [Int64]) -> Found?
    {
        let lanes = layout.lanes
        let present = (0..<binCount).filter { cells[$0 * lanes + layout.countLane] > 0 }
        guard present.count > 1 else { return nil }
        let parentScore = score(totals)
        var bestGain = rules.minSplitGain
        var best: (bins: [Int], left: [Int64])?
        if present.count <= Self.oneAgainstRest {
            for bin in present {
                let left = totals.indices.map { totals[$0] &- cells[bin * lanes + $0] }
                if let gain = gain(
                    left: left, plus: nil, of: totals, parentScore: parentScore, least: bestGain)
                {
                    bestGain = gain
                    best = ([bin], left)
                }
            }
        } else {
            // There is no order of vectors; that of each output's ratio is tried.
            for output in 0..<layout.outputs {
                let order = sorted(present, cells, output)
                var left = totals
                for length in 1..<order.count {
                    for lane in 0..<lanes { left[lane] &-= cells[order[length - 1] * lanes + lane] }
                    if let gain = gain(
                        left: left, plus: nil, of: totals, parentScore: parentScore, least: bestGain,
                        extraL2: rules.categoryL2)
                    {
                        bestGain = gain
                        best = (Array(order[..<length]), left)
                    }
                }
            }
        }
        guard let best else { return nil }
        var set = CategorySet()
        for bin in best.bins { set.insert(bin) }
        let total = totals[layout.countLane]
        let salt = UInt64(bitPattern: best.left[0])
        if present[0] != 0,
            UnknownCategory.goesRight(total - best.left[layout.countLane], of: total, salt: salt)
        {
            set.insert(0)
        }
        return (bestGain, .categories(set), best.left)
    }

    /// Bins by the ratio of an output's gradient and Hessian.
    private func sorted(_ bins: [Int], _ cells: UnsafePointer<Int64>, _ output: Int) -> [Int] {
        bins.map { bin -> (ratio: Double, bin: Int) in
            let cell = cells + bin * layout.lanes
            let hessian =
                Double(cell[layout.diagonalLane(output)]) * units.hessian
                + rules.categorySmoothing * units.penalties[output]
            let gradient = Double(cell[output]) * units.gradients[output]
            return (hessian > 0 ? gradient / hessian : 0, bin)
        }.sorted { ($0.ratio, $0.bin) < ($1.ratio, $1.bin) }.map(\.bin)
    }
}

/// A way to split a leaf with several values.
struct VectorCandidate: LeafSplit {
    /// The split; of the sums on its left only the count.
    let split: SplitCandidate
    /// All sums on its left.
    let left: [Int64]
}

/// Solves the small linear system of a leaf with several values: (H + Λ) v = G, where Λ is the diagonal of penalties.
///
/// It owns the memory that it works in, and serves one thread at a time.
final class LeafSolver {
    private let layout: VectorLayout
    private let units: VectorUnits
    private let factor: AlignedBuffer<Double>
    private let reduced: AlignedBuffer<Double>
    /// The units of the first two outputs, at hand.
    private let unit: Double
    private let gradientUnits: (Double, Double)
    private let penalties: (Double, Double)

    /// A pivot below this share of its diagonal entry is a rounding error: the value is not determined, and 0.
    private static let leastPivot = 1e-12

    /// Creates a solver.
    ///
    /// - Throws: `outOfMemory`.
    init(_ layout: VectorLayout, _ units: VectorUnits) throws(MetaLearnersError) {
        self.layout = layout
        self.units = units
        unit = units.hessian
        let last = layout.outputs > 1 ? 1 : 0
        gradientUnits = (units.gradients[0], units.gradients[last])
        penalties = (units.penalties[0], units.penalties[last])
        factor = try AlignedBuffer(uninitialized: layout.outputs * layout.outputs)
        reduced = try AlignedBuffer(uninitialized: layout.outputs)
    }

    /// Whether each output has the Hessian that it needs.
    @inline(__always)
    func admits(_ sums: UnsafePointer<Double>) -> Bool {
        for output in 0..<layout.outputs
        where sums[layout.diagonalLane(output)] * units.hessian
            < units.leastHessian * units.penalties[output]
        {
            return false
        }
        return true
    }

    /// Gᵀ(H + Λ)⁻¹G: twice what the loss falls by the best values.
    ///
    /// - Parameter extraL2: what is added to every penalty.
    func score(_ sums: UnsafePointer<Double>, extraL2: Double = 0) -> Double {
        if layout.hessian == .full {
            if layout.outputs == 2, let score = scoreOfTwo(sums, extraL2) { return score }
            factorize(sums, extraL2)
            var score = 0.0
            for output in 0..<layout.outputs { score += reduced.start[output] * reduced.start[output] }
            return score
        }
        var score = 0.0
        for output in 0..<layout.outputs {
            let hessian =
                sums[layout.diagonalLane(output)] * units.hessian
                + (units.l2 + extraL2) * units.penalties[output]
            let gradient = sums[output] * units.gradients[output]
            if hessian > 0 { score += gradient * gradient / hessian }
        }
        return score
    }

    /// The same for two values, in closed form; nil where the matrix is all but singular.
    @inline(__always)
    private func scoreOfTwo(_ sums: UnsafePointer<Double>, _ extraL2: Double) -> Double? {
        let penalty = units.l2 + extraL2
        let first = sums[2] * unit + penalty * penalties.0
        let both = sums[3] * unit
        let second = sums[4] * unit + penalty * penalties.1
        let determinant = first * second - both * both
        guard determinant > first * second * 1e-6 else { return nil }
        let x = sums[0] * gradientUnits.0
        let y = sums[1] * gradientUnits.1
        return (x * x * second - 2 * x * y * both + y * y * first) / determinant
    }

    /// The values that minimise the loss.
    func values(_ sums: UnsafePointer<Double>) -> [Double] {
        let outputs = layout.outputs
        guard layout.hessian == .full else {
            return (0..<outputs).map { output in
                let hessian =
                    sums[layout.diagonalLane(output)] * units.hessian + units.l2 * units.penalties[output]
                return hessian > 0 ? sums[output] * units.gradients[output] / hessian : 0
            }
        }
        factorize(sums, 0)
        SmallCholesky.substitute(factor.start, order: outputs, reduced.start)
        return Array(UnsafeBufferPointer(start: reduced.start, count: outputs))
    }

    /// Writes the Cholesky factor L of H + Λ, and L⁻¹G. Rows that depend on those before them are left out.
    private func factorize(_ sums: UnsafePointer<Double>, _ extraL2: Double) {
        let outputs = layout.outputs
        let entries = sums + layout.hessianLane
        var entry = 0
        for row in 0..<outputs {
            reduced.start[row] = sums[row] * units.gradients[row]
            let line = factor.start + row * outputs
            for column in 0...row {
                line[column] = entries[entry] * units.hessian
                entry += 1
            }
            line[row] += (units.l2 + extraL2) * units.penalties[row]
        }
        _ = SmallCholesky.factorize(
            factor.start, order: outputs, reduced.start, leastPivot: Self.leastPivot)
    }
}
