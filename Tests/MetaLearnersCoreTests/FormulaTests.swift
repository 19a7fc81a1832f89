import Foundation
import Testing
import _TestSupport

@testable import MetaLearnersCore

@Suite("Formulas and their reference interpreter")
struct FormulaTests {
    private static let number = Formula(.number(column: 0))

    private func table() throws -> Table {
        try Table([
            Column("x", [0.5, -1, .nan, 4]),
            Column("kind", codes: StridedValues([Int32(0), 1, -1, 7]), levels: ["a", "b", "c"]),
        ])
    }

    private func values(_ node: FormulaNode<Formula>) throws -> [Double] {
        try Formula(node).evaluate(table())
    }

    private func same(_ left: [Double], _ right: [Double]) -> Bool {
        left.count == right.count && zip(left, right).allSatisfy { $0 == $1 || $0.isNaN && $1.isNaN }
    }

    @Test("Every step computes what it says, and missing values are NaN until somebody replaces them")
    func steps() throws {
        let x = Self.number
        let two = Formula.constant(2)
        #expect(same(try values(.number(column: 0)), [0.5, -1, .nan, 4]))
        #expect(try values(.levels(column: 1, values: [1, 2, 3], other: -9)) == [1, 2, -9, -9])
        #expect(try values(.isMissing(column: 0)) == [0, 0, 1, 0])
        #expect(try values(.isMissing(column: 1)) == [0, 0, 1, 1])
        #expect(try values(.standardised(x, mean: 1, deviation: 2, missing: 5)) == [-0.25, -1, 5, 1.5])
        #expect(
            same(try values(.linear(intercept: 1, coefficients: [3, 1], [x, two])), [4.5, 0, .nan, 15]))
        #expect(same(try values(.sum([x, two])), [2.5, 1, .nan, 6]))
        #expect(same(try values(.difference(two, x)), [1.5, 3, .nan, -2]))
        #expect(same(try values(.product([x, two, two])), [2, -4, .nan, 16]))
        #expect(same(try values(.quotient(two, x, otherwise: 7)), [4, 7, 7, 0.5]))
        #expect(same(try values(.quotient(two, x, otherwise: nil)), [4, -2, .nan, 0.5]))
        #expect(same(try values(.clip(x, lower: 0, upper: nil)), [0.5, 0, .nan, 4]))
        #expect(same(try values(.clip(x, lower: nil, upper: 1)), [0.5, -1, .nan, 1]))
        #expect(try values(.sigmoid(.constant(0))) == [0.5, 0.5, 0.5, 0.5])
        #expect(try values(.softmax([two, two], index: 1)) == [0.5, 0.5, 0.5, 0.5])
        #expect(try values(.log(Formula(.exp(.constant(0))))) == [0, 0, 0, 0])
        #expect(same(try values(.curve(x, points: [0, 1], values: [10, 20])), [15, 10, .nan, 20]))
        #expect(try values(.mean([.constant(1), two])) == [1.5, 1.5, 1.5, 1.5])
        #expect(try values(.median([.constant(9), two, .constant(1)])) == [2, 2, 2, 2])
        // Below the first knot a curve is flat, and beyond the last a line.
        let spline = Formula(.spline(x, knots: [0, 1, 2], index: 0))
        #expect(same(try spline.evaluate(table(), rows: [1, 2]), [0, .nan]))
        #expect(try spline.evaluate(table(), rows: [0]) == [0.125 / 4])
    }

    @Test("Trees send missing values, levels and unknown codes where their rules say")
    func trees() throws {
        func leaves(_ rule: DecisionTree.Rule, column: Int) throws -> [Double] {
            let tree = try DecisionTree([
                .split(column: column, rule, left: 1, right: 2), .leaf(10), .leaf(20),
            ])
            return try values(.trees(DecisionTrees(base: 1, scale: 0.5, trees: [tree, tree])))
        }
        #expect(try leaves(.above(0.5, missingGoRight: false), column: 0) == [11, 11, 11, 21])
        #expect(try leaves(.above(0.5, missingGoRight: true), column: 0) == [11, 11, 21, 21])
        #expect(try leaves(.levels([1], of: 3, othersGoRight: false), column: 1) == [11, 21, 11, 11])
        #expect(try leaves(.levels([0, 2], of: 3, othersGoRight: true), column: 1) == [21, 11, 21, 21])
        #expect(try leaves(.missing, column: 0) == [11, 11, 21, 11])
        #expect(try leaves(.present, column: 1) == [21, 21, 11, 11])
    }

    @Test("Columns can be moved and held fast; splits on the latter are passed over")
    func replacing() throws {
        let tree = try DecisionTree([
            .split(column: 2, .levels([1], of: 2, othersGoRight: false), left: 1, right: 4),
            .split(column: 0, .above(0, missingGoRight: false), left: 2, right: 3), .leaf(1), .leaf(2),
            .split(column: 0, .above(1, missingGoRight: true), left: 5, right: 6), .leaf(3), .leaf(4),
        ])
        let formula = Formula(
            .sum([
                Formula(.trees(DecisionTrees(base: 0, scale: 1, trees: [tree]))),
                Formula(.levels(column: 2, values: [100, 200], other: 0)), Formula(.isMissing(column: 0)),
            ]))
        // In the third row x is missing.
        for (arm, expected) in [(0, [102.0, 101, 102, 102]), (1, [203, 203, 205, 204])] {
            let moved = Formula.replacing([formula]) { $0 == 2 ? .value(Double(arm)) : .column($0) }[0]
            #expect(moved != formula)
            #expect(try moved.evaluate(table()) == expected)
        }
    }

    @Test("What is used twice stands in the graph once, and equality is that of the steps")
    func sharing() throws {
        let scores = (0..<3).map { Formula(.product([Self.number, .constant(Double($0 + 1))])) }
        let shares = (0..<3).map { Formula(.softmax(scores, index: $0)) }
        let graph = FormulaGraph(shares)
        #expect(graph.nodes.count == 1 + 3 + 3 + 3)
        #expect(graph.outputs == [7, 8, 9])
        #expect(Formula(.softmax(scores, index: 0)) == shares[0])
        #expect(shares[0] != shares[1])
        // Shared in every generation: as a tree of copies it would have 2^60 steps.
        var doubled = Self.number
        for _ in 0..<60 { doubled = Formula(.sum([doubled, doubled])) }
        #expect(FormulaGraph([doubled]).nodes.count == 61)
        #expect(try doubled.evaluate(table(), rows: [0]) == [0x1p59])
    }

    @Test("The JSON form states every number and reads back as the same text")
    func json() throws {
        let tree = try DecisionTree([
            .split(column: 0, .above(0.1, missingGoRight: true), left: 1, right: 2), .leaf(-1.5), .leaf(2.25),
        ])
        let formula = Formula(
            .sum([
                Formula(.trees(DecisionTrees(base: 0.5, scale: 1, trees: [tree]))),
                Formula(.levels(column: 1, values: [0.1, 0.2], other: 0.3)),
            ]))
        let text = formula.specValue.json()
        #expect(try SpecValue(json: text.utf8, source: "test").json() == text)
        let nodes = try #require(formula.specValue.objectValue?["nodes"]?.arrayValue)
        #expect(nodes.count == 3)
        #expect(
            nodes[0] == [
                "op": "trees", "base": 0.5, "scale": 1.0,
                "trees": [
                    [
                        ["column": 0, "above": 0.1, "missing_go_right": true, "left": 1, "right": 2],
                        ["leaf": -1.5], ["leaf": 2.25],
                    ]
                ],
            ])
        #expect(nodes[2] == ["op": "sum", "of": [0, 1]])
    }

    /// A graph that has every step and every rule of trees.
    private static func everything() throws -> FormulaGraph {
        let x = number
        let splits: [DecisionTree.Rule] = [
            .above(0.1, missingGoRight: true), .levels([0, 2], of: 3, othersGoRight: true), .missing,
            .present,
        ]
        let trees = try splits.enumerated().map { index, rule in
            try DecisionTree([
                .split(column: index == 1 ? 1 : 0, rule, left: 1, right: 2), .leaf(-1.5), .leaf(2),
            ])
        }
        let share = Formula(.sigmoid(x))
        return FormulaGraph([
            Formula(.trees(DecisionTrees(base: 0.5, scale: -2, trees: trees))),
            Formula(.levels(column: 1, values: [0.1, 2, -3], other: 1e-300)), Formula(.isMissing(column: 1)),
            Formula(
                .spline(
                    Formula(.standardised(x, mean: 1, deviation: 3, missing: 0)), knots: [0, 0.5, 2, 9],
                    index: 1)
            ), Formula(.linear(intercept: 1, coefficients: [3, -0.0], [x, share])),
            Formula(.linear(intercept: 4, coefficients: [], [])), Formula(.sum([])),
            Formula(.difference(x, share)), Formula(.product([x, share])),
            Formula(.quotient(x, share, otherwise: 3)), Formula(.quotient(share, x, otherwise: nil)),
            Formula(.clip(x, lower: 0, upper: nil)), Formula(.clip(x, lower: nil, upper: 1)),
            Formula(.exp(x)), Formula(.log(share)), Formula(.softmax([x, share], index: 1)),
            Formula(.curve(x, points: [0, 1], values: [10, 20])), Formula(.mean([x, share])),
            Formula(.median([x, share, .constant(1)])),
        ])
    }

    @Test("What JSON was made of is read from it, step by step, and computes the same")
    func roundTrip() throws {
        let graph = try Self.everything()
        let text = graph.specValue.json()
        let read = try FormulaGraph(SpecValue(json: text.utf8, source: "test"))
        #expect(read == graph && read.specValue.json() == text)
        #expect(FormulaGraph(read.formulas).specValue.json() == text)
        for (own, other) in zip(try graph.evaluate(table()), try read.evaluate(table())) {
            #expect(same(own, other))
        }
        let schema = try CovariateSchema(table())
        let names = graph.outputs.map { "output \($0)" }
        let document = try FormulaDocument(schema: schema, names: names, graph: graph)
        #expect(
            try FormulaDocument(SpecValue(json: document.specValue.json().utf8, source: "test")) == document)
        #expect(
            try JSONDecoder().decode(FormulaDocument.self, from: JSONEncoder().encode(document)) == document)
        #expect(try JSONDecoder().decode(FormulaGraph.self, from: JSONEncoder().encode(graph)) == graph)
        // Columns are found by name, wherever they stand.
        // (Every code is one of a level here.)
        let table = try Table([
            table().columns[0],
            Column("kind", codes: StridedValues([Int32(0), 1, -1, 2]), levels: ["a", "b", "c"]),
        ])
        let moved = try Table([Column("more", [1.0, 2, 3, 4])] + table.columns.reversed())
        for (own, other) in zip(try document.evaluate(moved).values, try graph.evaluate(table)) {
            #expect(same(own, other))
        }
        #expect(throws: MetaLearnersError.self) {
            try FormulaDocument(schema: schema, names: ["one"], graph: graph)
        }
    }

    @Test(
        "A document that is none of formulas is refused with its place",
        arguments: [
            ("[]", "must be a mapping"), ("{}", "nodes: is missing"),
            ("{'nodes': [], 'outputs': [0]}", "outputs: must be places of the 0 nodes"),
            ("{'nodes': [], 'outputs': [-1]}", "outputs"), ("{'nodes': [], 'outputs': [0.5]}", "outputs"),
            ("{'nodes': [], 'outputs': [], 'nods': 1}", "nods: unknown key; did you mean 'nodes'?"),
            ("{'nodes': [7], 'outputs': []}", "nodes.0: must be a mapping"),
            ("{'nodes': [{'op': 'add'}], 'outputs': []}", "nodes.0.op: there is no step 'add'"),
            ("{'nodes': [{'op': 'exp'}], 'outputs': []}", "nodes.0.of: must have 1 places, not 0"),
            (
                "{'nodes': [{'op': 'exp', 'of': [0]}], 'outputs': []}",
                "nodes.0.of: must be places of steps before"
            ),
            ("{'nodes': [{'op': 'sum', 'of': [-1]}], 'outputs': []}", "nodes.0.of"),
            ("{'nodes': [{'op': 'sum', 'of': [9223372036854775807]}], 'outputs': []}", "nodes.0.of"),
            (
                "{'nodes': [{'op': 'constant', 'value': null}], 'outputs': []}",
                "nodes.0.value: must be a number"
            ),
            (
                "{'nodes': [{'op': 'constant', 'value': 1, 'of': [0]}], 'outputs': []}",
                "nodes.0.of: unknown key"
            ),
            ("{'nodes': [{'op': 'number', 'column': -1}], 'outputs': []}", "position -1"),
            (
                "{'nodes': [{'op': 'linear', 'intercept': 0, 'coefficients': [1]}], 'outputs': []}",
                "1 coefficients of 0 terms"
            ),
            ("{'nodes': [{'op': 'mean'}], 'outputs': []}", "nodes.0: there is a mean or median of nothing"),
            ("{'nodes': [{'op': 'softmax', 'index': 0}], 'outputs': []}", "softmax of 0 scores"),
            (
                "{'nodes': [{'op': 'number', 'column': 0}, {'op': 'curve', 'of': [0], 'points': [1, 0], 'values': [1, 2]}], 'outputs': []}",
                "nodes.1: the points of a curve do not ascend"
            ),
            (
                "{'nodes': [{'op': 'number', 'column': 0}, {'op': 'spline', 'of': [0], 'knots': [1, 2], 'index': 0}], 'outputs': []}",
                "nodes.1: a spline of 2 knots"
            ),
            (tree("[]"), "trees.0: a tree has no node"),
            (
                tree("[{'column': 0, 'goes_right': 'up', 'left': 1, 'right': 2}]"),
                "goes_right: must be missing or present"
            ),
            (tree("[{'column': 0, 'above': 1, 'left': 1, 'right': 2}]"), "missing_go_right: is missing"),
            (
                tree("[{'column': 0, 'goes_right': 'missing', 'left': 0, 'right': 1}, {'leaf': 1}]"),
                "trees.0: the children of node 0"
            ),
            (
                tree(
                    "[{'column': 0, 'levels': [1, 0], 'level_count': 2, 'others_go_right': true, 'left': 1, 'right': 1}, {'leaf': 1}]"
                ), "the levels of node 0"
            ),
            (
                tree(
                    "[{'column': 0, 'levels': [0], 'level_count': -1, 'others_go_right': true, 'left': 1, 'right': 1}, {'leaf': 1}]"
                ), "the levels of node 0"
            ),
            (tree("[{'leaf': 'x'}]"), "trees.0.0.leaf: must be a number"),
        ])
    func refusals(text: String, words: String) throws {
        let json = text.replacingOccurrences(of: "'", with: "\"")
        let error = #expect(throws: MetaLearnersError.self) {
            try FormulaGraph(SpecValue(json: json.utf8, source: "test"))
        }
        #expect(error.says(.invalidSpec, words))
    }

    private static func tree(_ nodes: String) -> String {
        "{'nodes': [{'op': 'trees', 'base': 0, 'scale': 1, 'trees': [\(nodes)]}], 'outputs': []}"
    }

    @Test(
        "Steps behind each other without end are refused; altered documents are read or refused, never a trap"
    )
    func hostileDocuments() throws {
        let chain = (1...1001).map { "{\"op\": \"exp\", \"of\": [\($0 - 1)]}" }.joined(separator: ", ")
        let deep = "{\"nodes\": [{\"op\": \"constant\", \"value\": 1}, \(chain)], \"outputs\": [1001]}"
        let error = #expect(throws: MetaLearnersError.self) {
            try FormulaGraph(SpecValue(json: deep.utf8, source: "test"))
        }
        #expect(error.says(.invalidSpec, "more than 1000 steps"))
        let bytes = Array(
            try FormulaDocument(
                schema: CovariateSchema(table()), names: Self.everything().outputs.map { "\($0)" },
                graph: Self.everything()
            ).specValue.json().utf8)
        var stream = RandomStream(seed: 8)
        var readable = 0
        for _ in 0..<3000 {
            var other = bytes
            for _ in 0...stream.integer(below: 2) {
                other[stream.integer(below: bytes.count)] =
                    Array("0123456789-.,e[]{}\"a".utf8)[stream.integer(below: 20)]
            }
            guard let document = try? FormulaDocument(SpecValue(json: other, source: "test")) else {
                continue
            }
            readable += 1
            _ = try? document.evaluate(table())
            _ = document.graph.formulas
        }
        #expect(readable > 100)
    }

    @Test("Tables that do not fit, rows that are not there and steps without sense are errors")
    func hostile() throws {
        func fails(_ node: FormulaNode<Formula>, rows: [Int32]? = nil, _ part: String) {
            let error = #expect(throws: MetaLearnersError.self) {
                try Formula(node).evaluate(table(), rows: rows)
            }
            #expect(error?.kind == .invalidArgument)
            #expect(error?.description.contains(part) == true, "\(error?.description ?? "")")
        }
        let x = Self.number
        fails(.number(column: 2), "position 2")
        fails(.number(column: -1), "-1")
        fails(.number(column: .max), "position")
        fails(.number(column: 1), "category")
        fails(.levels(column: 0, values: [], other: 0), "number")
        fails(.isMissing(column: 5), "position 5")
        fails(.number(column: 0), rows: [4], "row 4")
        fails(.number(column: 0), rows: [-1], "row -1")
        fails(.linear(intercept: 0, coefficients: [1, 2], [x]), "coefficients")
        fails(.spline(x, knots: [1, 2], index: 0), "knots")
        fails(.spline(x, knots: [1, 2, 3], index: 1), "knots")
        fails(.softmax([], index: 0), "softmax")
        fails(.softmax([x], index: 1), "softmax")
        fails(.curve(x, points: [1], values: []), "curve")
        fails(.mean([]), "nothing")
        fails(.median([]), "nothing")
        let onCategory = try DecisionTree([
            .split(column: 1, .above(0, missingGoRight: true), left: 1, right: 1), .leaf(0),
        ])
        fails(.trees(DecisionTrees(base: 0, scale: 1, trees: [onCategory])), "category")
        #expect(try x.evaluate(table(), rows: []) == [])
        #expect(try Formula.constant(3).evaluate(Table([], rowCount: 2)) == [3, 3])
        for nodes: [DecisionTree.Node] in [
            [], [.split(column: 0, .missing, left: 0, right: 0)],
            [.split(column: 0, .missing, left: 1, right: 2), .leaf(0)],
            [.split(column: -1, .missing, left: 1, right: 1), .leaf(0)],
        ] {
            let error = #expect(throws: MetaLearnersError.self) { try DecisionTree(nodes) }
            #expect(error?.kind == .invalidArgument)
        }
    }
}
