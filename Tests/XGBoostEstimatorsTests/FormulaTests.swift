import MetaLearnersCore
import Testing
import XGBoostEstimators
import _TestSupport

@Suite("Models of XGBoost as formulas", .enabled(if: XGBoostEstimator.isAvailable))
struct FormulaTests {
    private static let count = 400

    /// Numbers, numbers with gaps, and levels; those of `isNew` also beyond what training had.
    private static func table(seed: UInt64, isNew: Bool = false) throws -> Table {
        var stream = RandomStream(seed: seed)
        let x = (0..<count).map { _ in (isNew ? 2 : 1) * stream.normal() }
        let gaps = (0..<count).map { _ in stream.uniform() < 0.2 ? Double.nan : 1e6 * stream.normal() }
        let codes = (0..<count).map { _ in
            stream.uniform() < 0.1 ? Int32(-1) : Int32(stream.integer(below: 6))
        }
        return try Table([
            Column("x", x), Column("gaps", gaps),
            Column("c", codes: StridedValues(codes), levels: ["p", "q", "r", "s", "t", "u"]),
        ])
    }

    private static func target(_ table: Table) -> [Double] {
        let columns = table.columns.map { $0.values.doubles() }
        return (0..<count).map { row in
            let gap = columns[1][row].isNaN ? 1 : columns[1][row] / 1e6
            return columns[0][row] + gap * Double(Int(columns[2][row]) % 2) + 50
        }
    }

    private static func fit(_ spec: XGBoostSpec, _ table: Table, _ objective: TrainingTask.Objective) throws
        -> any FittedEstimator
    {
        var target = target(table)
        if case .classification(let classes) = objective {
            target = target.map { Double(min(max(Int($0 - 49), 0), classes - 1)) }
        }
        let task = try TrainingTask(
            features: table, rows: Array(0..<Int32(count)), target: target, objective: objective, seed: 1)
        return try XGBoostEstimator(spec).fit(task, ExecutionContext())
    }

    @Test("The formulas give XGBoost's predictions, before and after a file", arguments: 0..<5)
    func predictions(index: Int) throws {
        let table = try Self.table(seed: 1)
        let objective: TrainingTask.Objective =
            switch index {
            case 0, 1: .regression
            case 2: .residual(regressor: table.columns[0].values.doubles())
            default: .classification(classes: index - 1)
            }
        var spec = TestFit.spec(trees: 30)
        // (Trees of one leaf.)
        if index == 1 { spec.minLeafSize = 1000 }
        let model = try Self.fit(spec, table, objective)
        var reader = BinaryReader(TestFit.bytes(model)[...])
        let loaded = try XGBoostEstimator.decode(from: &reader)
        let graph = FormulaGraph(try #require(model as? any FormulaProviding).formulas())
        #expect(try FormulaGraph(#require(loaded as? any FormulaProviding).formulas()) == graph)
        #expect(graph.outputs.count == model.outputCount)
        for rows in [table, try Self.table(seed: 2, isNew: true)] {
            let expected = try model.predict(rows, rows: nil, ExecutionContext())
            for (output, values) in try graph.evaluate(rows).enumerated() {
                let own = stride(from: output, to: expected.count, by: model.outputCount).map { expected[$0] }
                #expect(Approximate.equal(values, own, 1e-5))
            }
        }
    }

    @Test("A number on the border in single precision goes the way that XGBoost sends it")
    func borders() throws {
        let table = try Self.table(seed: 1)
        var spec = TestFit.spec(trees: 1)
        spec.maxDepth = 4
        let model = try Self.fit(spec, table, .regression)
        let formula = try #require(model as? any FormulaProviding).formulas()[0]
        guard case .trees(let trees) = formula.node else { return #expect(Bool(false), "no trees") }
        var numbers: [Double] = [1e300, -1e300, 0, -0.0]
        for case .split(_, .above(let threshold, _), _, _) in trees.trees.flatMap(\.nodes) {
            numbers += [threshold, threshold.nextUp, threshold.nextUp.nextUp, threshold.nextDown]
            numbers += [Float(threshold), Float(threshold).nextUp, Float(threshold).nextDown].map(Double.init)
        }
        #expect(numbers.count > 20)
        let places = numbers.indices.map { Int32($0 % 7) - 1 }
        let rows = try Table([
            Column("x", numbers), Column("gaps", numbers),
            Column("c", codes: StridedValues(places), levels: ["p", "q", "r", "s", "t", "u"]),
        ])
        let expected = try model.predict(rows, rows: nil, ExecutionContext())
        #expect(try Approximate.equal(formula.evaluate(rows), expected, 1e-5))
    }

    @Test("Trees that are weighed have none, and say so")
    func weighedTrees() throws {
        let data = try TestFit(rows: 300)
        var spec = TestFit.spec()
        spec.engine = SpecObject([("booster", "dart"), ("rate_drop", 0.5)])
        let model = try data.fit(spec)
        let error = #expect(throws: MetaLearnersError.self) {
            try #require(model as? any FormulaProviding).formulas()
        }
        #expect(error.says(.unsupported, "no sum of trees"))
    }
}
