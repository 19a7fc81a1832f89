/// A way to split a leaf with several values.
struct VectorCandidate: Sendable {
    /// The split; of the sums on its left only the count.
    let split: SplitCandidate
    /// All sums on its left.
    let left: [Int64]
}
