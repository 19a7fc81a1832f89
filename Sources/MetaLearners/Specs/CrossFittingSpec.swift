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

    /// How many folds there are; 1 for none: every model then sees every row, and in-sample results are in-sample.
    public var folds = 5
    /// How often the folds are drawn anew.
    public var repeats = 1
    /// How the repeats' predictions become one.
    public var aggregation = RepeatAggregation.median
    /// What the effects of the training rows are.
    public var inSample = InSample.outOfFold

    public init() {}

    public static let parameters: [Parameter<CrossFittingSpec>] = [
        .integer("folds", \.folds, in: 1...100, "how many folds; 1 holds nothing out"),
        .integer("repeats", \.repeats, in: 1...100, "how often the folds are drawn anew"),
        .choice("aggregation", \.aggregation, "how the predictions of the repeats become one"),
        .choice(
            "in_sample", \.inSample,
            "effects of training rows: out_of_fold, nested (its own outcome enters nowhere), full (row was seen)"
        ),
    ]

    public func check(at place: SpecPath) throws(MetaLearnersError) {
        guard inSample != .nested || folds >= 3 else {
            throw place.appending("in_sample").error(
                "nested leaves two folds out, and there are \(folds)",
                remedy: "use cross_fitting.folds: 3 or more")
        }
    }
}
