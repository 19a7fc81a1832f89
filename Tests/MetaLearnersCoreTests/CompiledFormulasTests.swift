import Testing
import _TestSupport

@testable import MetaLearnersCore

@Suite("Formulas of single rows")
struct CompiledFormulasTests {
    /// Every kind of step, over two numbers and a category.
    private static func formulas() throws -> [Formula] {
        let x = Formula(.number(column: 0))
        let z = Formula(.number(column: 1))
        let level = Formula(.levels(column: 2, values: [0.5, -2, 7], other: 3))
        let line = Formula(.standardised(x, mean: 0.3, deviation: 1.7, missing: 0.1))
        let score = Formula(.linear(intercept: 0.25, coefficients: [1.5, -0.5, 2], [line, level, line]))
        let trees = Formula(
            .trees(
                DecisionTrees(
                    base: 0.125, scale: 0.75,
                    trees: try (0..<19).map { number in
                        let threshold = Double(number) / 7 - 1
                        return try DecisionTree([
                            .split(
                                column: 0, .above(threshold, missingGoRight: number % 2 == 0), left: 1,
                                right: 2),
                            .split(
                                column: 2, .levels([1], of: 3, othersGoRight: number % 3 == 0), left: 3,
                                right: 4),
                            .split(column: 1, number % 2 == 0 ? .missing : .present, left: 5, right: 6),
                            .leaf(Double(number)), .leaf(-0.1), .leaf(0.3), .leaf(1 / Double(number + 1)),
                        ])
                    } + [DecisionTree([.leaf(0.7)])])))
        let bounded = Formula(.clip(line, lower: -0.4, upper: nil))
        let share = Formula(.sigmoid(score))
        return [
            .constant(4), x, level, Formula(.isMissing(column: 2)), Formula(.isMissing(column: 1)), line,
            score,
            trees, bounded, share,
            Formula(.spline(line, knots: [-1, 0, 0.5, 1], index: 1)), Formula(.sum([line, level, trees])),
            Formula(.difference(trees, score)), Formula(.product([line, share, trees])),
            Formula(.quotient(line, share, otherwise: nil)), Formula(.quotient(line, level, otherwise: -1)),
            Formula(.clip(trees, lower: nil, upper: 2)), Formula(.exp(bounded)), Formula(.log(share)),
            Formula(.softmax([line, score, trees], index: 1)),
            Formula(.curve(line, points: [-1, 0, 2], values: [3, 1, 5])),
            Formula(.mean([line, level, trees])),
            Formula(.median([line, level, trees, share])), Formula(.median([line, level, trees])), z,
        ]
    }

    @Test("Rows by themselves are computed to the bit as in tables, missing values and levels included")
    func rows() throws {
        var stream = RandomStream(seed: 3)
        let count = 400
        let x = (0..<count).map { $0 % 9 == 0 ? .nan : $0 % 31 == 0 ? -.infinity : 4 * stream.uniform() - 2 }
        let z = (0..<count).map { $0 % 7 == 0 ? .nan : $0 % 29 == 0 ? -.infinity : stream.uniform() }
        let codes = (0..<count).map { _ in Int32(stream.integer(below: 4)) - 1 }
        let table = try Table([
            Column("x", x), Column("z", z),
            Column("k", codes: StridedValues(codes), levels: ["a", "b", "c"]),
        ])
        let graph = FormulaGraph(try Self.formulas())
        let expected = try graph.evaluate(table)
        let compiled = try CompiledFormulas(graph, columnCount: 3)
        #expect(compiled.outputCount == expected.count)
        var room = [Double](repeating: .nan, count: compiled.roomCount)
        var found = [Double](repeating: .nan, count: compiled.outputCount)
        for row in 0..<count {
            room[0] = x[row]
            room[1] = z[row]
            room[2] = codes[row] < 0 ? .nan : Double(codes[row])
            let isFinite = compiled.evaluate(&room, to: &found)
            #expect(isFinite == expected.allSatisfy { $0[row].isFinite })
            let wrong = expected.indices.filter { output in
                let value = expected[output][row]
                return found[output].bitPattern != value.bitPattern && !(value.isNaN && found[output].isNaN)
            }
            #expect(wrong.isEmpty, "row \(row)")
        }
    }

    @Test("What makes no sense, or reads columns that are not there, is refused")
    func refusals() throws {
        let beyond = FormulaGraph([Formula(.number(column: 3))])
        let error = #expect(throws: MetaLearnersError.self) {
            try CompiledFormulas(beyond, columnCount: 3)
        }
        #expect(error?.kind == .invalidArgument)
        let nothing = FormulaGraph([Formula(.mean([]))])
        #expect(throws: MetaLearnersError.self) { try CompiledFormulas(nothing, columnCount: 3) }
        let far = FormulaGraph([
            Formula(
                .trees(
                    DecisionTrees(
                        base: 0, scale: 1,
                        trees: [
                            try DecisionTree([
                                .split(column: 70_000, .missing, left: 1, right: 2), .leaf(0), .leaf(1),
                            ])
                        ])))
        ])
        let wide = #expect(throws: MetaLearnersError.self) { try CompiledFormulas(far, columnCount: 80_000) }
        #expect(wide?.kind == .unsupported)
    }
}
