import MetaLearnersCore
import Testing
import _TestSupport

/// Shapley values by their definition: differences that a column makes, over all sets of the others.
private func definition(_ columns: Int, _ value: (Int) -> Double) -> [Double] {
    var factorials = [1.0]
    for number in 1...columns { factorials.append(factorials[number - 1] * Double(number)) }
    return (0..<columns).map { column in
        (0..<1 << columns).reduce(0) { sum, set in
            guard set >> column & 1 == 0 else { return sum }
            let size = set.nonzeroBitCount
            let weight = factorials[size] * factorials[columns - size - 1] / factorials[columns]
            return sum + weight * (value(set | 1 << column) - value(set))
        }
    }
}

@Suite("Shapley values of formulas")
struct ShapleyTests {
    private static let names = ["a", "b", "kind", "d", "e"]
    private let rows: Table
    private let background: Table

    init() throws {
        rows = try Self.table(12, seed: 3)
        background = try Self.table(9, seed: 4)
    }

    /// Numbers, some of them missing, and a category with missing levels.
    private static func table(_ count: Int, seed: UInt64) throws -> Table {
        var stream = RandomStream(seed: seed)
        return try Table(
            names.map { name in
                guard name != "kind" else {
                    let codes = (0..<count).map { _ in Int32(stream.integer(below: 5)) - 1 }
                    return Column(name, codes: StridedValues(codes), levels: ["p", "q", "r", "s"])
                }
                return Column(
                    name, (0..<count).map { _ in stream.uniform() < 0.15 ? .nan : 2 * stream.uniform() - 1 })
            })
    }

    /// A tree with random splits, in which columns occur again on the same way, and the weight of each leaf.
    private static func tree(_ stream: inout RandomStream, depth: Int) throws -> DecisionTree {
        var nodes: [DecisionTree.Node] = []
        var weights: [Double] = []
        func grow(_ depth: Int, _ stream: inout RandomStream) -> Int {
            let place = nodes.count
            nodes.append(.leaf(2 * stream.uniform() - 1))
            weights.append(0.1 + stream.uniform())
            guard depth > 0, stream.uniform() < 0.9 else { return place }
            let column = stream.integer(below: names.count)
            var rule = DecisionTree.Rule.above(
                stream.uniform() - 0.5, missingGoRight: stream.uniform() < 0.5)
            if names[column] == "kind" {
                let levels = (0..<4).filter { _ in stream.uniform() < 0.5 }
                rule = .levels(levels, of: 4, othersGoRight: stream.uniform() < 0.5)
            } else if stream.uniform() < 0.1 {
                rule = stream.uniform() < 0.5 ? .missing : .present
            }
            let left = grow(depth - 1, &stream)
            let right = grow(depth - 1, &stream)
            nodes[place] = .split(column: column, rule, left: left, right: right)
            return place
        }
        _ = grow(depth, &stream)
        return try DecisionTree(nodes, leafWeights: weights)
    }

    private static func trees(_ count: Int, depth: Int, seed: UInt64, scale: Double = 1) throws -> Formula {
        var stream = RandomStream(seed: seed)
        var all: [DecisionTree] = []
        for _ in 0..<count { all.append(try tree(&stream, depth: depth)) }
        return Formula(.trees(DecisionTrees(base: 0.25, scale: scale, trees: all)))
    }

    /// A function of one column as linear models have it: never missing.
    private static func standardised(_ column: Int, _ mean: Double = 0.1) -> Formula {
        Formula(.standardised(Formula(.number(column: column)), mean: mean, deviation: 0.7, missing: 0.2))
    }

    /// The mean over the background rows of a formula at rows that have the columns of the set from `row`.
    private func interventional(_ formula: Formula, _ row: Int32) throws -> (base: Double, values: [Double]) {
        let count = background.rowCount
        var values: [Double] = []
        for set in 0..<1 << Self.names.count {
            let mixed = try Table(
                Self.names.indices.map { column in
                    set >> column & 1 == 1
                        ? rows.columns[column].selecting([Int32](repeating: row, count: count))
                        : background.columns[column]
                })
            values.append(try formula.evaluate(mixed).reduce(0, +) / Double(count))
        }
        return (values[0], definition(Self.names.count) { values[$0] })
    }

    /// The tree's expectation given the columns of a set: both ways count at splits by others.
    private func expectation(_ tree: DecisionTree, _ row: Int32, _ set: Int, at node: Int = 0) throws
        -> Double
    {
        switch tree.nodes[node] {
        case .leaf(let value): return value
        case .split(let column, _, let left, let right):
            if set >> column & 1 == 1 {
                // Which way the row goes: a tree of the split alone says so.
                let stump = try DecisionTree([
                    stumpNode(tree.nodes[node]), .leaf(0), .leaf(1),
                ])
                let goesRight =
                    try Formula(.trees(DecisionTrees(base: 0, scale: 1, trees: [stump])))
                    .evaluate(rows, rows: [row])[0] == 1
                return try expectation(tree, row, set, at: goesRight ? right : left)
            }
            let shares = try #require(tree.shares)
            return try shares[left] * expectation(tree, row, set, at: left)
                + shares[right] * expectation(tree, row, set, at: right)
        }
    }

    private func stumpNode(_ node: DecisionTree.Node) -> DecisionTree.Node {
        guard case .split(let column, let rule, _, _) = node else { return node }
        return .split(column: column, rule, left: 1, right: 2)
    }

    private func explained(
        _ formulas: [Formula], _ method: ShapleyMethod?, pairs: Int = 2, threads: Int = 1
    ) throws -> (engine: FormulaShapley, values: ShapleyValues) {
        let engine = try FormulaShapley(
            formulas, columns: Self.names.count, method: method, background: CovariateMatrix(background),
            pairs: pairs, seed: 7, ExecutionContext(threads: threads))
        return (
            engine, try engine.explain(CovariateMatrix(rows), ExecutionContext(threads: threads))
        )
    }

    private func slice(_ values: [Double], _ row: Int, _ output: Int = 0, of outputs: Int = 1) -> [Double] {
        let first = (row * outputs + output) * Self.names.count
        return Array(values[first..<first + Self.names.count])
    }

    @Test("Path-dependent values are those of the trees' expectations", arguments: [1, 3, 5, 9])
    func pathDependent(depth: Int) throws {
        let formula = try Self.trees(4, depth: depth, seed: UInt64(depth), scale: 0.5)
        guard case .trees(let trees) = formula.node else { return }
        let (engine, found) = try explained([formula], nil)
        #expect(engine.method == .pathDependent && found.errors.isEmpty)
        for row in 0..<rows.rowCount {
            var expected = [Double](repeating: 0, count: Self.names.count)
            var base = trees.base
            for tree in trees.trees {
                let values = try (0..<1 << Self.names.count).map {
                    try expectation(tree, Int32(row), $0) * trees.scale
                }
                base += values[0]
                for (column, value) in definition(Self.names.count, { values[$0] }).enumerated() {
                    expected[column] += value
                }
            }
            #expect(Approximate.equal(slice(found.values, row), expected, 1e-12))
            #expect(Approximate.equal(engine.baseValues, [base], 1e-12))
        }
    }

    /// Formulas of every kind of part.
    private static func formulas() throws -> [(name: String, formula: Formula)] {
        let trees = try trees(5, depth: 5, seed: 21)
        let others = try self.trees(3, depth: 3, seed: 22)
        let level = Formula(.levels(column: 2, values: [0.5, -1, 2, 0], other: 0.3))
        let product = Formula(.product([standardised(0), level]))
        return [
            ("trees", trees), ("deep trees", try self.trees(2, depth: 11, seed: 23)),
            ("curves", Formula(.sum([standardised(0), level, Formula(.isMissing(column: 1))]))),
            (
                "products",
                Formula(
                    .linear(
                        intercept: 2, coefficients: [3, -1, 0.5],
                        [
                            product, Formula(.standardised(product, mean: 0.4, deviation: 3, missing: 0)),
                            Formula(.product([standardised(3), standardised(3, 0.4)])),
                        ]))
            ),
            (
                "mean of trees and curves",
                Formula(.mean([trees, level, Formula(.difference(others, trees))]))
            ),
            ("quotient by a number", Formula(.quotient(trees, .constant(4), otherwise: 0))),
            ("ratio", Formula(.quotient(trees, Formula(.exp(others)), otherwise: nil))),
            (
                "composite",
                Formula(.product([Formula(.sigmoid(trees)), Formula(.difference(others, level))]))
            ),
            ("median", Formula(.median([trees, others, level]))),
            ("clipped", Formula(.clip(Formula(.sum([trees, others])), lower: -0.5, upper: 0.5))),
            ("constant", .constant(1.5)),
            ("softmax", Formula(.softmax([trees, others, level], index: 1))),
        ]
    }

    @Test("Interventional values of every kind of formula are those of their definition")
    func interventional() throws {
        for (name, formula) in try Self.formulas() {
            let (engine, found) = try explained([formula], .interventional)
            #expect(engine.method == .interventional && found.errors.isEmpty, "\(name)")
            for row in 0..<rows.rowCount {
                let expected = try interventional(formula, Int32(row))
                #expect(
                    Approximate.equal(slice(found.values, row), expected.values, 1e-11), "\(name), \(row)")
                #expect(Approximate.equal(engine.baseValues, [expected.base], 1e-12), "\(name)")
            }
        }
    }

    @Test("Formulas explained together have the values that each has alone, on any number of threads")
    func together() throws {
        let formulas = try Self.formulas().map(\.formula)
        let all = try explained(formulas, .interventional)
        let again = try explained(formulas, .interventional, threads: 3)
        #expect(all.values.values == again.values.values)
        for (output, formula) in formulas.enumerated() {
            let alone = try explained([formula], .interventional)
            #expect(Approximate.equal(all.engine.baseValues[output], alone.engine.baseValues[0], 1e-13))
            for row in 0..<rows.rowCount {
                let together = slice(all.values.values, row, output, of: formulas.count)
                #expect(Approximate.equal(together, slice(alone.values.values, row), 1e-12))
            }
        }
    }

    @Test("Sampled values add up to the difference, and lie as far from the exact ones as their errors say")
    func sampled() throws {
        let formula = try Self.formulas()[7].formula
        let exact = try explained([formula], .interventional)
        var scores: [Double] = []
        var sizes: [Double] = []
        for pairs in [2, 200] {
            let (engine, found) = try explained([formula], .permutation, pairs: pairs)
            #expect(engine.method == .permutation && found.errors.count == found.values.count)
            let values = try formula.evaluate(rows)
            for row in 0..<rows.rowCount {
                let sum = slice(found.values, row).reduce(engine.baseValues[0], +)
                #expect(abs(sum - values[row]) < 1e-12)
            }
            for (place, error) in found.errors.enumerated() {
                let distance = abs(found.values[place] - exact.values.values[place])
                if error < 1e-12 { #expect(distance < 1e-9) } else { scores.append(distance / error) }
                #expect(distance < 6 * error + 1e-9 || pairs == 2)
            }
            sizes.append(found.errors.reduce(0, +))
        }
        // Most within one standard error, the rest not far beyond.
        #expect(Double(scores.count { $0 < 1 }) > 0.55 * Double(scores.count))
        #expect(Double(scores.count { $0 < 3 }) > 0.93 * Double(scores.count))
        // A hundred times the orders, a tenth of the error.
        #expect(sizes[1] < 0.2 * sizes[0] && sizes[1] > 0.03 * sizes[0])
    }

    @Test("With one pair of orders there are values and no errors, and all orders of few columns are exact")
    func onePair() throws {
        let formula = try Self.formulas()[7].formula
        let (_, found) = try explained([formula], .permutation, pairs: 1)
        #expect(found.errors.allSatisfy { $0 == 0 })
    }

    @Test("A treatment that is held fast has no part, and what absent columns are does not change with it")
    func heldFast() throws {
        // Column e is the treatment; the tree splits by it above and below others.
        let tree = try DecisionTree(
            [
                .split(column: 0, .above(0, missingGoRight: true), left: 1, right: 4),
                .split(column: 4, .above(0.5, missingGoRight: false), left: 2, right: 3), .leaf(1), .leaf(3),
                .split(column: 1, .above(0.2, missingGoRight: false), left: 5, right: 6), .leaf(-1), .leaf(2),
            ], leafWeights: [0, 0, 0.3, 0.1, 0, 0.2, 0.4])
        let whole = Formula(.trees(DecisionTrees(base: 0, scale: 1, trees: [tree])))
        let held = Formula.replacing([whole]) { $0 == 4 ? .value(1) : .column($0) }
        let (engine, found) = try explained(held, .pathDependent)
        for row in 0..<rows.rowCount {
            // The game in which the treatment is always present.
            let arms = try Table(
                rows.columns.dropLast() + [Column("e", [Double](repeating: 1, count: rows.rowCount))])
            let here = ShapleyTests(rows: arms, background: background)
            let values = try (0..<1 << 4).map { try here.expectation(tree, Int32(row), $0 | 1 << 4) }
            let expected = definition(4) { values[$0] } + [0]
            #expect(Approximate.equal(slice(found.values, row), expected, 1e-12))
            #expect(Approximate.equal(engine.baseValues[0], values[0], 1e-12))
        }
    }

    private init(rows: Table, background: Table) {
        self.rows = rows
        self.background = background
    }

    @Test("Ratios of sums of trees have path-dependent values that add up")
    func ratios() throws {
        let numerator = try Self.trees(3, depth: 4, seed: 31)
        let denominator = Formula(.sum([try Self.trees(3, depth: 4, seed: 32), .constant(9)]))
        let ratio = Formula(.quotient(numerator, denominator, otherwise: 0))
        let formula = Formula(.linear(intercept: 1, coefficients: [2], [ratio]))
        let (engine, found) = try explained([formula], nil)
        #expect(engine.method == .pathDependent)
        let values = try formula.evaluate(rows)
        for row in 0..<rows.rowCount {
            let sum = slice(found.values, row).reduce(engine.baseValues[0], +)
            #expect(abs(sum - values[row]) < 1e-12)
        }
        // Where the denominator does not differ between rows, it is a sum of trees, and so are its values.
        let constant = Formula(.quotient(numerator, .constant(3), otherwise: 0))
        let plain = try explained([constant], .pathDependent)
        let nothing = try DecisionTree([.leaf(0)], leafWeights: [1])
        let three = Formula(.trees(DecisionTrees(base: 3, scale: 1, trees: [nothing])))
        let same = Formula(.quotient(numerator, three, otherwise: 0))
        let ratioValues = try explained([same], .pathDependent)
        #expect(Approximate.equal(plain.values.values, ratioValues.values.values, 1e-13))
    }

    @Test("Values of boosted trees are those that the package shap computes of scikit-learn's")
    func reference() throws {
        let fixture = try Fixture("shapley")
        var trees: [DecisionTree] = []
        for tree in try fixture.part("trees").parts() {
            let columns = try tree.numbers("column").map { Int($0) }
            let (left, right) = (try tree.numbers("left"), try tree.numbers("right"))
            let (thresholds, values) = (try tree.numbers("threshold"), try tree.numbers("value"))
            let nodes: [DecisionTree.Node] = columns.indices.map { node in
                columns[node] < 0
                    ? .leaf(values[node])
                    : .split(
                        column: columns[node], .above(thresholds[node], missingGoRight: false),
                        left: Int(left[node]), right: Int(right[node]))
            }
            trees.append(try DecisionTree(nodes, leafWeights: tree.numbers("weight")))
        }
        let formula = Formula(
            .trees(
                DecisionTrees(
                    base: try fixture.number("offset"), scale: try fixture.number("scale"), trees: trees)))
        func matrix(_ key: String) throws -> CovariateMatrix {
            try CovariateMatrix(Table(fixture.lists(key).enumerated().map { Column("x\($0)", $1) }))
        }
        let rows = try matrix("rows")
        for method in [ShapleyMethod.pathDependent, .interventional] {
            let engine = try FormulaShapley(
                [formula], columns: 6, method: method, background: matrix("background"), pairs: 1, seed: 0,
                ExecutionContext(threads: 2))
            let found = try engine.explain(rows, ExecutionContext(threads: 2)).values
            let expected = try fixture.lists(method.rawValue).flatMap(\.self)
            // The package adds up in single precision where it goes by paths.
            #expect(Approximate.largestDifference(found, expected) < 1e-5)
            #expect(abs(engine.baseValues[0] - (try fixture.number(method.rawValue + "_base"))) < 1e-5)
        }
    }

    @Test("What has no path-dependent values is refused, and so is a background without rows")
    func refusals() throws {
        let formulas = try Self.formulas()
        let composite = #expect(throws: MetaLearnersError.self) {
            try explained([formulas[7].formula], .pathDependent)
        }
        #expect(composite.says(.unsupported, "no sum"))
        // A linear part has no training rows at splits, beside trees no more than alone.
        let line = Formula(.standardised(Formula(.number(column: 0)), mean: 0, deviation: 1, missing: 0))
        for formula in [line, Formula(.sum([line, formulas[0].formula]))] {
            let linear = #expect(throws: MetaLearnersError.self) { try explained([formula], .pathDependent) }
            #expect(linear.says(.unsupported, "no sum"))
        }
        let read = try FormulaGraph(
            SpecValue(json: formulas[0].formula.specValue.json().utf8, source: "test")
        ).formulas
        let weightless = #expect(throws: MetaLearnersError.self) { try explained(read, .pathDependent) }
        #expect(weightless.says(.unsupported, "training rows"))
        #expect(try explained(read, nil).engine.method == .interventional)
        let none = try CovariateMatrix(background.selecting(rows: []))
        let empty = #expect(throws: MetaLearnersError.self) {
            try FormulaShapley(
                read, columns: 5, method: nil, background: none, pairs: 1, seed: 0, ExecutionContext())
        }
        #expect(empty.says(.invalidArgument, "no rows"))
        let cancelled = CancellationToken()
        cancelled.cancel()
        let error = #expect(throws: MetaLearnersError.self) {
            try FormulaShapley(
                read, columns: 5, method: nil, background: CovariateMatrix(background), pairs: 1, seed: 0,
                ExecutionContext(cancellation: cancelled))
        }
        #expect(error?.kind == .cancelled)
    }

    @Test("Ways with more different columns than a mask has bits are refused")
    func wide() throws {
        let count = 70
        var nodes: [DecisionTree.Node] = []
        for column in 0..<count {
            nodes.append(
                .split(
                    column: column, .above(0, missingGoRight: false), left: 2 * column + 1,
                    right: 2 * column + 2))
            nodes.append(.leaf(Double(column)))
        }
        nodes.append(.leaf(1))
        func formula(_ columns: Int) throws -> Formula {
            var own = Array(nodes.prefix(2 * columns)) + [.leaf(1)]
            own[2 * columns] = .leaf(1)
            let tree = try DecisionTree(own, leafWeights: own.map { _ in 1 })
            return Formula(.trees(DecisionTrees(base: 0, scale: 1, trees: [tree])))
        }
        var stream = RandomStream(seed: 5)
        let table = try Table(
            (0..<count).map { Column("\($0)", (0..<4).map { _ in stream.uniform() - 0.3 }) })
        let matrix = try CovariateMatrix(table)
        for method in [ShapleyMethod.pathDependent, .interventional] {
            let deep = try formula(64)
            let engine = try FormulaShapley(
                [deep], columns: count, method: method, background: matrix, pairs: 1, seed: 0,
                ExecutionContext())
            let values = try engine.explain(matrix, ExecutionContext()).values
            let expected = try deep.evaluate(table)
            for row in 0..<4 {
                let sum = values[row * count..<(row + 1) * count].reduce(engine.baseValues[0], +)
                #expect(abs(sum - expected[row]) < 1e-9)
            }
            let error = #expect(throws: MetaLearnersError.self) {
                try FormulaShapley(
                    [formula(65)], columns: count, method: method, background: matrix, pairs: 1, seed: 0,
                    ExecutionContext())
            }
            #expect(error.says(.unsupported, "64 different columns"))
        }
    }
}
