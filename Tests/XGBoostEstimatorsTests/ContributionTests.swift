import Foundation
import MetaLearnersCore
import Testing
import XGBoostEstimators
import _TestSupport

@Suite("XGBoost says which columns its predictions come from", .enabled(if: XGBoostEstimator.isAvailable))
struct ContributionTests {
    private static let count = 300
    private let table: Table
    private let target: [Double]
    private let classes: [Double]

    init() throws {
        var stream = RandomStream(seed: 9)
        let count = Self.count
        let first = (0..<count).map { _ in stream.normal() }
        let gappy = (0..<count).map { $0 % 7 == 0 ? Double.nan : stream.uniform() }
        let codes = (0..<count).map { _ in Int32(stream.uniform() * 5) }
        table = try Table([
            Column("a", first), Column("gappy", gappy),
            Column("constant", [Double](repeating: 1, count: count)),
            Column("c", codes: StridedValues(codes), levels: ["p", "q", "r", "s", "t"]),
        ])
        target = (0..<count).map { row in
            1000 * (first[row] + (gappy[row].isNaN ? 1 : gappy[row]) + Double(codes[row] % 2)) + 5000
        }
        classes = target.map { $0 > 6500 ? 2 : $0 > 5500 ? 1 : 0 }
    }

    private func model(_ target: [Double], _ objective: TrainingTask.Objective) throws
        -> any ExplainableEstimator
    {
        let task = try TrainingTask(
            features: table, rows: Array(0..<Int32(Self.count)), target: target, objective: objective, seed: 1
        )
        let model = try XGBoostEstimator(TestFit.spec()).fit(task, ExecutionContext())
        return try #require(model as? any ExplainableEstimator)
    }

    private func tasks() -> [(target: [Double], objective: TrainingTask.Objective)] {
        [
            (target, .regression), (target, .residual(regressor: target.map { $0 / 5000 - 1 })),
            (classes.map { min($0, 1) }, .classification(classes: 2)), (classes, .classification(classes: 3)),
        ]
    }

    @Test("contributions add up to the prediction, on the scale that they are on", arguments: 0..<4)
    func addUp(index: Int) throws {
        let (target, objective) = tasks()[index]
        let model = try model(target, objective)
        let context = ExecutionContext(threads: 2)
        let rows: [Int32] = [5, 0, 7, 299, 5]
        let result = try model.contributions(table, rows: rows, background: nil, context)
        let predicted = try model.predict(table, rows: rows, context)
        #expect(result.columnCount == 4 && result.outputCount == [1, 1, 1, 3][index])
        #expect(result.values.count == rows.count * result.outputCount * 5)
        #expect(result.scale == [.prediction, .prediction, .logOdds, .logProbability][index])
        for row in rows.indices {
            let scores = (0..<result.outputCount).map { output in
                result.values[
                    (row * result.outputCount + output) * 5..<(row * result.outputCount + output + 1) * 5
                ]
                .reduce(0, +)
            }
            let outputs = Array(predicted[row * model.outputCount..<(row + 1) * model.outputCount])
            let expected: [Double]
            switch result.scale {
            case .prediction: expected = scores
            case .logOdds: expected = [1 / (1 + exp(scores[0])), 1 / (1 + exp(-scores[0]))]
            case .logMean: expected = scores.map { exp($0) }
            case .logProbability:
                let total = scores.reduce(0) { $0 + exp($1) }
                expected = scores.map { exp($0) / total }
            }
            for (one, other) in zip(expected, outputs) {
                #expect(abs(one - other) <= 1e-5 * max(1, abs(other)))
            }
        }
        // A column that no tree can split on has no part in anything.
        #expect(result.values.enumerated().allSatisfy { $0.offset % 5 != 2 || $0.element == 0 })
    }

    @Test("importances are of the columns that matter, and survive a model file")
    func importances() throws {
        let fitted = try model(target, .regression)
        var reader = BinaryReader(TestFit.bytes(fitted)[...])
        let loaded = try #require(try XGBoostEstimator.decode(from: &reader) as? any ExplainableEstimator)
        for kind in ImportanceKind.allCases {
            let values = fitted.importances(kind)
            #expect(values.count == 4 && values[2] == 0 && values[0] > 0 && values[3] > 0)
            #expect(loaded.importances(kind) == values)
        }
        #expect(fitted.importances(.splits).allSatisfy { $0 == $0.rounded() })
        // A tree's root has the cover 1.
        #expect(fitted.importances(.cover).reduce(0, +) >= 20)
        let gains = fitted.importances(.gain)
        #expect(gains[0] > gains[1])
    }

    @Test("a target in other units has contributions and gains in other units")
    func units() throws {
        let small = try model(target.map { $0 / 1024 }, .regression)
        let large = try model(target, .regression)
        let context = ExecutionContext()
        let left = try small.contributions(table, rows: nil, background: nil, context).values
        let right = try large.contributions(table, rows: nil, background: nil, context).values
        #expect(zip(left, right).allSatisfy { abs($0 * 1024 - $1) < 1e-2 })
        #expect(
            zip(small.importances(.gain), large.importances(.gain)).allSatisfy {
                abs($0 * 1024 * 1024 - $1) <= 1e-3 * $1
            })
    }

    @Test("a model without trees explains its constant")
    func constant() throws {
        let flat = try model([Double](repeating: 3, count: Self.count), .regression)
        let result = try flat.contributions(table, rows: [1], background: nil, ExecutionContext())
        #expect(result.values == [0, 0, 0, 0, 3])
        #expect(flat.importances(.gain) == [0, 0, 0, 0])
    }

    @Test("a background, wrong columns and wrong rows are refused")
    func refusals() throws {
        let model = try model(target, .regression)
        let context = ExecutionContext()
        func kind(_ body: () throws -> Void) -> MetaLearnersError.Kind? { TestFit.error(body)?.kind }
        #expect(
            kind { _ = try model.contributions(table, rows: nil, background: table, context) } == .unsupported
        )
        #expect(
            kind { _ = try model.contributions(table, rows: [300], background: nil, context) }
                == .invalidArgument)
        let narrow = table.selecting(columns: [0, 1])
        #expect(
            kind { _ = try model.contributions(narrow, rows: nil, background: nil, context) }
                == .invalidArgument)
    }

    @Test("the values of its trees are those of XGBoost itself")
    func ownTrees() throws {
        let model = try model(target, .regression)
        let own = try model.contributions(table, rows: nil, background: nil, ExecutionContext())
        let formulas = try #require(model as? any FormulaProviding).formulas()
        let matrix = try CovariateMatrix(table)
        let engine = try FormulaShapley(
            formulas, columns: 4, method: nil, background: matrix, pairs: 1, seed: 0, ExecutionContext())
        #expect(engine.method == .pathDependent)
        let found = try engine.explain(matrix, ExecutionContext(threads: 2)).values
        let size = 1000.0  // About the standard deviation of the target.
        for row in 0..<Self.count {
            for column in 0..<4 {
                #expect(abs(found[4 * row + column] - own.values[5 * row + column]) < 1e-5 * size)
            }
            #expect(abs(engine.baseValues[0] - own.values[5 * row + 4]) < 1e-5 * size)
        }
    }
}
