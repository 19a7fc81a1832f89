import MetaLearnersCore

/// The configuration of logistic regression.
public struct LogisticSpec: BaseEstimatorSpec {
    /// The penalty on half the squares of the coefficients, beside the sum (not the mean) of the negative
    /// log-likelihood: scikit-learn's `1/C`, numbers behind a `StandardScaler`. Nil for `auto`: 1 where the rarest class has ten rows or
    /// more for each encoded column, and beside a penalty on absolute values; chosen with rows held out, and undersmoothed, where it has
    /// fewer (`docs/backends/linear.md`).
    public var l2: Double?
    /// The penalty on the absolute values of the coefficients, beside the sum of the negative log-likelihood.
    public var l1 = 0.0
    /// How the penalty is chosen; where it is not given, `l1` and `l2` have no effect.
    public var selection = LogisticSelection.fixed
    /// The share of a chosen penalty that is on absolute values, the rest being on squares.
    public var l1Ratio = 0.5
    /// How many folds cross-validation has.
    public var folds = 5
    /// How many penalties are compared.
    public var pathLength = 50
    /// The least of them relative to the largest, the least at which every coefficient is 0.
    public var pathRatio = 1e-3
    /// The most Newton steps.
    public var maxIterations = 100
    /// Converged is where a step changes no parameter by more than this, relative to one plus the largest.
    public var tolerance = 1e-8
    /// Whether numbers get curves, and columns products.
    public var expansion = FeatureExpansion.none

    /// The keys.
    public static let parameters: [Parameter<LogisticSpec>] = [
        .numberOrAuto(
            "l2", \.l2, in: 0...Double.infinity,
            "penalty on half the squared coefficients, beside the summed log-likelihood; auto: 1, or chosen where columns are many"
        ),
        .number(
            "l1", \.l1, in: 0...Double.infinity,
            "penalty on their absolute values, beside the summed log-likelihood"),
        .choice(
            "selection", \.selection,
            "fixed: the penalty is l1 and l2; min, one_se: chosen by cross-validation along a path"),
        .number(
            "l1_ratio", \.l1Ratio, in: 0...1,
            "share of a chosen penalty that is on absolute values, the rest on squares"),
        .integer("folds", \.folds, in: 2...1000, "folds of the cross-validation; clusters stay whole"),
        .integer("path_length", \.pathLength, in: 2...1000, "how many penalties are compared"),
        .number(
            "path_ratio", \.pathRatio, in: 0...1, exclusiveLower: true,
            "least penalty compared, relative to the one at which every coefficient is 0"),
        .integer("max_iterations", \.maxIterations, in: 1...1_000_000, "most Newton steps"),
        .number(
            "tolerance", \.tolerance, in: 0...1, exclusiveLower: true,
            "largest change of a parameter in the last step, relative to one plus the largest parameter"),
        FeatureExpansion.parameter(\.expansion),
    ]

    /// Whether the rows say what `l2` is.
    var choosesL2: Bool { selection == .fixed && l2 == nil && l1 == 0 }

    /// Some penalty is needed: classes that a column tells apart would have infinite coefficients.
    public func check(at place: SpecPath) throws(MetaLearnersError) {
        guard selection == .fixed, l1 == 0, l2 == 0 else { return }
        throw place.appending("l2").error(
            "is 0, and so is l1", remedy: "without any penalty coefficients may be infinite; set a small one")
    }

    /// Creates the configuration with its defaults.
    public init() {}

    /// Creates the configuration of a penalty that cross-validation chooses.
    public init(selection: LogisticSelection, l1Ratio: Double = 0.5) {
        self.selection = selection
        self.l1Ratio = l1Ratio
    }

    /// Creates the configuration.
    public init(l2: Double, maxIterations: Int = 100, tolerance: Double = 1e-8) {
        self.l2 = l2
        self.maxIterations = maxIterations
        self.tolerance = tolerance
    }
}

/// How the penalty of logistic regression is chosen.
public enum LogisticSelection: String, Sendable, CaseIterable {
    /// It is given.
    case fixed
    /// The one with the least loss of cross-validation.
    case min
    /// The largest one whose loss is within one standard error of the least.
    case oneStandardError = "one_se"
}
