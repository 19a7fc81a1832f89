import Foundation
import MetaLearnersCore
import Testing
import TreeEstimators

/// Test errors beside those of scikit-learn (`Fixtures/make_forests.py`).
@Suite struct ForestAccuracyTests {
    private struct Fixture: Decodable {
        let columns: [[Double]]
        let training_rows: Int
        let regression: [Double]
        let multiclass: [Double]
        let losses: [String: Double]
    }

    private let fixture: Fixture
    private let table: Table

    init() throws {
        let url = try #require(
            Bundle.module.url(forResource: "forests", withExtension: "json", subdirectory: "Fixtures"))
        fixture = try JSONDecoder().decode(Fixture.self, from: Data(contentsOf: url))
        table = try numericTable(fixture.columns)
    }

    @Test(
        "test losses are those of scikit-learn, within 8 %",
        arguments: ["regression", "multiclass"], ["bagged", "extra_random"])
    func losses(kind: String, variant: String) throws {
        let isRegression = kind == "regression"
        let target = isRegression ? fixture.regression : fixture.multiclass
        let training = (0..<Int32(fixture.training_rows)).map { $0 }
        let others = (Int32(fixture.training_rows)..<Int32(table.rowCount)).map { $0 }
        var spec = ForestSpec()
        spec.trees = 100
        spec.rowSample = 1
        spec.ciGroupSize = 1
        spec.bootstrap = variant == "bagged"
        spec.extraRandom = variant == "extra_random"
        let task = try forestTask(
            table, target, rows: training, objective: isRegression ? .regression : .classification(classes: 3)
        )
        let forest = try fitForest(spec, task, threads: 2)
        let fitted = try predictions(forest, table, rows: others)
        let goal = others.map { target[Int($0)] }
        let loss =
            isRegression
            ? meanSquare(fitted, goal)
            : -goal.indices.reduce(0) { $0 + log(max(fitted[$1 * 3 + Int(goal[$1])], 1e-15)) }
                / Double(goal.count)
        let peer = try #require(fixture.losses["\(kind) \(variant)"])
        #expect(loss < peer * 1.08, "\(loss), scikit-learn \(peer)")
    }
}
