/// Finds the best split of a leaf by one column, from the column's histogram.
struct SplitSearch<Cell: HistogramCell> {
    let rules: GrowthRules

    /// Gains below this share of the scores they are differences of are rounding errors.
    private static var relativePrecision: Double { 1e-12 }

    /// The best split by the column with histogram `cells`, nil where none gains.
    func best(
        _ cells: UnsafePointer<Cell.Sum>, binCount: Int, feature: Int, isCategorical: Bool,
        totals: GradientTotals
    ) -> SplitCandidate? {
        isCategorical
            ? bestOfCategories(cells, binCount, feature, totals)
            : bestOrdered(cells, binCount, feature, totals)
    }

    private func bestOrdered(
        _ cells: UnsafePointer<Cell.Sum>, _ binCount: Int, _ feature: Int, _ totals: GradientTotals
    ) -> SplitCandidate? {
        let shift = rules.countShift
        let missing = Cell.totals(cells[0], countShift: shift)
        let parentScore = rules.score(totals)
        var best: SplitCandidate?
        var bestGain = rules.minSplitGain
        var below = Cell.zero
        func consider(_ left: GradientTotals, threshold: Int, missingRight: Bool) {
            let right = totals - left
            guard rules.admits(left), rules.admits(right) else { return }
            let sum = rules.score(left) + rules.score(right)
            let gain = sum - parentScore
            guard gain > bestGain, gain > sum * Self.relativePrecision else { return }
            bestGain = gain
            best = SplitCandidate(
                gain: gain, feature: feature,
                rule: .ordered(threshold: UInt8(threshold), missingRight: missingRight), left: left)
        }
        for bin in 1..<binCount {
            below = Cell.add(below, cells[bin])
            let left = Cell.totals(below, countShift: shift)
            if left.count == 0 { continue }
            if missing.count > 0 {
                consider(left, threshold: bin, missingRight: true)
                if left.count + missing.count < totals.count {
                    consider(left + missing, threshold: bin, missingRight: false)
                }
            } else {
                if left.count == totals.count { break }
                // Nothing is known of missing values: they follow the majority.
                consider(left, threshold: bin, missingRight: 2 * left.count < totals.count)
            }
        }
        return best
    }

    private func bestOfCategories(
        _ cells: UnsafePointer<Cell.Sum>, _ binCount: Int, _ feature: Int, _ totals: GradientTotals
    ) -> SplitCandidate? {
        let present = (0..<binCount).compactMap { bin -> (bin: Int, totals: GradientTotals)? in
            let totals = Cell.totals(cells[bin], countShift: rules.countShift)
            return totals.count > 0 ? (bin, totals) : nil
        }
        guard present.count > 1 else { return nil }
        return present.count <= Self.oneAgainstRest
            ? bestSingle(present, feature, totals) : bestOfSorted(present, feature, totals)
    }

    /// With so many categories or fewer each is tried against all others.
    private static var oneAgainstRest: Int { 4 }

    private func bestSingle(
        _ present: [(bin: Int, totals: GradientTotals)], _ feature: Int, _ totals: GradientTotals
    ) -> SplitCandidate? {
        let parentScore = rules.score(totals)
        var best: SplitCandidate?
        for entry in present {
            let right = entry.totals
            let left = totals - right
            guard rules.admits(left), rules.admits(right) else { continue }
            let sum = rules.score(left) + rules.score(right)
            let gain = sum - parentScore
            guard gain > best?.gain ?? rules.minSplitGain, gain > sum * Self.relativePrecision else {
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
        _ present: [(bin: Int, totals: GradientTotals)], _ feature: Int, _ totals: GradientTotals
    ) -> SplitCandidate? {
        func ratio(_ totals: GradientTotals) -> Double {
            let hessian = Double(totals.hessian) * rules.hessianUnit + rules.categorySmoothing
            return hessian > 0 ? Double(totals.gradient) * rules.gradientUnit / hessian : 0
        }
        let sorted = present.map { (ratio: ratio($0.totals), entry: $0) }
            .sorted { ($0.ratio, $0.entry.bin) < ($1.ratio, $1.entry.bin) }
        let parentScore = rules.score(totals)
        var bestGain = rules.minSplitGain
        var bestLength = 0
        var bestRight = GradientTotals()
        var right = GradientTotals()
        for length in 1..<sorted.count {
            right = right + sorted[length - 1].entry.totals
            let left = totals - right
            guard rules.admits(left), rules.admits(right) else { continue }
            let sum =
                rules.score(left, extraL2: rules.categoryL2) + rules.score(right, extraL2: rules.categoryL2)
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
        if !missingIsKnown, totals.sendsUnknownCategoryRight(right) { set.insert(0) }
        return set
    }
}
