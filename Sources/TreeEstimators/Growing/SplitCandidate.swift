/// A way to split a leaf.
struct SplitCandidate: Sendable {
    /// What decides the side of a row.
    enum Rule: Sendable, Equatable {
        /// Bins above `threshold` go right; bin 0, the missing values, too where `missingRight`.
        case ordered(threshold: UInt16, missingRight: Bool)
        /// The bins of the set go right.
        case categories(CategorySet)
    }

    /// T(G_L)²/(H_L+λ) + T(G_R)²/(H_R+λ) − T(G)²/(H+λ), in the units of the sums.
    var gain: Double
    var feature: Int
    var rule: Rule
    /// The sums of the rows that go left.
    var left: GradientTotals

    /// Whether this one is to be preferred: by gain, and of equal gains the feature that comes first.
    func isBetter(than other: SplitCandidate?) -> Bool {
        guard let other else { return true }
        return gain > other.gain || gain == other.gain && feature < other.feature
    }
}
