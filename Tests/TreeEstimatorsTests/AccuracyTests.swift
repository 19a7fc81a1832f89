import Foundation
import MetaLearnersCore
import Testing
import TreeEstimators

/// Test losses beside those of XGBoost, LightGBM and scikit-learn (`Fixtures/make_accuracy.py`).
@Suite struct AccuracyTests {
    private struct Fixture: Decodable {
        struct Task: Decodable {
            let target: [Double]
            let losses: [String: Double]
        }

        let columns: [[Double?]]
        let training_rows: Int
        let tasks: [String: Task]
    }

    private let fixture: Fixture
    private let table: Table

    init() throws {
        let url = try #require(
            Bundle.module.url(forResource: "accuracy", withExtension: "json", subdirectory: "Fixtures"))
        fixture = try JSONDecoder().decode(Fixture.self, from: Data(contentsOf: url))
        table = try numericTable(fixture.columns.map { $0.map { $0 ?? .nan } })
    }

    @Test(
        "test losses are those of the best peer, within 5 %",
        arguments: [("regression", false), ("binary", false), ("multiclass", false), ("multiclass", true)])
    func losses(kind: String, multiOutput: Bool) throws {
        let task = try #require(fixture.tasks[kind])
        let training = (0..<Int32(fixture.training_rows)).map { $0 }
        let others = (Int32(fixture.training_rows)..<Int32(table.rowCount)).map { $0 }
        let classes = Int(task.target.max() ?? 0) + 1
        var spec = TreesSpec()
        spec.trees = 60
        spec.learningRate = 0.1
        spec.multiOutput = multiOutput
        let model = try fitTrees(
            spec, table, task.target, rows: training,
            objective: kind == "regression" ? .regression : .classification(classes: classes))
        let fitted = try predictions(model, table, rows: others)
        let goal = others.map { task.target[Int($0)] }
        let width = model.outputCount
        let loss: Double
        if kind == "regression" {
            loss = meanSquare(fitted, goal)
        } else {
            loss =
                -goal.indices.reduce(0) { $0 + log(fitted[$1 * width + Int(goal[$1])]) } / Double(goal.count)
        }
        let best = try #require(task.losses.values.min())
        #expect(loss < best * 1.05, "\(kind): \(loss), peers \(task.losses)")
    }
}
