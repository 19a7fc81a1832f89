import MetaLearnersCore

/// The configuration of Bayesian additive regression trees.
public struct BartSpec: BaseEstimatorSpec {
    /// Trees of an outcome.
    public var trees = 50
    /// Trees of an effect.
    public var effectTrees = 20
    /// Sweeps over all trees, those of the start included.
    public var sweeps = 40
    /// Sweeps at the start that predictions leave out.
    public var burnIn = 15
    /// Rows in a leaf at least, rows of weight 0 not counted.
    public var minLeafSize = 5
    /// α: how probable it is before any data are seen that the root of an outcome's tree is split; a node at depth d is with α(1 + d)^−β.
    public var splitProbability = 0.95
    /// β: how fast splits of an outcome's trees become less probable as they lie deeper.
    public var splitDecay = 2.0
    /// α of trees of effects.
    public var effectSplitProbability = 0.25
    /// β of trees of effects.
    public var effectSplitDecay = 3.0
    /// Columns that the trees of a sweep may split by; where there are more, those stay that trees split by, and others are drawn anew.
    public var columnsPerSweep = 30
    /// Bins of a column at most, besides the one for missing values.
    public var maxBins = 100

    /// Creates the spec with every default.
    public init() {}

    /// The keys.
    public static let parameters: [Parameter<BartSpec>] = [
        .integer("trees", \.trees, in: 1...10_000, "trees of an outcome"),
        .integer("effect_trees", \.effectTrees, in: 1...10_000, "trees of an effect"),
        .integer("sweeps", \.sweeps, in: 2...100_000, "sweeps over all trees"),
        .integer("burn_in", \.burnIn, in: 0...100_000, "first sweeps, which predictions leave out"),
        .integer("min_leaf_size", \.minLeafSize, in: 1...Int.max, "rows in a leaf at least"),
        .number(
            "split_probability", \.splitProbability, in: 0...1, exclusiveLower: true,
            "prior probability that the root of an outcome's tree is split"),
        .number(
            "split_decay", \.splitDecay, in: 0...100, "how fast splits become less probable with their depth"),
        .number(
            "effect_split_probability", \.effectSplitProbability, in: 0...1, exclusiveLower: true,
            "the same probability for trees of effects"),
        .number("effect_split_decay", \.effectSplitDecay, in: 0...100, "the same decay for trees of effects"),
        .integer(
            "columns_per_sweep", \.columnsPerSweep, in: 1...Int.max,
            "columns that the trees of a sweep may split by"),
        .integer("max_bins", \.maxBins, in: 2...255, "bins of a column at most, missing values apart"),
    ]

    /// - Throws: `invalidSpec` where no sweep is left to predict by.
    public func check(at place: SpecPath) throws(MetaLearnersError) {
        guard burnIn < sweeps else {
            throw place.appending("burn_in").error(
                "is \(burnIn), must be less than the \(sweeps) sweeps", remedy: "raise sweeps")
        }
    }
}
