import MetaLearnersCore

/// How rows are held out: the `cross_fitting` section of a spec.
public struct CrossFittingSpec: ParameterizedSpec {
    /// What the effects of the training rows are.
    public enum InSample: String, Sendable, CaseIterable {
        /// Each row's by effect models that never saw it, fitted to pseudo-outcomes whose nuisances never saw their own
        /// row (but may have seen this one).
        case outOfFold = "out_of_fold"
        /// As out of fold, and the row's fold is out of the nuisances behind its effect models' targets as well: a
        /// row's own outcome has no part in its effect. K(K−1)/2 more fits a nuisance.
        case nested
        /// By models that saw the row: what prediction says of it.
        case full
    }

    /// How many folds there are; 1 for none: every model then sees every row, and in-sample results are in-sample. `auto`: 5, and 3
    /// where every stratum (an arm, of classes an arm's class) has 60,000 rows and more, and as many clusters, for learners whose new rows are
    /// predicted by models of all rows.
    public var folds = AutoCount.auto
    /// How often the folds are drawn anew.
    public var repeats = 1
    /// How the repeats' predictions become one.
    public var aggregation = RepeatAggregation.median
    /// What the effects of the training rows are.
    public var inSample = InSample.outOfFold

    public init() {}

    public static let parameters: [Parameter<CrossFittingSpec>] = [
        .integerOrAuto(
            "folds", \.folds, in: 1...100,
            "how many folds; 1 holds nothing out; auto: 5, and 3 where there are many rows"),
        .integer("repeats", \.repeats, in: 1...100, "how often the folds are drawn anew"),
        .choice("aggregation", \.aggregation, "how the predictions of the repeats become one"),
        .choice(
            "in_sample", \.inSample,
            "effects of training rows: out_of_fold, nested (its own outcome enters nowhere), full (row was seen)"
        ),
    ]

    public func check(at place: SpecPath) throws(MetaLearnersError) {
        guard inSample != .nested || foldCount >= 3 else {
            throw place.appending("in_sample").error(
                "nested leaves two folds out, and there are \(foldCount)",
                remedy: "use cross_fitting.folds: 3 or more")
        }
    }

    /// The number in use: for `auto` the one that most datasets have.
    public var foldCount: Int { folds.number ?? Self.standardFolds }

    private static let standardFolds = 5
    private static let foldsOfManyRows = 3
    /// Rows of the smallest stratum from which there are fewer folds.
    private static let manyRows = 60_000

    /// The number of folds that `auto` means where the smallest stratum has so many rows; nil where it is 5.
    ///
    /// A model of a fold is fitted to the rows outside it: to two thirds of them instead of four fifths. Of that many rows it changes errors of effects
    /// by a hundredth, and takes little more than half of the time (`Benchmarks/accuracy`).
    static func automaticFolds(smallestStratum rows: Int) -> Int? {
        rows >= manyRows ? foldsOfManyRows : nil
    }
}
