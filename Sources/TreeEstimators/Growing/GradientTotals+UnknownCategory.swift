extension GradientTotals {
    /// Whether a row of unknown category goes right at a split of categories where training had no such row.
    ///
    /// The side is drawn with the probability of its share of the rows, by a hash of the sums, so that over many
    /// trees an unknown category gets what a row of any category gets on average. Following the majority would
    /// not do: categories are parted in the order of their gradients, so that the majority is often on the same
    /// side of zero, and hundreds of trees add up to a large bias.
    ///
    /// - Parameter right: the sums of the rows that go right; these are those of all rows.
    func sendsUnknownCategoryRight(_ right: GradientTotals) -> Bool {
        guard count > 0 else { return false }
        var hash = UInt64(bitPattern: right.gradient) ^ (UInt64(bitPattern: right.count) << 40)
        hash = (hash ^ (hash >> 30)) &* 0xBF58_476D_1CE4_E5B9
        hash = (hash ^ (hash >> 27)) &* 0x94D0_49BB_1331_11EB
        hash ^= hash >> 31
        return hash.multipliedFullWidth(by: UInt64(count)).high < UInt64(max(right.count, 0))
    }
}
