/// What a fitted model computes, as a graph of simple steps: for explanations, for code in other languages, and for scoring
/// where the library is not.
///
/// A formula is a value. Parts that are used more than once are shared in memory, in a `FormulaGraph` and in JSON. Columns count
/// by position, in the order in which the model knows them.
public struct Formula: Sendable, Equatable {
    private final class Box: Sendable {
        let node: FormulaNode<Formula>

        init(_ node: FormulaNode<Formula>) { self.node = node }
    }

    private let box: Box

    /// The last step, whose arguments are formulas themselves.
    public var node: FormulaNode<Formula> { box.node }

    /// What tells a shared part from a copy.
    var identity: ObjectIdentifier { ObjectIdentifier(box) }

    /// Creates the formula whose last step is `node`.
    public init(_ node: FormulaNode<Formula>) { box = Box(node) }

    /// The same number in every row.
    public static func constant(_ value: Double) -> Formula { Formula(.constant(value)) }

    /// Whether both compute the same by the same steps.
    public static func == (left: Formula, right: Formula) -> Bool {
        left.identity == right.identity || FormulaGraph([left]) == FormulaGraph([right])
    }

    /// The values at the named rows, nil for all.
    ///
    /// - Throws: what `FormulaGraph.evaluate` throws.
    public func evaluate(_ table: Table, rows: [Int32]? = nil) throws(MetaLearnersError) -> [Double] {
        try FormulaGraph([self]).evaluate(table, rows: rows)[0]
    }

    /// The formula as `FormulaGraph.specValue` has it.
    public var specValue: SpecValue { FormulaGraph([self]).specValue }
}

/// What stands where a formula had a column.
public enum FormulaInput: Sendable {
    /// A column at another position.
    case column(Int)
    /// The same number (or code of a level) in every row; NaN for a missing one.
    case value(Double)
}

extension Formula {
    /// Formulas with other columns: a model that sees some of the columns, or one of them held fast. Shared parts stay shared.
    ///
    /// - Parameter input: what stands for the column at a position.
    public static func replacing(_ formulas: [Formula], _ input: (Int) -> FormulaInput) -> [Formula] {
        var known: [ObjectIdentifier: Formula] = [:]
        func replaced(_ formula: Formula) -> Formula {
            if let done = known[formula.identity] { return done }
            let node: FormulaNode<Formula>
            switch formula.node {
            case .number(let column):
                switch input(column) {
                case .column(let other): node = .number(column: other)
                case .value(let value): node = .constant(value)
                }
            case .levels(let column, let values, let otherwise):
                switch input(column) {
                case .column(let other): node = .levels(column: other, values: values, other: otherwise)
                case .value(let value):
                    node = .constant(FormulaNode<Formula>.look(up: value, values, otherwise))
                }
            case .isMissing(let column):
                switch input(column) {
                case .column(let other): node = .isMissing(column: other)
                case .value(let value): node = .constant(value.isNaN ? 1 : 0)
                }
            case .trees(let trees):
                node = .trees(
                    DecisionTrees(
                        base: trees.base, scale: trees.scale, trees: trees.trees.map { $0.replacing(input) }))
            case let other: node = other.map(replaced)
            }
            let result = Formula(node)
            known[formula.identity] = result
            return result
        }
        return formulas.map(replaced)
    }
}

/// A fitted estimator that says what it computes.
public protocol FormulaProviding: FittedEstimator {
    /// A formula for each output, on the columns of training by position; evaluated, it gives what `predict` gives, but for
    /// rounding.
    ///
    /// - Throws: `unsupported`, with the reason, where a model of this kind cannot be described.
    func formulas() throws(MetaLearnersError) -> [Formula]
}

extension FittedEstimator {
    /// The formulas of a model that may have none.
    ///
    /// - Parameter part: what the model is, for the error.
    /// - Throws: `unsupported`, naming the part and its backend.
    package func formulas(of part: String) throws(MetaLearnersError) -> [Formula] {
        guard let model = self as? any FormulaProviding else {
            throw MetaLearnersError(
                .unsupported, at: part,
                "a model of the backend '\(backendName)' does not say what it computes, so that it has no formula",
                remedy:
                    "use ols, ridge, lasso, elastic_net, logistic, trees, forest, xgboost, constant or a stack of these"
            )
        }
        let formulas = try model.formulas()
        guard formulas.count == outputCount else {
            throw MetaLearnersError(
                .internalFault, at: part,
                "the model of '\(backendName)' has \(formulas.count) formulas for \(outputCount) outputs")
        }
        return formulas
    }
}

extension FittedConstant: FormulaProviding {
    func formulas() -> [Formula] { values.map { .constant($0) } }
}
