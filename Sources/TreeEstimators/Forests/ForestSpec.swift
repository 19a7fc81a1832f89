import MetaLearnersCore

/// The configuration of a forest.
public struct ForestSpec: BaseEstimatorSpec {
    /// Settings that belong together.
    public enum Preset: String, Sendable, CaseIterable {
        /// None: each key has its own default.
        case none
        /// What intervals of effects need: an honest forest of 2,000 trees in little bags of four, every column at every split, and
        /// splits that keep 5 % of a node's rows on either side. (Near grf's defaults, which have bags of two, and √p + 20 columns of p.)
        case inference
    }

    /// Settings that belong together. In a spec, keys beside it go before it; in Swift, set it first: it sets the others.
    public var preset = Preset.none {
        didSet {
            guard preset == .inference else { return }
            (trees, honest, ciGroupSize, minLeafSize) = (2000, true, 4, 5)
            (columnSample, minChildShare, rowSample, bootstrap) = (1, 0.05, 0.5, false)
        }
    }
    /// Trees; rounded up to a multiple of `ciGroupSize`.
    public var trees = 500
    /// Splits between the root and a leaf at most; 0 for 255, the most there may be.
    public var maxDepth = 0
    /// Leaves of a tree at most, the splits that gain most being made first; 0 for no limit.
    public var maxLeaves = 0
    /// Rows that a split is found from in a leaf at least, rows of weight 0 not counted.
    public var minLeafSize = 5
    /// The share of a node's rows that each side of its split keeps at least; `alpha` in grf.
    public var minChildShare = 0.0
    /// The share of columns that a split is chosen among, drawn anew at each node; 0 for p/3 columns of p in
    /// regression and √p in classification, rounded up.
    public var columnSample = 0.0
    /// The share of rows (of clusters, where there are any) that each tree is drawn.
    public var rowSample = 0.5
    /// Whether rows are drawn with replacement.
    public var bootstrap = false
    /// Whether each column is tried at one random threshold only (extremely randomised trees).
    public var extraRandom = false
    /// Whether leaf values come from rows that had no say in the tree's splits.
    public var honest = false
    /// The share of a tree's rows that its leaf values come from, where the forest is honest.
    public var honestyShare = 0.5
    /// Trees of a little bag: they share a half of the rows, from which each is drawn its own. Variances need
    /// at least 2.
    public var ciGroupSize = 2
    /// Bins of a column at most, besides the one for missing values.
    public var maxBins = 255

    /// Creates the spec with every default.
    public init() {}

    /// The keys.
    public static let parameters: [Parameter<ForestSpec>] = [
        .choice(
            "preset", \.preset,
            "inference: an honest forest of 2000 trees as intervals need it; keys beside it go before it"),
        .integer("trees", \.trees, in: 1...100_000, "trees, rounded up to whole little bags"),
        .integer("max_depth", \.maxDepth, in: 0...255, "splits from root to leaf at most; 0 for 255"),
        .integer("max_leaves", \.maxLeaves, in: 0...Int.max, "leaves of a tree at most; 0 for no limit"),
        .integer("min_leaf_size", \.minLeafSize, in: 1...Int.max, "rows in a leaf at least"),
        .number(
            "min_child_share", \.minChildShare, in: 0...0.5,
            "share of a node's rows that each side of its split keeps at least"),
        .number(
            "column_sample", \.columnSample, in: 0...1,
            "share of columns tried at each node; 0 for a third (regression) or the square root of their number"
        ),
        .number(
            "row_sample", \.rowSample, in: 0...1, exclusiveLower: true,
            "share of rows (or clusters) drawn for each tree"),
        .boolean("bootstrap", \.bootstrap, "whether rows are drawn with replacement"),
        .boolean("extra_random", \.extraRandom, "whether each column is tried at one random threshold only"),
        .boolean("honest", \.honest, "whether leaf values come from other rows than the splits"),
        .number(
            "honesty_share", \.honestyShare, in: 0.05...0.95,
            "share of a tree's rows kept for its leaf values"),
        .integer(
            "ci_group_size", \.ciGroupSize, in: 1...100,
            "trees of a little bag, which share a half of the rows; variances need at least 2"),
        .integer("max_bins", \.maxBins, in: 2...255, "bins of a column at most, missing values apart"),
    ]

    /// - Throws: `invalidSpec` where a tree is to be drawn more rows than its little bag has.
    public func check(at place: SpecPath) throws(MetaLearnersError) {
        guard ciGroupSize == 1 || bootstrap || rowSample <= 0.5 else {
            throw place.appending("row_sample").error(
                "is \(rowSample), must be at most 0.5 where trees share the half of the rows of a little bag",
                remedy: "set ci_group_size to 1, which gives no variances, or bootstrap to true")
        }
    }

    /// About how many leaves a tree has that is fitted to so many rows: leaves have from one to two times the least
    /// number of rows, which are those that splits are found from.
    func typicalLeaves(of rows: Int) -> Int {
        let drawn = rowSample * Double(rows) * (honest ? 1 - honestyShare : 1)
        let bySize = Int(drawn / (1.5 * Double(minLeafSize)))
        let byDepth = maxDepth > 0 && maxDepth < 31 ? 1 << maxDepth : Int.max
        return max(1, min(bySize, byDepth, maxLeaves > 0 ? maxLeaves : .max))
    }

    /// Trees in whole little bags.
    var treeCount: Int { (trees + ciGroupSize - 1) / ciGroupSize * ciGroupSize }
}
