/// The side of a split of categories that a row of unknown category takes, where training had no such row.
///
/// It is drawn with the probability of its share of the rows, by a hash, so that over many trees an unknown category
/// gets what a row of any category gets on average. Following the majority would not do: categories are parted in
/// the order of their gradients, so that the majority is often on the same side of zero, and hundreds of trees add
/// up to a large bias.
enum UnknownCategory {
    /// Whether the row goes right.
    ///
    /// - Parameters:
    ///   - right: how many rows go right.
    ///   - total: how many rows there are.
    ///   - salt: what tells this split from others.
    static func goesRight(_ right: Int64, of total: Int64, salt: UInt64) -> Bool {
        guard total > 0, right > 0 else { return false }
        var hash = salt ^ (UInt64(right) << 40)
        hash = (hash ^ (hash >> 30)) &* 0xBF58_476D_1CE4_E5B9
        hash = (hash ^ (hash >> 27)) &* 0x94D0_49BB_1331_11EB
        hash ^= hash >> 31
        return hash.multipliedFullWidth(by: UInt64(total)).high < UInt64(right)
    }
}
