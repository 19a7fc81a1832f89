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
