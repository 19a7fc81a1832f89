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

/// Splits by numbers where the values of leaves are bounded, so that predictions keep to the directions asked for.
extension SplitSearch {
    /// The best split by the column with histogram `cells` whose sides have values within `bounds` that move in the
    /// column's direction; nil where none gains.
    func bestBounded(
        _ cells: UnsafePointer<Cell.Sum>, _ binCount: Int, _ feature: Int, _ totals: GradientTotals,
        _ bounds: ValueBounds
    ) -> SplitCandidate? {
        let shift = rules.countShift
        let missing = Cell.totals(cells[0], countShift: shift)
        // Without missing values the last bin has nothing to be parted from.
        let splitCount = missing.count > 0 ? binCount - 1 : binCount - 2
        guard splitCount > 0 else { return nil }
        let direction = rules.direction(of: feature)
        let sides = missing.count > 0 ? [true, false] : [true]
        let parentScore = rules.score(totals, within: bounds)
        var best: SplitCandidate?
        var below = Cell.zero
        for split in 0..<splitCount {
            below = Cell.add(below, cells[split + 1])
            let known = Cell.totals(below, countShift: shift)
            for missingRight in sides {
                let left = missingRight ? known : known + missing
                let right = totals - left
                guard rules.admits(left), rules.admits(right) else { continue }
                let low = rules.optimumUnits(left, within: bounds)
                let high = rules.optimumUnits(right, within: bounds)
                guard direction == 0 || (direction > 0 ? low <= high : low >= high) else { continue }
                let sum = rules.score(left, within: bounds) + rules.score(right, within: bounds)
                let gain = sum - parentScore
                guard gain > best?.gain ?? rules.minSplitGainUnits,
                    gain > abs(sum) * Self.relativePrecision
                else { continue }
                // Where nothing is known of missing values, they follow the majority.
                let sendsRight = missing.count > 0 ? missingRight : 2 * left.count < totals.count
                best = SplitCandidate(
                    gain: gain, feature: feature,
                    rule: .ordered(threshold: UInt16(split + 1), missingRight: sendsRight), left: left)
            }
        }
        return best
    }

    /// How many of the categories in the order of `keys`, less one, should go right for the gain to be largest; −1 where
    /// none gains.
    func bestBoundedPrefix(
        _ keys: UnsafePointer<UInt64>, _ sums: UnsafePointer<GradientTotals>, _ present: Int,
        _ totals: GradientTotals, _ bounds: ValueBounds, _ gain: inout Double
    ) -> Int {
        let extraL2 = rules.categoryL2Units
        let parentScore = rules.score(totals, within: bounds)
        gain = rules.minSplitGainUnits
        var best = -1
        var right = GradientTotals()
        for place in 0..<present - 1 {
            right = right + sums[Int(keys[place] & 0xFFFF_FFFF)]
            let left = totals - right
            guard rules.admits(left), rules.admits(right) else { continue }
            let sum =
                rules.score(left, within: bounds, extraL2: extraL2)
                + rules.score(right, within: bounds, extraL2: extraL2)
            let change = sum - parentScore
            guard change > gain, change > abs(sum) * Self.relativePrecision else { continue }
            gain = change
            best = place
        }
        return best
    }
}

extension SplitSearch {
    /// With so many categories or fewer each is tried against all others.
    private static var oneAgainstRest: Int { 4 }

    /// The best set of categories to send right: a single one where there are few, else some of the lowest gradient
    /// ratios, which for two sums is the best of all sets (Fisher 1958) but for smoothing.
    ///
    /// O(bins), sorting by radix.
    func bestOfCategories(
        _ cells: UnsafePointer<Cell.Sum>, _ binCount: Int, _ feature: Int, _ totals: GradientTotals,
        _ bounds: ValueBounds
    ) -> SplitCandidate? {
        withUnsafeTemporaryAllocation(of: GradientTotals.self, capacity: binCount) { sums in
            withUnsafeTemporaryAllocation(of: Int32.self, capacity: binCount) { bins in
                guard let sums = sums.baseAddress, let bins = bins.baseAddress else { return nil }
                var present = 0
                for bin in 0..<binCount {
                    let totals = Cell.totals(cells[bin], countShift: rules.countShift)
                    (sums + present).initialize(to: totals)
                    (bins + present).initialize(to: Int32(truncatingIfNeeded: bin))
                    present += totals.count > 0 ? 1 : 0
                }
                guard present > 1 else { return nil }
                return present <= Self.oneAgainstRest
                    ? bestSingle(sums, bins, present, feature, totals, bounds)
                    : bestOfSorted(sums, bins, present, feature, totals, bounds)
            }
        }
    }

    private func bestSingle(
        _ sums: UnsafePointer<GradientTotals>, _ bins: UnsafePointer<Int32>, _ present: Int, _ feature: Int,
        _ totals: GradientTotals, _ bounds: ValueBounds
    ) -> SplitCandidate? {
        let parentScore = rules.score(totals, within: bounds)
        var best: SplitCandidate?
        for index in 0..<present {
            let right = sums[index]
            let left = totals - right
            guard rules.admits(left), rules.admits(right) else { continue }
            let sum = rules.score(left, within: bounds) + rules.score(right, within: bounds)
            let gain = sum - parentScore
            guard gain > best?.gain ?? rules.minSplitGainUnits, gain > sum * Self.relativePrecision else {
                continue
            }
            let set = categories(
                CollectionOfOne(Int(bins[index])), right, totals, missingIsKnown: bins[0] == 0)
            best = SplitCandidate(gain: gain, feature: feature, rule: .categories(set), left: left)
        }
        return best
    }

    private func bestOfSorted(
        _ sums: UnsafePointer<GradientTotals>, _ bins: UnsafePointer<Int32>, _ present: Int, _ feature: Int,
        _ totals: GradientTotals, _ bounds: ValueBounds
    ) -> SplitCandidate? {
        withUnsafeTemporaryAllocation(of: UInt64.self, capacity: 2 * present) { keys in
            withUnsafeTemporaryAllocation(of: Double.self, capacity: 3 * present) { running in
                guard let keys = keys.baseAddress, let gradients = running.baseAddress else { return nil }
                for index in 0..<present {
                    keys[index] = UInt64(order(of: sums[index])) << 32 | UInt64(index)
                }
                mtlk_sort_by_upper(keys, present, keys + present)
                let hessians = gradients + present
                let counts = hessians + present
                // Everything may not go right: the last sum is left out.
                var right = GradientTotals()
                for place in 0..<present - 1 {
                    right = right + sums[Int(keys[place] & 0xFFFF_FFFF)]
                    (gradients + place).initialize(to: Double(right.gradient))
                    (hessians + place).initialize(to: Double(right.hessian))
                    (counts + place).initialize(to: Double(right.count))
                }
                var leaf = rules.leaf(totals, extraL2: rules.categoryL2Units)
                var gain = 0.0
                let last =
                    rules.isBounded
                    ? bestBoundedPrefix(keys, sums, present, totals, bounds, &gain)
                    : mtlk_best_split(gradients, hessians, counts, present - 1, 0, 0, 0, &leaf, &gain)
                guard last >= 0 else { return nil }
                let members = (0...last).map { Int(keys[$0] & 0xFFFF_FFFF) }
                let sum = members.reduce(GradientTotals()) { $0 + sums[$1] }
                let set = categories(
                    members.map { Int(bins[$0]) }, sum, totals, missingIsKnown: bins[0] == 0)
                return SplitCandidate(
                    gain: gain, feature: feature, rule: .categories(set), left: totals - sum)
            }
        }
    }

    /// A number that orders categories as their smoothed gradient ratios, of 24 bits, do.
    private func order(of totals: GradientTotals) -> UInt32 {
        let hessian = Double(totals.hessian) * rules.hessianUnit + rules.categorySmoothing
        let ratio = hessian > 0 ? Double(totals.gradient) * rules.gradientUnit / hessian : 0
        // Within the range of Float whatever the target's magnitude is.
        let bits = Float(min(max(ratio / ratioUnit, -1e38), 1e38)).bitPattern
        return bits & 0x8000_0000 == 0 ? bits ^ 0x8000_0000 : ~bits
    }

    /// What ratios are measured in: a leaf value whose gradient is that of the largest Hessian sums.
    private var ratioUnit: Double { rules.gradientUnit / rules.hessianUnit }

    /// The set of `bins`; where no missing value was seen, its side is drawn.
    private func categories(
        _ bins: some Sequence<Int>, _ right: GradientTotals, _ totals: GradientTotals, missingIsKnown: Bool
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
