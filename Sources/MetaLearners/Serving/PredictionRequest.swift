import MetaLearnersCore

/// What to predict of rows.
public struct PredictionRequest: Sendable, Equatable {
    /// What a prediction is of.
    public enum Output: String, Sendable, CaseIterable {
        /// The effect of an arm against another: τ.
        case effects
        /// The mean of the outcome in each arm: μ_k(x) (a probability for a binary outcome and for each class).
        case armMeans = "arm_means"
        /// The probability of each arm: e_k(x), within the bounds of the overlap policy.
        case propensities
        /// The effects with the ends of their confidence intervals.
        case intervals
        /// The standard deviation of the effects over the models of the folds: how much they depend on which rows were
        /// learnt from. No standard error.
        case stability
        /// The effects with intervals of each row's own effect: the difference between the outcomes that the row itself
        /// would have in the two arms.
        case individualIntervals = "individual_intervals"
    }

    /// What to predict.
    public var output: Output
    /// The arm whose effect is wanted; nil for every one but the baseline.
    public var arm: String?
    /// The arm that it is compared with; nil for the control.
    public var baseline: String?
    /// What effects are measured as; nil for the spec's choice.
    public var scale: EffectScale?
    /// The level of intervals, in (0, 1); nil for the spec's.
    public var level: Double?

    /// Creates a request.
    public init(
        _ output: Output = .effects, arm: String? = nil, baseline: String? = nil, scale: EffectScale? = nil,
        level: Double? = nil
    ) {
        self.output = output
        self.arm = arm
        self.baseline = baseline
        self.scale = scale
        self.level = level
    }
}

/// Which rows to predict.
public enum PredictionRows: Sendable {
    /// Rows that the model was not fitted to, or that are to be treated as such.
    case new(Table)
    /// The rows that the model was fitted to, as the model remembers them: out of fold.
    case training
    /// The same, with the dataset at hand: refused where it is not the one that the model was fitted to.
    case trainingRows(CausalDataset)
}

/// Predictions for rows, as named columns.
public struct Prediction: Sendable, Equatable {
    /// The name of each column, such as `cate`, `cate_b_vs_a`, `mean_a`, `cate_lower`.
    public let names: [String]
    /// For each column, a number for each row.
    public let columns: [[Double]]
    /// What the numbers promise, where that needs saying; nil where it does not.
    public let meaning: String?
    /// What the user should know of the rows.
    public let warnings: [String]

    /// Puts a prediction together: as many names as columns, all of equal length.
    package init(names: [String], columns: [[Double]], meaning: String?, warnings: [String]) {
        self.names = names
        self.columns = columns
        self.meaning = meaning
        self.warnings = warnings
    }

    /// The number of rows.
    public var rowCount: Int { columns.first?.count ?? 0 }
}
