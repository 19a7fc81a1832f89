import CTreeKernels

/// Finds the best split of a leaf by one column, from the column's histogram.
struct SplitSearch<Cell: HistogramCell> {
    let rules: GrowthRules

    /// Gains below this share of the scores they are differences of are rounding errors.
    static var relativePrecision: Double { 1e-12 }

    /// The best split by the column with histogram `cells`, nil where none gains.
    func best(
        _ cells: UnsafePointer<Cell.Sum>, binCount: Int, feature: Int, isCategorical: Bool,
        totals: GradientTotals, bounds: ValueBounds
    ) -> SplitCandidate? {
        if isCategorical { return bestOfCategories(cells, binCount, feature, totals, bounds) }
        return rules.isBounded
            ? bestBounded(cells, binCount, feature, totals, bounds)
            : bestOrdered(cells, binCount, feature, totals)
    }

    private func bestOrdered(
        _ cells: UnsafePointer<Cell.Sum>, _ binCount: Int, _ feature: Int, _ totals: GradientTotals
    ) -> SplitCandidate? {
        let shift = rules.countShift
        let missing = Cell.totals(cells[0], countShift: shift)
        // Without missing values the last bin has nothing to be parted from.
        let splitCount = missing.count > 0 ? binCount - 1 : binCount - 2
        guard splitCount > 0 else { return nil }
        var leaf = mtlk_leaf(
            gradient: Double(totals.gradient), hessian: Double(totals.hessian), count: Double(totals.count),
            l1: rules.l1Units, l2: rules.l2Units, least_count: Double(rules.minLeafSize),
            least_hessian: rules.minChildWeightUnits, least_gain: rules.minSplitGainUnits,
            score: rules.score(totals))
        var best: (split: Int, missingRight: Bool)?
        withUnsafeTemporaryAllocation(of: Double.self, capacity: 3 * splitCount) { sums in
            guard let gradients = sums.baseAddress else { return }
            let hessians = gradients + splitCount
            let counts = hessians + splitCount
            var below = Cell.zero
            for split in 0..<splitCount {
                below = Cell.add(below, cells[split + 1])
                let left = Cell.totals(below, countShift: shift)
                (gradients + split).initialize(to: Double(left.gradient))
                (hessians + split).initialize(to: Double(left.hessian))
                (counts + split).initialize(to: Double(left.count))
            }
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
        var left = GradientTotals()
        for bin in 1...best.split + 1 { left = left + Cell.totals(cells[bin], countShift: shift) }
        // Where nothing is known of missing values, they follow the majority.
        let missingRight = missing.count > 0 ? best.missingRight : 2 * left.count < totals.count
        if missing.count > 0, !best.missingRight { left = left + missing }
        return SplitCandidate(
            gain: leaf.least_gain, feature: feature,
            rule: .ordered(threshold: UInt16(best.split + 1), missingRight: missingRight), left: left)
    }

    private func bestOfCategories(
        _ cells: UnsafePointer<Cell.Sum>, _ binCount: Int, _ feature: Int, _ totals: GradientTotals,
        _ bounds: ValueBounds
    ) -> SplitCandidate? {
        let present = (0..<binCount).compactMap { bin -> (bin: Int, totals: GradientTotals)? in
            let totals = Cell.totals(cells[bin], countShift: rules.countShift)
            return totals.count > 0 ? (bin, totals) : nil
        }
        guard present.count > 1 else { return nil }
        return present.count <= Self.oneAgainstRest
            ? bestSingle(present, feature, totals, bounds) : bestOfSorted(present, feature, totals, bounds)
    }

    /// With so many categories or fewer each is tried against all others.
    private static var oneAgainstRest: Int { 4 }

    private func bestSingle(
        _ present: [(bin: Int, totals: GradientTotals)], _ feature: Int, _ totals: GradientTotals,
        _ bounds: ValueBounds
    ) -> SplitCandidate? {
        let parentScore = rules.score(totals, within: bounds)
        var best: SplitCandidate?
        for entry in present {
            let right = entry.totals
            let left = totals - right
            guard rules.admits(left), rules.admits(right) else { continue }
            let sum = rules.score(left, within: bounds) + rules.score(right, within: bounds)
            let gain = sum - parentScore
            guard gain > best?.gain ?? rules.minSplitGainUnits, gain > sum * Self.relativePrecision else {
                continue
            }
            best = SplitCandidate(
                gain: gain, feature: feature,
                rule: .categories(
                    categories([entry.bin], right, totals, missingIsKnown: present[0].bin == 0)),
                left: left)
        }
        return best
    }

    private func bestOfSorted(
        _ present: [(bin: Int, totals: GradientTotals)], _ feature: Int, _ totals: GradientTotals,
        _ bounds: ValueBounds
    ) -> SplitCandidate? {
        func ratio(_ totals: GradientTotals) -> Double {
            let hessian = Double(totals.hessian) * rules.hessianUnit + rules.categorySmoothing
            return hessian > 0 ? Double(totals.gradient) * rules.gradientUnit / hessian : 0
        }
        let sorted = present.map { (ratio: ratio($0.totals), entry: $0) }
            .sorted { ($0.ratio, $0.entry.bin) < ($1.ratio, $1.entry.bin) }
        let parentScore = rules.score(totals, within: bounds)
        var bestGain = rules.minSplitGainUnits
        var bestLength = 0
        var bestRight = GradientTotals()
        var right = GradientTotals()
        for length in 1..<sorted.count {
            right = right + sorted[length - 1].entry.totals
            let left = totals - right
            guard rules.admits(left), rules.admits(right) else { continue }
            let sum =
                rules.score(left, within: bounds, extraL2: rules.categoryL2Units)
                + rules.score(right, within: bounds, extraL2: rules.categoryL2Units)
            let gain = sum - parentScore
            guard gain > bestGain, gain > sum * Self.relativePrecision else { continue }
            bestGain = gain
            bestLength = length
            bestRight = right
        }
        guard bestLength > 0 else { return nil }
        let bins = sorted.prefix(bestLength).map(\.entry.bin)
        return SplitCandidate(
            gain: bestGain, feature: feature,
            rule: .categories(categories(bins, bestRight, totals, missingIsKnown: present[0].bin == 0)),
            left: totals - bestRight)
    }

    /// The set of `bins`; where no missing value was seen, its side is drawn.
    private func categories(
        _ bins: [Int], _ right: GradientTotals, _ totals: GradientTotals, missingIsKnown: Bool
    ) -> CategorySet {
        var set = CategorySet()
        for bin in bins { set.insert(bin) }
        let salt = UInt64(bitPattern: right.gradient)
        if !missingIsKnown, UnknownCategory.goesRight(right.count, of: totals.count, salt: salt) {
            set.insert(0)
        }
        return set
    }
}
