/// What decides the shape of a forest's trees.
struct ForestRules: Sendable {
    let minLeafSize: Double
    let minChildShare: Double
    let maxDepth: Int
    /// At most 2³⁰, so that nodes can be numbered by 32 bits.
    let maxLeaves: Int
    /// Whether the split that gains most is made first, as matters where leaves are limited.
    let isBestFirst: Bool
    /// Columns tried at each node.
    let columnsPerNode: Int
    let isExtraRandom: Bool

    /// The rules for `columns` columns that are not constant.
    init(_ spec: ForestSpec, columns: Int, isClassification: Bool) {
        minLeafSize = Double(spec.minLeafSize)
        minChildShare = spec.minChildShare
        maxDepth =
            spec.maxDepth == 0 ? ForestTree.maximumDepth : min(spec.maxDepth, ForestTree.maximumDepth)
        isBestFirst = spec.maxLeaves > 0
        maxLeaves = min(isBestFirst ? spec.maxLeaves : .max, 1 << 30)
        let count = Double(columns)
        let wanted =
            spec.columnSample > 0
            ? (spec.columnSample * count).rounded()
            : isClassification ? count.squareRoot().rounded(.up) : (count / 3).rounded(.up)
        columnsPerNode = max(1, Int(wanted))
        isExtraRandom = spec.extraRandom
    }
}
