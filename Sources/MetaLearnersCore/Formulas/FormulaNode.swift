/// One step of what a model computes. Its arguments are formulas or, in a `FormulaGraph`, places of earlier nodes.
///
/// A missing value is NaN in a column of numbers, and a negative code or one beyond the levels in a column of categories. NaN
/// goes through arithmetic as it does through floating-point numbers.
public enum FormulaNode<Argument: Sendable>: Sendable {
    /// The same number in every row.
    case constant(Double)
    /// The number in a column, by its position; NaN where it is missing.
    case number(column: Int)
    /// A number for each level of a category, and another for codes that are missing or unknown.
    case levels(column: Int, values: [Double], other: Double)
    /// 1 where a column's value is missing, else 0.
    case isMissing(column: Int)
    /// (x − mean) / deviation, and `missing` where x is NaN.
    case standardised(Argument, mean: Double, deviation: Double, missing: Double)
    /// Nonlinear column number `index` of a restricted cubic spline (Harrell 2015, Regression Modeling Strategies, 2.4.5).
    ///
    /// For knots t_1 … t_k and j = index + 1 it is
    /// [(x − t_j)³₊ − (x − t_{k−1})³₊·(t_k − t_j)/(t_k − t_{k−1}) + (x − t_k)³₊·(t_{k−1} − t_j)/(t_k − t_{k−1})] / (t_k − t_1)².
    case spline(Argument, knots: [Double], index: Int)
    /// intercept + Σ coefficient · argument, added up in order.
    case linear(intercept: Double, coefficients: [Double], [Argument])
    /// Decision trees: base + scale · Σ leaf.
    case trees(DecisionTrees)
    /// The sum of the arguments, in order.
    case sum([Argument])
    /// The first less the second.
    case difference(Argument, Argument)
    /// The product of the arguments, in order.
    case product([Argument])
    /// The first over the second; where the second is not above 0, `otherwise`, unless that is nil.
    case quotient(Argument, Argument, otherwise: Double?)
    /// The argument, but not below `lower` and not above `upper`, where these are given. NaN stays.
    case clip(Argument, lower: Double?, upper: Double?)
    /// 1 / (1 + e^−x).
    case sigmoid(Argument)
    /// eˣ.
    case exp(Argument)
    /// The natural logarithm.
    case log(Argument)
    /// e^x_index / Σ e^x_i.
    case softmax([Argument], index: Int)
    /// Straight lines between points, and the outermost values beyond: what isotonic calibration gives. `points` ascend.
    case curve(Argument, points: [Double], values: [Double])
    /// The mean of the arguments.
    case mean([Argument])
    /// The median of the arguments; of an even number the mean of the middle two.
    case median([Argument])
}

extension FormulaNode: Equatable where Argument: Equatable {}
extension FormulaNode: Hashable where Argument: Hashable {}

extension FormulaNode {
    /// What the step is computed from.
    public var arguments: [Argument] {
        switch self {
        case .constant, .number, .levels, .isMissing, .trees: []
        case .standardised(let of, _, _, _), .spline(let of, _, _), .clip(let of, _, _), .sigmoid(let of),
            .exp(let of), .log(let of), .curve(let of, _, _):
            [of]
        case .difference(let left, let right), .quotient(let left, let right, _): [left, right]
        case .linear(_, _, let all), .sum(let all), .product(let all), .softmax(let all, _), .mean(let all),
            .median(let all):
            all
        }
    }

    /// The same step of other arguments.
    func map<Other>(_ transform: (Argument) -> Other) -> FormulaNode<Other> {
        switch self {
        case .constant(let value): .constant(value)
        case .number(let column): .number(column: column)
        case .levels(let column, let values, let other): .levels(column: column, values: values, other: other)
        case .isMissing(let column): .isMissing(column: column)
        case .standardised(let of, let mean, let deviation, let missing):
            .standardised(transform(of), mean: mean, deviation: deviation, missing: missing)
        case .spline(let of, let knots, let index): .spline(transform(of), knots: knots, index: index)
        case .linear(let intercept, let coefficients, let of):
            .linear(intercept: intercept, coefficients: coefficients, of.map(transform))
        case .trees(let trees): .trees(trees)
        case .sum(let of): .sum(of.map(transform))
        case .difference(let left, let right): .difference(transform(left), transform(right))
        case .product(let of): .product(of.map(transform))
        case .quotient(let left, let right, let otherwise):
            .quotient(transform(left), transform(right), otherwise: otherwise)
        case .clip(let of, let lower, let upper): .clip(transform(of), lower: lower, upper: upper)
        case .sigmoid(let of): .sigmoid(transform(of))
        case .exp(let of): .exp(transform(of))
        case .log(let of): .log(transform(of))
        case .softmax(let of, let index): .softmax(of.map(transform), index: index)
        case .curve(let of, let points, let values): .curve(transform(of), points: points, values: values)
        case .mean(let of): .mean(of.map(transform))
        case .median(let of): .median(of.map(transform))
        }
    }

    /// Checks what the type alone does not: that lists have the lengths that belong together, and positions are within them.
    ///
    /// - Throws: `invalidArgument`.
    func check() throws(MetaLearnersError) {
        let problem: String? =
            switch self {
            case .number(let column), .isMissing(let column), .levels(let column, _, _):
                column < 0 ? "a column has the position \(column)" : nil
            case .spline(_, let knots, let index):
                knots.count < 3 || !(0..<knots.count - 2).contains(index)
                    ? "a spline of \(knots.count) knots has no column \(index)" : nil
            case .linear(_, let coefficients, let of):
                coefficients.count != of.count
                    ? "there are \(coefficients.count) coefficients of \(of.count) terms" : nil
            case .softmax(let of, let index):
                of.indices.contains(index) ? nil : "a softmax of \(of.count) scores has no class \(index)"
            case .curve(_, let points, let values):
                points.isEmpty || points.count != values.count
                    ? "a curve has \(points.count) points and \(values.count) values"
                    : zip(points, points.dropFirst()).allSatisfy(<=)
                        ? nil : "the points of a curve do not ascend"
            case .mean(let of), .median(let of): of.isEmpty ? "there is a mean or median of nothing" : nil
            default: nil
            }
        if let problem { throw MetaLearnersError(.invalidArgument, at: "formula", problem) }
    }
}
