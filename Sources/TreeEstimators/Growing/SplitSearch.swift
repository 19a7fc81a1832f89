import CTreeKernels

/// Finds the best split of a leaf by one column, from the column's histogram.
struct SplitSearch<Cell: HistogramCell> {
    let rules: GrowthRules

    /// Gains below this share of the scores they are differences of are rounding errors.
    static var relativePrecision: Double { 1e-12 }

    /// The best split by the column with histogram `cells`, nil where none gains; where `rival` gains more it may be nil,
    /// too, which is found out in less time.
    func best(
        _ cells: UnsafePointer<Cell.Sum>, binCount: Int, feature: Int, isCategorical: Bool,
        totals: GradientTotals, bounds: ValueBounds, rival: SplitCandidate?
    ) -> SplitCandidate? {
        if isCategorical { return bestOfCategories(cells, binCount, feature, totals, bounds) }
        return rules.isBounded
            ? bestBounded(cells, binCount, feature, totals, bounds)
            : bestOrdered(cells, binCount, feature, totals, least: rival?.gain.nextDown ?? 0)
    }

    /// The best split by numbers that gains more than `least`.
    private func bestOrdered(
        _ cells: UnsafePointer<Cell.Sum>, _ binCount: Int, _ feature: Int, _ totals: GradientTotals,
        least: Double
    ) -> SplitCandidate? {
        let shift = rules.countShift
        let missing = Cell.totals(cells[0], countShift: shift)
        // Without missing values the last bin has nothing to be parted from.
        let splitCount = missing.count > 0 ? binCount - 1 : binCount - 2
        guard splitCount > 0 else { return nil }
        var leaf = rules.leaf(totals)
        leaf.least_gain = max(leaf.least_gain, least)
        var best: (split: Int, missingRight: Bool)?
        withUnsafeTemporaryAllocation(of: Double.self, capacity: 3 * splitCount) { sums in
            guard let gradients = sums.baseAddress else { return }
            let counts = gradients + splitCount
            let hessians = Cell.hessiansAreCounts ? counts : counts + splitCount
            Cell.runningSums(cells + 1, count: splitCount, countShift: shift, gradients, hessians, counts)
            var gain = 0.0
            let split = mtlk_best_split(gradients, hessians, counts, splitCount, 0, 0, 0, &leaf, &gain)
            if split >= 0 {
                best = (split, true)
                leaf.least_gain = gain
            }
            guard missing.count > 0 else { return }
            let other = mtlk_best_split(
                gradients, hessians, counts, splitCount, Double(missing.gradient), Double(missing.hessian),
                Double(missing.count), &leaf, &gain)
            if other >= 0 { best = (other, false) }
            leaf.least_gain = gain
        }
        guard let best else { return nil }
        var sum = Cell.zero
        for bin in 1...best.split + 1 { sum = Cell.add(sum, cells[bin]) }
        var left = Cell.totals(sum, countShift: shift)
        // Where nothing is known of missing values, they follow the majority.
        let missingRight = missing.count > 0 ? best.missingRight : 2 * left.count < totals.count
        if missing.count > 0, !best.missingRight { left = left + missing }
        return SplitCandidate(
            gain: leaf.least_gain, feature: feature,
            rule: .ordered(threshold: UInt16(best.split + 1), missingRight: missingRight), left: left)
    }
}
