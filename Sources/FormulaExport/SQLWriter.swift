import MetaLearnersCore

/// The expressions of a document's steps.
struct SQLWriter {
    private let graph: FormulaGraph
    let inputs: ExportInputs
    let dialect: SQLDialect
    /// Whether columns are made ready, and shared steps computed, in sub-selects.
    private let isQuery: Bool
    /// Whether a step may be NULL.
    private let canBeNull: [Bool]
    /// How often each step is used.
    private var uses: [Int]
    /// Steps that have a column of their own in a query.
    private var columns: [Int: String] = [:]
    private var known: [Int: String] = [:]
    private var usedColumns: Set<Int> = []
    /// Whether the layers are made, so that what follows is outside of them.
    private var hasLayers = false

    init(_ document: FormulaDocument, _ inputs: ExportInputs, _ dialect: SQLDialect, isQuery: Bool) {
        graph = document.graph
        self.inputs = inputs
        self.dialect = dialect
        self.isQuery = isQuery
        var canBeNull: [Bool] = []
        var uses = [Int](repeating: 0, count: graph.nodes.count)
        for node in graph.nodes {
            canBeNull.append(Self.canBeNull(node, canBeNull))
            for (place, count) in Self.counts(of: node, canBeNull) { uses[place] += count }
            usedColumns.formUnion(node.columns)
        }
        for output in graph.outputs { uses[output] += 1 }
        self.canBeNull = canBeNull
        self.uses = uses
    }

    private static func canBeNull(_ node: FormulaNode<Int>, _ known: [Bool]) -> Bool {
        switch node {
        case .constant(let value): value.isNaN
        case .number: true
        case .levels(_, let values, let other): other.isNaN || values.contains(where: \.isNaN)
        case .isMissing: false
        case .standardised(_, _, _, let missing): missing.isNaN
        case .trees(let trees):
            trees.trees.contains {
                $0.nodes.contains { if case .leaf(let value) = $0 { value.isNaN } else { false } }
            }
        case .quotient(_, _, nil): true
        case .quotient(let left, _, let otherwise?): known[left] || otherwise.isNaN
        default: node.arguments.contains { known[$0] }
        }
    }

    /// How often the text of a step contains each of its arguments.
    private static func counts(of node: FormulaNode<Int>, _ canBeNull: [Bool]) -> [(Int, Int)] {
        switch node {
        case .spline(let of, _, _): [(of, 3)]
        case .quotient(let left, let right, _?): [(left, 1), (right, 2)]
        case .clip(let of, _, _): [(of, canBeNull[of] ? 3 : 1)]
        case .sigmoid(let of), .exp(let of): [(of, canBeNull[of] ? 2 : 1)]
        case .softmax(let of, let index): of.map { ($0, 1) } + [(of[index], of.count)]
        case .curve(let of, let points, _): [(of, 2 * points.count + 1)]
        default: node.arguments.map { ($0, 1) }
        }
    }

    // MARK: Columns

    /// A column as it stands in the table, which the outermost select of a query sees as a row alone.
    private func raw(_ column: Int) -> String {
        let row = hasLayers ? "(mtlr_row)." : "mtlr_rows."
        return (isQuery && dialect == .postgres ? row : "") + dialect.identifier(inputs.inputs[column].name)
    }

    /// A number with NULL for everything that is missing.
    private func cleanNumber(_ column: Int) -> String {
        var text = "NULLIF(CAST(\(raw(column)) AS \(dialect.doubleType)), \(dialect.nan))"
        for number in inputs.inputs[column].missingNumbers {
            text = "NULLIF(\(text), \(dialect.number(number)))"
        }
        return text
    }

    /// The text of a category.
    private func levelText(_ column: Int) -> String { "CAST(\(raw(column)) AS TEXT)" }

    /// A category as the code of its level, NULL where it is missing or none.
    private func code(_ column: Int) -> String {
        let input = inputs.inputs[column]
        let cases = input.knownCodes.map { "WHEN \(dialect.literal((input.levels ?? [])[$0])) THEN \($0)" }
        guard !cases.isEmpty else { return "CAST(NULL AS INTEGER)" }
        return "CASE \(levelText(column)) \(cases.joined(separator: " ")) END"
    }

    private func columnName(_ column: Int) -> String { "mtlr_c\(column)" }

    private func number(_ column: Int) -> String { isQuery ? columnName(column) : cleanNumber(column) }

    /// Whether the row's level is among some, which are not none.
    private func isAmong(_ codes: [Int], _ column: Int) -> String {
        if isQuery { return "\(columnName(column)) IN (\(codes.map { "\($0)" }.joined(separator: ", ")))" }
        let levels = inputs.inputs[column].levels ?? []
        let texts = codes.map { dialect.literal(levels[$0]) }
        return "\(levelText(column)) IN (\(texts.joined(separator: ", ")))"
    }

    /// An output, or NULL where the row has a level that the model refuses.
    func guarded(_ expression: String) -> String {
        guard inputs.refusesUnseen else { return expression }
        let tests = inputs.inputs.indices.compactMap { column -> String? in
            guard let levels = inputs.inputs[column].levels else { return nil }
            let accepted = (levels + inputs.missingTexts).map(dialect.literal)
            guard !accepted.isEmpty else { return "\(levelText(column)) IS NOT NULL" }
            return "\(levelText(column)) NOT IN (\(accepted.joined(separator: ", ")))"
        }
        guard !tests.isEmpty else { return expression }
        return "CASE WHEN \(tests.joined(separator: " OR ")) THEN NULL ELSE \(expression) END"
    }

    /// The sub-selects of a query: the columns made ready, then shared steps, each behind what it is computed from.
    mutating func layers() throws(MetaLearnersError) -> [[(name: String, expression: String)]] {
        var layers: [[(name: String, expression: String)]] = [[]]
        for column in usedColumns.sorted() {
            let isNumber = inputs.inputs[column].levels == nil
            layers[0].append((columnName(column), isNumber ? cleanNumber(column) : code(column)))
        }
        var depths = [Int](repeating: 0, count: graph.nodes.count)
        for (place, node) in graph.nodes.enumerated() {
            let depth = node.arguments.reduce(0) { max($0, depths[$1]) }
            depths[place] = depth
            guard uses[place] > 1, !node.isShort else { continue }
            let expression = try self.expression(place)
            // A product of two columns is computed as fast as read, and there may be very many: more than a query has columns.
            if case .product = node, expression.utf8.count <= Self.shortProduct { continue }
            if layers.count == depth + 1 { layers.append([]) }
            layers[depth + 1].append(("mtlr_s\(place)", expression))
            columns[place] = "mtlr_s\(place)"
            depths[place] = depth + 1
        }
        hasLayers = true
        return layers
    }

    /// The longest product, in bytes, that is written wherever it is used.
    private static let shortProduct = 40

    // MARK: Steps

    /// The text of a step, in parentheses where it needs them.
    mutating func expression(_ place: Int) throws(MetaLearnersError) -> String {
        if let column = columns[place] { return column }
        if let text = known[place] { return text }
        let node = graph.nodes[place]
        var arguments: [String] = []
        for argument in node.arguments { arguments.append(try expression(argument)) }
        let text = try text(of: node, arguments)
        try SQLExport.requireSize(text.utf8.count)
        // What is used once need not be kept.
        if uses[place] > 1 || node.isShort { known[place] = text }
        return text
    }

    private func text(of node: FormulaNode<Int>, _ of: [String]) throws(MetaLearnersError) -> String {
        func number(_ value: Double) -> String { dialect.number(value) }
        switch node {
        case .constant(let value): return number(value)
        case .number(let column): return self.number(column)
        case .isMissing(let column):
            let isThere = try condition(.missing, column)
            return "CASE WHEN \(isThere.left) THEN \(number(0)) ELSE \(number(1)) END"
        case .levels(let column, let values, let other):
            let input = inputs.inputs[column]
            let cases = input.knownCodes.filter { $0 < values.count }.map { code in
                let key = isQuery ? "\(code)" : dialect.literal((input.levels ?? [])[code])
                return "WHEN \(key) THEN \(number(values[code]))"
            }
            guard !cases.isEmpty else { return number(other) }
            let key = isQuery ? columnName(column) : levelText(column)
            return "CASE \(key) \(cases.joined(separator: " ")) ELSE \(number(other)) END"
        case .standardised(_, let mean, let deviation, let missing):
            let scaled = "(\(of[0]) - \(number(mean))) / \(number(deviation))"
            return missing.isNaN ? "(\(scaled))" : "COALESCE(\(scaled), \(number(missing)))"
        case .spline(_, let knots, let index): return letting(of[0]) { spline($0, knots, index) }
        case .linear(let intercept, let coefficients, _):
            return added([number(intercept)] + zip(coefficients, of).map { "\(number($0)) * \($1)" })
        case .trees(let trees):
            let leaves = try trees.trees.map { tree throws(MetaLearnersError) in try self.tree(tree) }
            guard !leaves.isEmpty else { return number(trees.base) }
            return "(\(number(trees.base)) + \(added(leaves)) * \(number(trees.scale)))"
        case .sum: return of.isEmpty ? number(0) : added(of)
        case .mean: return "(\(added(of)) / \(number(Double(of.count))))"
        case .product: return of.isEmpty ? number(1) : "(" + of.joined(separator: " * ") + ")"
        case .difference: return "(\(of[0]) - \(of[1]))"
        case .quotient(_, _, let otherwise):
            guard let otherwise else { return "(\(of[0]) / NULLIF(\(of[1]), \(number(0))))" }
            return letting(of[1]) {
                "CASE WHEN \($0) > \(number(0)) THEN \(of[0]) / \($0) ELSE \(number(otherwise)) END"
            }
        case .clip(let argument, let lower, let upper):
            guard canBeNull[argument] else { return clipped(of[0], lower, upper) }
            return nullable(argument, of[0]) { clipped($0, lower, upper) }
        case .sigmoid(let argument):
            return nullable(argument, of[0]) {
                "(\(number(1)) / (\(number(1)) + exp(\(clipped("-(\($0))", -700, 700)))))"
            }
        case .exp(let argument): return nullable(argument, of[0]) { "exp(\(clipped($0, -700, nil)))" }
        case .log: return "ln(\(of[0]))"
        case .softmax(_, let index):
            return letting(of[index]) { own in
                let others = of.indices.filter { $0 != index }.map {
                    "exp(\(clipped("\(of[$0]) - \(own)", -700, 700)))"
                }
                return "(\(number(1)) / \(added([number(1)] + others)))"
            }
        case .curve(_, let points, let values): return letting(of[0]) { curve($0, points, values) }
        case .median:
            guard of.count > 1 else { return of[0] }
            switch dialect {
            case .duckdb: return "list_aggregate([\(of.joined(separator: ", "))], 'median')"
            case .postgres:
                let rows = of.map { "(\($0))" }.joined(separator: ", ")
                return
                    "(SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY mtlr_v) FROM (VALUES \(rows)) AS mtlr_q(mtlr_v))"
            }
        }
    }

    /// Names a value that an expression contains more than once, where it is more than a name.
    private func letting(_ value: String, _ body: (String) -> String) -> String {
        guard value.utf8.count > 200 else { return body(value) }
        return
            "(SELECT \(body("mtlr_q.mtlr_v")) FROM (SELECT \(value) AS mtlr_v\(dialect.fence)\(Self.subqueryEnd)"
    }

    /// How a sub-query ends that names a value.
    static let subqueryEnd = ") AS mtlr_q)"

    /// What takes NULL for a number, of a value that may be NULL.
    private func nullable(_ argument: Int, _ value: String, _ body: (String) -> String) -> String {
        guard canBeNull[argument] else { return body(value) }
        return letting(value) { "CASE WHEN \($0) IS NULL THEN NULL ELSE \(body($0)) END" }
    }

    private func clipped(_ value: String, _ lower: Double?, _ upper: Double?) -> String {
        var text = value
        if let upper { text = "LEAST(\(text), \(dialect.number(upper)))" }
        if let lower { text = "GREATEST(\(text), \(dialect.number(lower)))" }
        return text
    }

    /// A sum in parentheses, in groups that keep it shallow.
    private func added(_ terms: [String]) -> String {
        guard terms.count > 16 else { return "(" + terms.joined(separator: " + ") + ")" }
        let size = (terms.count + 15) / 16
        let groups = stride(from: 0, to: terms.count, by: size).map {
            added(Array(terms[$0..<min($0 + size, terms.count)]))
        }
        return "(" + groups.joined(separator: " +\n") + ")"
    }

    private func spline(_ x: String, _ knots: [Double], _ index: Int) -> String {
        func number(_ value: Double) -> String { dialect.number(value) }
        func cube(_ knot: Double, _ factor: Double) -> String {
            // (NULL is above no knot.)
            "CASE WHEN \(x) > \(number(knot)) THEN (\(x) - \(number(knot))) * (\(x) - \(number(knot))) * (\(x) - \(number(knot))) * \(number(factor)) ELSE \(number(0)) END"
        }
        let (inner, outer) = (knots[knots.count - 2], knots[knots.count - 1])
        let scale = 1 / ((outer - knots[0]) * (outer - knots[0]))
        let terms = [
            cube(knots[index], scale), cube(inner, -(outer - knots[index]) / (outer - inner) * scale),
            cube(outer, (inner - knots[index]) / (outer - inner) * scale),
        ]
        return "CASE WHEN \(x) IS NULL THEN NULL ELSE \(added(terms)) END"
    }

    private func curve(_ x: String, _ points: [Double], _ values: [Double]) -> String {
        func number(_ value: Double) -> String { dialect.number(value) }
        var text =
            "CASE WHEN \(x) IS NULL THEN NULL WHEN \(x) <= \(number(points[0])) THEN \(number(values[0]))"
        for index in 1..<max(points.count, 1) where points[index] > points[index - 1] {
            let (low, high) = (points[index - 1], points[index])
            text += " WHEN \(x) < \(number(high)) THEN \(number(values[index - 1]))"
            let rise = values[index] - values[index - 1]
            if rise != 0 { text += " + (\(x) - \(number(low))) / \(number(high - low)) * \(number(rise))" }
        }
        return text + " ELSE \(number(values[values.count - 1])) END"
    }

    // MARK: Trees

    /// Which rows go left, and which right: conditions of which the other holds wherever one is false or NULL.
    private func condition(_ rule: DecisionTree.Rule, _ column: Int) throws(MetaLearnersError) -> (
        left: String, right: String?
    ) {
        let input = inputs.inputs[column]
        let codes = input.knownCodes
        switch rule {
        case .above(let threshold, missingGoRight: true):
            // Where nothing but NULL and NaN is missing, the column itself will do: NaN is above everything.
            let plain = !isQuery && input.missingNumbers.isEmpty ? raw(column) : number(column)
            return ("\(plain) <= \(dialect.number(threshold))", nil)
        case .above(let threshold, missingGoRight: false):
            return ("", "\(number(column)) > \(dialect.number(threshold))")
        case .levels(_, _, let othersGoRight):
            let right = rule.codesGoingRight(among: codes)
            let (named, isRight) =
                othersGoRight ? (codes.filter { !right.contains($0) }, false) : (right.sorted(), true)
            guard !named.isEmpty else { return isRight ? ("", "FALSE") : ("FALSE", nil) }
            return isRight ? ("", isAmong(named, column)) : (isAmong(named, column), nil)
        case .missing, .present:
            let isThere: String
            if input.levels == nil {
                isThere = "\(number(column)) IS NOT NULL"
            } else if isQuery {
                isThere = "\(columnName(column)) IS NOT NULL"
            } else {
                isThere = codes.isEmpty ? "FALSE" : isAmong(codes, column)
            }
            return rule == .missing ? (isThere, nil) : ("", isThere)
        }
    }

    private enum Part {
        case text(String)
        case node(Int)
    }

    private func tree(_ tree: DecisionTree) throws(MetaLearnersError) -> String {
        guard tree.depth <= 300 else {
            throw MetaLearnersError(
                .unsupported, at: "trees", "one has more than 300 splits behind each other")
        }
        var text = ""
        var open: [Part] = [.node(0)]
        while let part = open.popLast() {
            switch part {
            case .text(let piece): text += piece
            case .node(let index):
                switch tree.nodes[index] {
                case .leaf(let value): text += dialect.number(value)
                case .split(let column, let rule, let left, let right):
                    let condition = try condition(rule, column)
                    let first = condition.right == nil ? left : right
                    text += "CASE WHEN \(condition.right ?? condition.left) THEN "
                    open += [
                        .text(" END"), .node(condition.right == nil ? right : left), .text(" ELSE "),
                        .node(first),
                    ]
                }
            }
        }
        return text
    }
}

extension FormulaNode {
    /// Whether the text of the step is short, so that it may as well be written again.
    fileprivate var isShort: Bool {
        switch self {
        case .constant, .number: true
        default: false
        }
    }
}
