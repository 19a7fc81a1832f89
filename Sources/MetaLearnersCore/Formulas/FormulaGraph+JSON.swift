extension FormulaGraph {
    /// The graph as JSON has it: `nodes`, each with its `op`, the places of its arguments in `of`, and its numbers; and
    /// `outputs`, the place of each formula's last step. docs/formulas.md has the table.
    public var specValue: SpecValue {
        ["nodes": .array(nodes.map(\.specValue)), "outputs": .array(outputs.map { .integer($0) })]
    }
}

extension FormulaNode where Argument == Int {
    /// The step's name in JSON; frozen.
    public var name: String {
        switch self {
        case .constant: "constant"
        case .number: "number"
        case .levels: "levels"
        case .isMissing: "is_missing"
        case .standardised: "standardised"
        case .spline: "spline"
        case .linear: "linear"
        case .trees: "trees"
        case .sum: "sum"
        case .difference: "difference"
        case .product: "product"
        case .quotient: "quotient"
        case .clip: "clip"
        case .sigmoid: "sigmoid"
        case .exp: "exp"
        case .log: "log"
        case .softmax: "softmax"
        case .curve: "curve"
        case .mean: "mean"
        case .median: "median"
        }
    }

    fileprivate var specValue: SpecValue {
        var object = SpecObject([("op", .string(name))])
        if !arguments.isEmpty { object["of"] = .array(arguments.map { .integer($0) }) }
        func numbers(_ values: [Double]) -> SpecValue { .array(values.map(SpecValue.number)) }
        switch self {
        case .constant(let value): object["value"] = .number(value)
        case .number(let column), .isMissing(let column): object["column"] = .integer(column)
        case .levels(let column, let values, let other):
            object["column"] = .integer(column)
            object["values"] = numbers(values)
            object["other"] = .number(other)
        case .standardised(_, let mean, let deviation, let missing):
            object["mean"] = .number(mean)
            object["deviation"] = .number(deviation)
            object["missing"] = .number(missing)
        case .spline(_, let knots, let index):
            object["knots"] = numbers(knots)
            object["index"] = .integer(index)
        case .linear(let intercept, let coefficients, _):
            object["intercept"] = .number(intercept)
            object["coefficients"] = numbers(coefficients)
        case .trees(let trees):
            object["base"] = .number(trees.base)
            object["scale"] = .number(trees.scale)
            object["trees"] = .array(trees.trees.map { .array($0.nodes.map(\.specValue)) })
        case .quotient(_, _, let otherwise):
            if let otherwise { object["otherwise"] = .number(otherwise) }
        case .clip(_, let lower, let upper):
            if let lower { object["lower"] = .number(lower) }
            if let upper { object["upper"] = .number(upper) }
        case .softmax(_, let index): object["index"] = .integer(index)
        case .curve(_, let points, let values):
            object["points"] = numbers(points)
            object["values"] = numbers(values)
        case .sum, .difference, .product, .sigmoid, .exp, .log, .mean, .median: break
        }
        return .object(object)
    }
}

extension DecisionTree.Node {
    fileprivate var specValue: SpecValue {
        switch self {
        case .leaf(let value): return ["leaf": .number(value)]
        case .split(let column, let rule, let left, let right):
            var object = SpecObject([("column", .integer(column))])
            switch rule {
            case .above(let threshold, let missingGoRight):
                object["above"] = .number(threshold)
                object["missing_go_right"] = .boolean(missingGoRight)
            case .levels(let levels, let count, let othersGoRight):
                object["levels"] = .array(levels.map { .integer($0) })
                object["level_count"] = .integer(count)
                object["others_go_right"] = .boolean(othersGoRight)
            case .missing: object["goes_right"] = "missing"
            case .present: object["goes_right"] = "present"
            }
            object["left"] = .integer(left)
            object["right"] = .integer(right)
            return .object(object)
        }
    }
}
