import MetaLearnersCore

/// The configuration of the backend `xgboost`: the names that all tree backends share, and XGBoost's own under
/// `engine`.
public struct XGBoostSpec: BaseEstimatorSpec {
    /// In which order leaves are split.
    public enum Growth: String, CaseIterable, Sendable {
        /// The leaf whose best split gains most comes first (XGBoost's `lossguide`).
        case leafWise = "leaf_wise"
        /// Every leaf of a level is split before any of the next (XGBoost's `depthwise`).
        case depthWise = "depth_wise"
    }

    /// Boosting rounds; each adds one tree, or one per class where there are more than two.
    public var trees = 200
    /// The factor of each tree's leaf values.
    public var learningRate = 0.05
    /// Leaves of a tree at most; 0 for no limit.
    public var maxLeaves = 8
    /// Splits between the root and a leaf at most; 0 for no limit.
    public var maxDepth = 0
    /// Rows in a leaf at least, turned into a sum of Hessians.
    public var minLeafSize = Self.standardMinLeafSize
    /// Sum of Hessians in a leaf at least (for squared error: of weights).
    public var minChildWeight = 0.0
    /// What a split must gain at least.
    public var minSplitGain = 0.0
    /// The penalty α on the absolute value of leaf values.
    public var l1 = 0.0
    /// The penalty λ on the square of leaf values.
    public var l2 = 1.0
    /// Bins of a column at most.
    public var maxBins = 255
    /// The share of rows that each tree sees, drawn without replacement.
    public var rowSample = 1.0
    /// The share of columns that each tree may use, at least one.
    public var columnSample = 1.0
    /// In which order leaves are split.
    public var growth = Growth.leafWise
    /// Rounds without improvement on the held-out share after which training stops; 0 trains all rounds.
    public var earlyStopping = 0
    /// The share of rows (whole clusters, where there are any) held out for early stopping.
    public var validationShare = 0.2
    /// Parameters of XGBoost under its own names, passed to it as they are.
    public var engine = SpecObject()

    static let standardMinLeafSize = 20

    /// Creates the spec with every default.
    public init() {}

    /// The keys.
    public static let parameters: [Parameter<XGBoostSpec>] = growing + sampling + others

    private static let growing: [Parameter<XGBoostSpec>] = [
        .integer("trees", \.trees, in: 1...100_000, "boosting rounds; one tree each, or one per class")
            .mapped(.exact(engine: "num_boost_round")),
        .number(
            "learning_rate", \.learningRate, in: 0...1, exclusiveLower: true,
            "factor of each tree's leaf values"
        ).mapped(.exact(engine: "eta")),
        .integer("max_leaves", \.maxLeaves, in: 0...65_536, "leaves of a tree at most; 0 for no limit")
            .mapped(.exact(engine: "max_leaves")),
        .integer("max_depth", \.maxDepth, in: 0...255, "splits from root to leaf at most; 0 for no limit")
            .mapped(.exact(engine: "max_depth")),
        .integer("min_leaf_size", \.minLeafSize, in: 1...Int.max, "rows in a leaf at least").mapped(
            .approximate(
                engine: "min_child_weight",
                note:
                    "XGBoost bounds a leaf's sum of Hessians: set to so many times the mean Hessian at the start; "
                    + "the same only for squared error without weights")),
        .number(
            "min_child_weight", \.minChildWeight, in: 0...Double.infinity,
            "sum of Hessians in a leaf at least"
        ).mapped(.exact(engine: "min_child_weight")),
        .number("min_split_gain", \.minSplitGain, in: 0...Double.infinity, "what a split must gain at least")
            .mapped(.exact(engine: "gamma")),
        .number("l1", \.l1, in: 0...Double.infinity, "penalty on the absolute value of leaf values")
            .mapped(.exact(engine: "alpha")),
        .number("l2", \.l2, in: 0...Double.infinity, "penalty on the square of leaf values")
            .mapped(.exact(engine: "lambda")),
        .integer("max_bins", \.maxBins, in: 2...65_536, "bins of a column at most, missing values apart")
            .mapped(.exact(engine: "max_bin")),
        .choice("growth", \.growth, "which leaf is split next").mapped(.exact(engine: "grow_policy")),
    ]

    private static let sampling: [Parameter<XGBoostSpec>] = [
        .number("row_sample", \.rowSample, in: 0...1, exclusiveLower: true, "share of rows that a tree sees")
            .mapped(.exact(engine: "subsample")),
        .number(
            "column_sample", \.columnSample, in: 0...1, exclusiveLower: true,
            "share of columns that a tree may use"
        ).mapped(.exact(engine: "colsample_bytree")),
        .integer(
            "early_stopping", \.earlyStopping, in: 0...Int.max,
            "rounds without improvement before training stops; 0 for never"
        ).mapped(.exact(engine: "early_stopping_rounds")),
        .number(
            "validation_share", \.validationShare, in: 0.01...0.9, "share of rows held out for early stopping"
        ).mapped(.exact(engine: "none: rows are held out by the backend")),
    ]

    private static let others: [Parameter<XGBoostSpec>] = [
        .unsupported(
            "category_smoothing", "Hessian added to each category before categories are ordered",
            because: "XGBoost does not smooth categories"),
        .unsupported(
            "category_l2", "what splits of categories add to l2",
            because: "XGBoost has one penalty for all splits"),
        EngineParameters.parameter,
    ]

    /// Checks that trees are bounded, and that nothing under `engine` is set by a name of its own.
    ///
    /// - Throws: `invalidSpec`.
    public func check(at place: SpecPath) throws(MetaLearnersError) {
        guard maxLeaves != 1 else {
            throw place.appending("max_leaves").error("is 1, must be 0 (no limit) or at least 2")
        }
        guard maxLeaves > 0 || maxDepth > 0 else {
            throw place.appending("max_depth").error(
                "neither max_depth nor max_leaves limits the trees", remedy: "set one of them")
        }
        try EngineParameters.check(engine, at: place.appending("engine"))
    }
}
