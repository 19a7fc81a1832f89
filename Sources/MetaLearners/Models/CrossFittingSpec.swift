import MetaLearnersCore

/// How rows are held out: the `cross_fitting` section of a spec.
public struct CrossFittingSpec: ParameterizedSpec {
    /// How many folds there are; 1 for none: every model then sees every row, and in-sample results are in-sample.
    public var folds = 5

    public init() {}

    public static let parameters: [Parameter<CrossFittingSpec>] = [
        .integer("folds", \.folds, in: 1...100, "how many folds; 1 holds nothing out")
    ]
}
