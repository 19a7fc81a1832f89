import MetaLearnersCore

/// The numbers of `auto`. Specs do not have them: they are what was measured to do well without tuning
/// (`Benchmarks/accuracy`, where rows are few and where they are many).
///
/// The sizes of trees follow the number of rows gradually, and rounds of boosting are as many as predict rows held out best. Members that help no more (`mostRows`) and penalties of the logistic
/// models (above 20,000 rows) are left out at single sizes, at which errors were measured not to jump.
struct AutoSettings: Sendable {
    /// Sizes of boosted trees.
    enum TreeSize: String, CaseIterable, Sendable {
        case outcomes = "trees of outcomes"
        case outcomesGivenTreatment = "trees of outcomes given treatment"
        /// Of effects and propensities, which vary less than outcomes.
        case effects = "trees of effects"
        case deepEffects = "deep trees of effects"
    }

    /// How many rows all processes have: members that are not worth their time on so many are left out.
    var rowCount: Int
    private let columnCount: Int
    private let hasLargeCategory: Bool
    /// Rounds of boosting: as the rows held out say.
    var rounds = AutoCount.auto
    var learningRate = 0.1
    /// Leaves of trees of outcomes and of deep trees of effects, and rows in a leaf of outcomes at least.
    var outcomeLeaves = 8
    var outcomeLeafSize = 10
    /// Leaves of other trees of effects and of propensities, and rows in a leaf of effects at least.
    var effectLeaves = 4
    var effectLeafSize = 20
    var l2 = 1.0
    /// Bins of a column: one for every sixteen rows is as good as one for every eight, in less time; but levels of large
    /// categories share bins where there are fewer.
    var maxBins = 63
    /// Penalties of a lasso's path.
    var lassoStages = 24
    /// What the treatment's own column and its products are multiplied by in a lasso of outcomes: the penalty on the
    /// effect is so many times smaller.
    var effectFactor = 20.0
    var linearEffectFactor = 2.0
    /// Propensities within effect models and their losses stay this far from 0 and 1.
    var leastShare = 0.03
    /// Columns of the design matrix with all products at most; beyond, products are left out: sums of products take time
    /// that grows with the fourth power of the covariates.
    var widthLimit = 500
    /// How members become one effect.
    var weights = ExponentialWeights()
    /// Which members the data do not rule out, for intervals: eight times the temperature, and none is preferred.
    var plausibility = ExponentialWeights(temperature: 32, constantPrior: nil)
    /// What a candidate in the best mixture of all costs, in units of the noise's variance.
    var mixturePenalty = 4.0
    /// The part of the mean residual that is added to the effect.
    var residualShare = 0.5

    /// The columns that Bayesian trees look at in a sweep.
    private static let columnsOfSweep = 30
    /// A category of more levels than this is large.
    static let largeCategory = 64

    /// The settings for a dataset.
    init(_ dataset: CausalDataset) {
        self.init(
            rowCount: dataset.totalRowCount, columnCount: dataset.covariates.columns.count,
            hasLargeCategory: dataset.covariates.columns.contains { column in
                if case .categorical(let levels) = column.kind {
                    levels.count > Self.largeCategory
                } else {
                    false
                }
            })
    }

    /// The settings for so many rows.
    ///
    /// - Parameters:
    ///   - columnCount: how many covariates there are.
    ///   - hasLargeCategory: whether a covariate has so many levels that a split has countless ways to part them.
    ///     Large trees learn noise by them, so trees stay small, however many rows there are.
    init(rowCount: Int, columnCount: Int = 1, hasLargeCategory: Bool = false) {
        self.rowCount = rowCount
        self.columnCount = columnCount
        self.hasLargeCategory = hasLargeCategory
        maxBins = min(max(rowCount / (hasLargeCategory ? 8 : 16), 63), 255)
        sizeTrees(rowCount)
    }

    /// The settings for trees that learn from one arm's rows alone: an arm of fewer than half of all rows has the trees that it would have
    /// beside a control of its own size.
    func ofArm(rows: Int) -> AutoSettings {
        var settings = self
        if 2 * rows < rowCount { settings.sizeTrees(2 * rows) }
        return settings
    }

    /// Sizes trees for so many rows.
    private mutating func sizeTrees(_ rowCount: Int) {
        guard !hasLargeCategory else { return }
        // How many factors of ten there are between 2,000 rows and these.
        let decades = min(max(Double.log(Double(max(rowCount, 1)) / 2000) / Double.log(10), 0), 2.5)
        outcomeLeaves = Int((8 * Double.exp(0.8 * decades)).rounded())
        effectLeaves = Int((4 * Double.exp(0.4 * decades)).rounded())
        // Longer steps, of which half as many are taken: errors are the same.
        learningRate = 0.1 * (1 + min(decades, 1))
    }

    /// The parameters of Bayesian trees: few of them, which find steps and corners best, and the fewer sweeps the more rows there are, as
    /// each says more then: 30 for up to 2,500, and, where a sweep does not see every column, 40 for up to 5,000; 16 at least.
    var bart: SpecObject {
        let (most, rows) = columnCount > Self.columnsOfSweep ? (40.0, 5000.0) : (30.0, 2500.0)
        let sweeps = Int(max(16, most * min((rows / Double(max(rowCount, 1))).squareRoot(), 1)).rounded())
        return SpecObject([
            ("trees", .integer(10)), ("effect_trees", .integer(5)), ("sweeps", .integer(sweeps)),
            ("burn_in", .integer(sweeps * 3 / 8)), ("columns_per_sweep", .integer(Self.columnsOfSweep)),
        ])
    }

    /// The parameters of boosted trees. Every tree sees all rows and columns: effects and outcomes may hang on few columns
    /// and on products of them, and drawing rows costs more than it brings.
    func trees(_ size: TreeSize) -> SpecObject {
        let isOutcome = size == .outcomes || size == .outcomesGivenTreatment
        return SpecObject([
            ("trees", rounds.specValue), ("learning_rate", .number(learningRate)),
            ("max_leaves", .integer(size == .effects ? effectLeaves : outcomeLeaves)),
            ("min_leaf_size", .integer(isOutcome ? outcomeLeafSize : effectLeafSize)), ("l2", .number(l2)),
            ("max_bins", .integer(maxBins)),
        ])
    }
}
