/// Formulas as one list of steps, each named by its place and computed from earlier ones: what code is made of.
///
/// Equal steps stand in it once, however often they are used.
public struct FormulaGraph: Sendable, Equatable {
    /// The steps; arguments are places of earlier ones.
    public let nodes: [FormulaNode<Int>]
    /// The place of each formula's last step.
    public let outputs: [Int]

    /// Puts together what was read and checked.
    init(nodes: [FormulaNode<Int>], outputs: [Int]) {
        self.nodes = nodes
        self.outputs = outputs
    }

    /// The formulas of the outputs, which share what they have in common.
    public var formulas: [Formula] {
        var known: [Formula] = []
        for node in nodes { known.append(Formula(node.map { known[$0] })) }
        return outputs.map { known[$0] }
    }

    /// Lays out formulas.
    public init(_ formulas: [Formula]) {
        var nodes: [FormulaNode<Int>] = []
        var places: [FormulaNode<Int>: Int] = [:]
        var known: [ObjectIdentifier: Int] = [:]
        func place(_ formula: Formula) -> Int {
            if let place = known[formula.identity] { return place }
            let node = formula.node.map(place)
            let result = places[node] ?? nodes.count
            if result == nodes.count {
                places[node] = result
                nodes.append(node)
            }
            known[formula.identity] = result
            return result
        }
        outputs = formulas.map(place)
        self.nodes = nodes
    }

    /// Rows that are computed together.
    private static let blockRows = 1024

    /// The values of each formula at the named rows, nil for all: the reference that other interpreters are held against, plain
    /// rather than fast.
    ///
    /// - Parameter table: columns by position, of the kinds and with the levels that the model was trained on.
    /// - Returns: for each output, a number for each row; NaN or infinite where that is what the steps give.
    /// - Throws: `invalidArgument` for a column that is not there or of the wrong kind, a row out of range, or a step that makes
    ///   no sense.
    /// - Complexity: O(rows · steps), where a step of trees counts for all its trees' depths.
    public func evaluate(_ table: Table, rows: [Int32]? = nil) throws(MetaLearnersError) -> [[Double]] {
        for node in nodes {
            try node.check()
            try node.requireColumns(of: table)
        }
        if let rows, let row = rows.first(where: { $0 < 0 || $0 >= table.rowCount }) {
            throw MetaLearnersError(
                .invalidArgument, at: "rows", "there is no row \(row), of \(table.rowCount)")
        }
        let count = rows?.count ?? table.rowCount
        var results = outputs.map { _ in [Double]() }
        for first in stride(from: 0, to: count, by: Self.blockRows) {
            let range = first..<min(first + Self.blockRows, count)
            let block = rows.map { Array($0[range]) } ?? range.map { Int32($0) }
            var columns: [Int: FormulaColumn] = [:]
            var values: [[Double]] = []
            for node in nodes {
                for position in node.columns where columns[position] == nil {
                    columns[position] = FormulaColumn(table.columns[position], block)
                }
                values.append(node.values(columns, values, block.count))
            }
            for (index, output) in outputs.enumerated() { results[index] += values[output] }
        }
        return results
    }
}

/// The values of a column in some rows, and which are missing.
struct FormulaColumn {
    let values: [Double]
    let levelCount: Int?

    init(_ column: Column, _ rows: [Int32]) {
        values = column.values.doubles(rows)
        levelCount = column.levels?.count
    }

    func isMissing(_ row: Int) -> Bool {
        let value = values[row]
        return levelCount.map { !(value >= 0 && value < Double($0)) } ?? value.isNaN
    }
}

extension FormulaNode {
    /// The positions of the columns that the step itself reads.
    package var columns: [Int] {
        switch self {
        case .number(let column), .isMissing(let column), .levels(let column, _, _): return [column]
        case .trees(let trees):
            var all: Set<Int> = []
            for tree in trees.trees {
                for case .split(let column, _, _, _) in tree.nodes { all.insert(column) }
            }
            return all.sorted()
        default: return []
        }
    }

    /// - Throws: `invalidArgument` where a column is not there or of another kind.
    fileprivate func requireColumns(of table: Table) throws(MetaLearnersError) {
        func require(_ position: Int, numeric: Bool?) throws(MetaLearnersError) {
            guard table.columns.indices.contains(position) else {
                throw MetaLearnersError(
                    .invalidArgument, at: "features",
                    "there are \(table.columns.count) columns, and the formula reads the one at position \(position)"
                )
            }
            let column = table.columns[position]
            guard let numeric, (column.levels == nil) != numeric else { return }
            throw MetaLearnersError(
                .invalidArgument, at: "column '\(column.name)'",
                numeric
                    ? "is a category; the formula knows it as a number"
                    : "is a number; the formula knows it as a category")
        }
        switch self {
        case .number(let column): try require(column, numeric: true)
        case .levels(let column, _, _): try require(column, numeric: false)
        case .isMissing(let column): try require(column, numeric: nil)
        case .trees(let trees):
            for tree in trees.trees {
                for case .split(let column, let rule, _, _) in tree.nodes {
                    switch rule {
                    case .above: try require(column, numeric: true)
                    case .levels: try require(column, numeric: false)
                    case .missing, .present: try require(column, numeric: nil)
                    }
                }
            }
        default: break
        }
    }

    /// The number of a code.
    static func look(up code: Double, _ values: [Double], _ other: Double) -> Double {
        code >= 0 && code < Double(values.count) ? values[Int(code)] : other
    }
}

extension FormulaNode where Argument == Int {
    /// The values of the step in `count` rows, given those of the steps before it.
    fileprivate func values(_ columns: [Int: FormulaColumn], _ known: [[Double]], _ count: Int) -> [Double] {
        func each(_ place: Int, _ transform: (Double) -> Double) -> [Double] { known[place].map(transform) }
        func pair(_ left: Int, _ right: Int, _ transform: (Double, Double) -> Double) -> [Double] {
            zip(known[left], known[right]).map(transform)
        }
        func gather(_ places: [Int], _ transform: ([Double]) -> Double) -> [Double] {
            (0..<count).map { row in transform(places.map { known[$0][row] }) }
        }
        switch self {
        case .constant(let value): return [Double](repeating: value, count: count)
        case .number(let column): return columns[column]?.values ?? []
        case .levels(let column, let values, let other):
            return (columns[column]?.values ?? []).map { Self.look(up: $0, values, other) }
        case .isMissing(let column):
            return (0..<count).map { columns[column]?.isMissing($0) ?? true ? 1 : 0 }
        case .standardised(let of, let mean, let deviation, let missing):
            return each(of) { $0.isNaN ? missing : ($0 - mean) / deviation }
        case .spline(let of, let knots, let index):
            let curve = RestrictedCubic(knots, column: index)
            return each(of) { $0.isNaN ? $0 : curve($0) }
        case .linear(let intercept, let coefficients, let of):
            var sums = [Double](repeating: intercept, count: count)
            for (coefficient, place) in zip(coefficients, of) {
                for row in 0..<count { sums[row] += coefficient * known[place][row] }
            }
            return sums
        case .trees(let trees):
            var sums = [Double](repeating: 0, count: count)
            for tree in trees.trees {
                for row in 0..<count { sums[row] += tree.leaf(row, columns) }
            }
            return sums.map { trees.base + $0 * trees.scale }
        case .sum(let of): return gather(of) { $0.reduce(0, +) }
        case .difference(let left, let right): return pair(left, right) { $0 - $1 }
        case .product(let of): return gather(of) { $0.reduce(1, *) }
        case .quotient(let left, let right, let otherwise):
            return pair(left, right) { left, right in
                if let otherwise, !(right > 0) { otherwise } else { left / right }
            }
        case .clip(let of, let lower, let upper):
            return each(of) { value in
                if let lower, value < lower { return lower }
                if let upper, value > upper { return upper }
                return value
            }
        case .sigmoid(let of): return each(of) { Logistic.share($0) }
        case .exp(let of): return each(of) { Double.exp($0) }
        case .log(let of): return each(of) { Double.log($0) }
        case .softmax(let of, let index):
            return gather(of) { scores in
                let largest = scores.reduce(-Double.infinity) { max($0, $1) }
                return Double.exp(scores[index] - largest)
                    / scores.reduce(0) { $0 + Double.exp($1 - largest) }
            }
        case .curve(let of, let points, let values):
            return points.withUnsafeBufferPointer { points in
                values.withUnsafeBufferPointer { values in
                    each(of) { CurvesThroughPoints.straight($0, points, values) }
                }
            }
        case .mean(let of): return gather(of) { $0.reduce(0, +) / Double($0.count) }
        case .median(let of): return gather(of) { OrderStatistics.median(ofSorted: $0.sorted()) }
        }
    }
}

extension DecisionTree {
    /// The value of the leaf that a row comes to.
    fileprivate func leaf(_ row: Int, _ columns: [Int: FormulaColumn]) -> Double {
        var index = 0
        while true {
            switch nodes[index] {
            case .leaf(let value): return value
            case .split(let position, let rule, let left, let right):
                // (Columns were looked for before any row was.)
                guard let column = columns[position] else { return .nan }
                let isRight = rule.sendsRight(column.values[row], isMissing: column.isMissing(row))
                index = isRight ? right : left
            }
        }
    }
}
