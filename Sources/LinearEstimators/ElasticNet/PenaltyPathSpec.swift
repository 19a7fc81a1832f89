import MetaLearnersCore

/// What the lasso's and the elastic net's configurations have in common: how their penalty is chosen.
///
/// The penalty λ is that of scikit-learn's `alpha` after a `StandardScaler` for a target of standard deviation 1, beside
/// half the (weighted) mean of squared errors: the unit of the target changes nothing.
public protocol PenaltyPathSpec: BaseEstimatorSpec {
    /// The penalty, as for a target of standard deviation 1; nil where cross-validation chooses it.
    var lambda: Double? { get set }
    /// How many folds cross-validation has.
    var folds: Int { get set }
    /// Which of the penalties compared is taken.
    var selection: LambdaSelection { get set }
    /// How many penalties are compared.
    var pathLength: Int { get set }
    /// The least of them relative to the largest, the least at which every coefficient is 0.
    var pathRatio: Double { get set }
    /// The share of the penalty that is on absolute values, the rest being on squares.
    var l1Ratio: Double { get }
    /// Whether numbers get curves, and columns products.
    var expansion: FeatureExpansion { get set }
}

extension PenaltyPathSpec {
    /// The keys in common.
    static var pathParameters: [Parameter<Self>] {
        [
            Parameter(
                "lambda",
                "penalty beside half the mean of squared errors, of standardised columns and target; cross-validated where absent",
                range: "number > 0, or absent"
            ) { value, place, spec throws(MetaLearnersError) in
                guard let number = value.doubleValue else {
                    throw place.error("must be a number, not \(value.kindName)")
                }
                guard number.isFinite, number > 0 else {
                    throw place.error("is \(value.json()), must be: number > 0", remedy: "ols has no penalty")
                }
                spec.lambda = number
            } write: {
                $0.lambda.map { .number($0) } ?? .null
            },
            .integer("folds", \.folds, in: 2...1000, "folds of the cross-validation; clusters stay whole"),
            .choice(
                "selection", \.selection,
                "min: the penalty of least error; one_se: the largest within one standard error of it"),
            .integer("path_length", \.pathLength, in: 2...1000, "how many penalties are compared"),
            .number(
                "path_ratio", \.pathRatio, in: 0...1, exclusiveLower: true,
                "least penalty compared, relative to the one at which every coefficient is 0"),
            FeatureExpansion.parameter(\.expansion),
        ]
    }
}
