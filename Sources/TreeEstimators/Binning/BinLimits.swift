/// How many bins columns may have, besides the one for missing values.
struct BinLimits: Hashable, Sendable {
    /// Of a column of numbers.
    let numbers: Int
    /// Of a column of categories.
    let categories: Int

    /// The most there may be: bins are of 16 bits at most.
    static let maximum = 65_535

    /// Bins of 8 bits only.
    static func narrow(_ maxBins: Int) -> BinLimits {
        BinLimits(numbers: min(maxBins, 255), categories: min(maxBins, 255))
    }

    /// Bins of 16 bits where needed: for numbers on request, for categories so that every level has a bin, unless
    /// fewer bins were asked for than bytes tell apart.
    static func any(_ maxBins: Int) -> BinLimits {
        BinLimits(numbers: maxBins, categories: maxBins < 255 ? maxBins : maximum)
    }
}
