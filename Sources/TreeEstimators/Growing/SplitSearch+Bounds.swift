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
