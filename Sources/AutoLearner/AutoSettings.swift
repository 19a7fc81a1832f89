import MetaLearnersCore

/// The numbers of `auto`. Specs do not have them: they are what was measured to do well without tuning.
struct AutoSettings: Sendable {
    /// Which members there are.
    enum Recipe: Sendable {
        /// All of them.
        case full
        /// Those that are worth their time on many rows.
        case light
    }

    /// Up to so many rows the recipe is the full one.
    static let fullRows = 20_000

    var recipe = Recipe.full
    /// The most rounds of boosting, and how many rounds lie between two evaluations.
    var rounds = 300
    var roundStep = 10
    /// Leaves of trees of outcomes, and rows in a leaf at least.
    var outcomeLeaves = 8
    var outcomeLeafSize = 10
    /// Leaves of trees of effects and propensities, and rows in a leaf at least.
    var effectLeaves = 4
    var effectLeafSize = 20
    var learningRate = 0.05
    var l2 = 1.0
    var rowSample = 0.7
    var columnSample = 0.7
    var maxBins = 63
    /// Penalties of a lasso's path.
    var lassoStages = 40
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
    /// The part of the mean residual that is added to the effect.
    var residualShare = 0.5

    /// The parameters of boosted trees.
    func trees(isLarge: Bool, isJoint: Bool) -> SpecObject {
        SpecObject([
            ("trees", .integer(rounds)), ("learning_rate", .number(learningRate)),
            ("max_leaves", .integer(isLarge ? outcomeLeaves : effectLeaves)),
            ("min_leaf_size", .integer(isLarge ? outcomeLeafSize : effectLeafSize)), ("l2", .number(l2)),
            ("row_sample", .number(rowSample)),
            // The treatment's own column is one of few: every tree of the joint model may split by it.
            ("column_sample", .number(isJoint ? 1 : columnSample)), ("max_bins", .integer(maxBins)),
        ])
    }

    /// The rounds that are compared.
    var stages: [Int] { Array(stride(from: 0, through: rounds, by: max(roundStep, 1))) }

    /// The settings for so many rows.
    init(rowCount: Int) {
        guard rowCount > Self.fullRows else { return }
        recipe = .light
        // Half as many steps, each twice as long; on so many rows drawing the rows of a tree costs more than it brings.
        rounds /= 2
        learningRate *= 2
        rowSample = 1
    }
}
