/// A tree as it was grown: splits in the order they were made, and the sums of each leaf.
struct GrownTree: Sendable {
    /// A split: `leaf` keeps the rows that go left, those that go right become the leaf with the next number.
    struct Split: Sendable {
        let leaf: Int
        let candidate: SplitCandidate
    }

    var splits: [Split] = []
    /// The sums of each leaf, by its number.
    var leaves: [GradientTotals]
    /// The bounds of each leaf's value, in units of a gradient sum over a Hessian sum.
    var bounds: [ValueBounds] = []
}
