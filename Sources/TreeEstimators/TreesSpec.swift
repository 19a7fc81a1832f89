import MetaLearnersCore

/// The configuration of boosted trees.
public struct TreesSpec: BaseEstimatorSpec {
    /// In which order leaves are split.
    public enum Growth: String, CaseIterable, Sendable {
        /// The leaf whose best split gains most comes first.
        case leafWise = "leaf_wise"
        /// Every leaf of a level is split before any of the next; within a level the best gain comes first.
        case depthWise = "depth_wise"
    }

    /// Boosting rounds; each adds one tree, or one per class where there are more than two. `auto`: as many as predict the rows best
    /// that cross-fitting holds out, at most `mostTrees`; `unjudgedTrees` where nothing is held out.
    public var trees = AutoCount.auto
    /// The factor of each tree's leaf values.
    public var learningRate = 0.1
    /// Leaves of a tree at most. `auto`: 8 for up to 2,000 rows, and more of them with more rows, at most 32; half of that for effects.
    public var maxLeaves = AutoCount.auto
    /// Splits between the root and a leaf at most; 0 for no limit.
    public var maxDepth = 0
    /// Rows in a leaf at least, rows of weight 0 not counted.
    public var minLeafSize = 20
    /// Sum of Hessians in a leaf at least (for squared error: of weights).
    public var minChildWeight = 0.0
    /// What a split must gain at least: G_L²/(H_L+λ) + G_R²/(H_R+λ) − G²/(H+λ).
    public var minSplitGain = 0.0
    /// The penalty α on the absolute value of leaf values.
    public var l1 = 0.0
    /// The penalty λ on the square of leaf values.
    public var l2 = 1.0
    /// Bins of a column of numbers at most, besides the one for missing values; over 255 they take 16 bits. Below 255
    /// it also limits the levels of a category that have a bin of their own, which else are at most 65,535.
    public var maxBins = 255
    /// The share of rows that each tree sees, drawn without replacement.
    public var rowSample = 1.0
    /// The share of columns that each tree may use, at least one.
    public var columnSample = 1.0
    /// The share of a tree's columns that each split may be by, at least one.
    public var columnSampleNode = 1.0
    /// In which direction predictions move with columns, by their names; those that are not named are free.
    public var monotone: [String: MonotoneDirection] = [:]
    /// In which order leaves are split.
    public var growth = Growth.leafWise
    /// Rounds without improvement on the held-out share after which training stops; 0 trains all rounds. With `trees: auto` it ends
    /// at most `mostTrees` rounds by itself.
    public var earlyStopping = 0
    /// The share of rows (whole clusters, where there are any) held out for early stopping.
    public var validationShare = 0.2
    /// What is added to a category's Hessian sum before categories are ordered by gradient ratio.
    public var categorySmoothing = 10.0
    /// What a split into sets of categories adds to λ.
    public var categoryL2 = 10.0
    /// Whether several classes share the trees of a round, whose leaves then have a value for each class.
    public var multiOutput = false

    /// Whether trees see a part of the rows or columns only.
    var isSampled: Bool { rowSample < 1 || columnSample < 1 || columnSampleNode < 1 }

    /// Rounds at most where their number is found from the data.
    public static let mostTrees = 1000
    /// Rounds where their number is to be found from the data and nothing is held out.
    public static let unjudgedTrees = 200
    /// Rounds without a smaller loss of the rows held out after which no better number of them is looked for.
    static let patience = 30

    /// Whether the number of rounds is for rows that others hold out to say.
    var choosesRounds: Bool { trees == .auto && earlyStopping == 0 }

    /// Rounds of a fit at most.
    var mostRounds: Int { trees.number ?? Self.mostTrees }

    /// Rounds of a fit that nobody judges, unless it stops early by itself.
    var plainRounds: Int { trees.number ?? (choosesRounds ? Self.unjudgedTrees : Self.mostTrees) }

    /// `max_leaves`, once `settled` has set it.
    var leafLimit: Int { maxLeaves.number ?? 8 }

    /// The spec of one fit to `task`: every number named.
    ///
    /// - Throws: what the other processes of a collective fit have to say.
    func settled(for task: TrainingTask, rounds: Int) throws(MetaLearnersError) -> TreesSpec {
        var spec = self
        spec.trees = .exactly(rounds)
        guard maxLeaves == .auto else { return spec }
        let rows = try task.features.distribution?.sum(task.rows.count) ?? task.rows.count
        spec.maxLeaves = .exactly(leaves(of: rows, isOfEffect: task.isOfEffect))
        return spec
    }

    /// `max_leaves` of a fit to so many rows: as named, or 8·(rows/2,000)^0.3 within 8 and 32, and half of that for effects.
    func leaves(of rows: Int, isOfEffect: Bool = false) -> Int {
        if let named = maxLeaves.number { return named }
        let leaves = 8 * Double.exp(0.3 * Double.log(Double(max(rows, 1)) / 2000))
        return Int((min(max(leaves, 8), 32) / (isOfEffect ? 2 : 1)).rounded())
    }

    /// The most leaves that a tree of so many rows may have.
    func mostLeaves(of rows: Int) -> Int {
        let maxLeaves = leaves(of: rows)
        let byDepth = maxDepth > 0 && maxDepth < 9 ? 1 << maxDepth : maxLeaves
        return max(1, min(maxLeaves, byDepth, rows / minLeafSize))
    }

    /// Creates the spec with every default.
    public init() {}

    /// The keys.
    public static let parameters: [Parameter<TreesSpec>] = [
        .integerOrAuto(
            "trees", \.trees, in: 1...100_000,
            "boosting rounds, one tree each or one per class; auto: by the rows that cross-fitting holds out"),
        .number(
            "learning_rate", \.learningRate, in: 0...1, exclusiveLower: true,
            "factor of each tree's leaf values"),
        .integerOrAuto(
            "max_leaves", \.maxLeaves, in: 2...256,
            "leaves of a tree at most; auto: 8 to 32 by the rows, half for effects"),
        .integer("max_depth", \.maxDepth, in: 0...255, "splits from root to leaf at most; 0 for no limit"),
        .integer("min_leaf_size", \.minLeafSize, in: 1...Int.max, "rows in a leaf at least"),
        .number(
            "min_child_weight", \.minChildWeight, in: 0...Double.infinity,
            "sum of Hessians in a leaf at least"),
        .number("min_split_gain", \.minSplitGain, in: 0...Double.infinity, "what a split must gain at least"),
        .number("l1", \.l1, in: 0...Double.infinity, "penalty on the absolute value of leaf values"),
        .number("l2", \.l2, in: 0...Double.infinity, "penalty on the square of leaf values"),
        .integer("max_bins", \.maxBins, in: 2...65_535, "bins of a column at most, missing values apart"),
        .number("row_sample", \.rowSample, in: 0...1, exclusiveLower: true, "share of rows that a tree sees"),
        .number(
            "column_sample", \.columnSample, in: 0...1, exclusiveLower: true,
            "share of columns that a tree may use"),
        .number(
            "column_sample_node", \.columnSampleNode, in: 0...1, exclusiveLower: true,
            "share of a tree's columns that a split may be by"),
        .monotone("monotone", \.monotone, "columns with which predictions must rise or fall"),
        .choice("growth", \.growth, "which leaf is split next"),
        .integer(
            "early_stopping", \.earlyStopping, in: 0...Int.max,
            "rounds without improvement before training stops; 0 for never"),
        .number(
            "validation_share", \.validationShare, in: 0.01...0.9, "share of rows held out for early stopping"
        ),
        .number(
            "category_smoothing", \.categorySmoothing, in: 0...Double.infinity,
            "Hessian added to each category before categories are ordered"),
        .number(
            "category_l2", \.categoryL2, in: 0...Double.infinity, "what splits of categories add to l2"),
        .boolean("multi_output", \.multiOutput, "one tree per round for all classes, not one per class"),
    ]
}

/// In which direction predictions move with a column.
public enum MonotoneDirection: String, CaseIterable, Sendable {
    /// They never fall as it rises.
    case increasing
    /// They never rise as it rises.
    case decreasing
}

extension Parameter {
    /// Directions by the names of columns.
    static func monotone(
        _ name: String, _ path: any WritableKeyPath<Spec, [String: MonotoneDirection]> & Sendable,
        _ summary: String
    ) -> Parameter {
        Parameter(name, summary, range: "mapping of columns to increasing or decreasing") {
            value, place, spec throws(MetaLearnersError) in
            guard let object = value.objectValue else {
                throw place.error("must be a mapping of columns, not \(value.kindName)")
            }
            var directions: [String: MonotoneDirection] = [:]
            for (column, value) in object.entries {
                let names = MonotoneDirection.allCases.map(\.rawValue)
                guard let direction = value.stringValue.flatMap(MonotoneDirection.init(rawValue:)) else {
                    throw place.appending(column).error(
                        "is \(value.json()), must be: \(names.joined(separator: ", "))")
                }
                directions[column] = direction
            }
            spec[keyPath: path] = directions
        } write: { spec in
            .object(
                SpecObject(
                    spec[keyPath: path].sorted { $0.key < $1.key }.map {
                        ($0.key, .string($0.value.rawValue))
                    }))
        }
    }
}
