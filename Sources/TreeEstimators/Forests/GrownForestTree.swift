/// A tree as it was grown: its splits name columns by their number, and `gains` holds what the splits by each
/// column gained.
struct GrownForestTree: Sendable {
    var tree = ForestTree()
    var gains: [Double]
}
