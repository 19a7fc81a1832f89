import CTreeKernels

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
