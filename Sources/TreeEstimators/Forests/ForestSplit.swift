/// The best split of a node that was found so far.
struct ForestSplit: Sendable {
    /// Σ_k G_k²/H of the left rows and of the right ones, less that of all.
    var gain: Double
    var feature: Int
    var rule: SplitCandidate.Rule
}
