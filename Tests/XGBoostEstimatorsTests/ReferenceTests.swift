import MetaLearnersCore
import Testing
import XGBoostEstimators
import _TestSupport

/// Predictions of XGBoost's Python package, made by Fixtures/make_xgboost_reference.py.
@Suite("XGBoost agrees with its Python package", .enabled(if: XGBoostEstimator.isAvailable))
struct ReferenceTests {
    static let names = [
        "default", "weights", "categories", "one_hot", "depth", "penalties", "step", "bins", "binary",
        "several",
        "residual",
    ]

    @Test("the same parameters give the same predictions", arguments: names)
    func agrees(name: String) throws {
        let fixture = try Fixture("xgboost_reference")
        let item = try #require(fixture.part("cases").parts().first { try $0.text("name") == name })
        let flag = { (key: String) throws in try? item.part(key).value == .boolean(true) }
        var columns = try fixture.lists("columns").enumerated().map { Column("x\($0)", $1) }
        if try flag("categorical") == true {
            let codes = try fixture.numbers("group").map { $0.isNaN ? -1 : Int32($0) }
            columns.append(Column("group", codes: StridedValues(codes), levels: ["a", "b", "c", "d", "e"]))
        }
        let features = try Table(columns)
        let objective: TrainingTask.Objective =
            switch try item.text("objective") {
            case "binary": .classification(classes: 2)
            case "several": .classification(classes: 3)
            case "residual": .residual(regressor: try fixture.numbers("regressor"))
            default: .regression
            }
        let task = try TrainingTask(
            features: features, rows: Array(0..<Int32(features.rowCount)),
            target: fixture.numbers(item.text("target")),
            weights: flag("weighted") == true ? fixture.numbers("weights") : nil, objective: objective)
        var spec = try XGBoostSpec(item.part("parameters").value)
        spec.trees = Int(try fixture.number("rounds"))
        let model = try XGBoostEstimator(spec).fit(task, ExecutionContext())
        var predicted = try model.predict(features, rows: nil, ExecutionContext())
        if case .classification(2) = objective {
            predicted = predicted.enumerated().filter { $0.offset % 2 == 1 }.map(\.element)
        }
        #expect(Approximate.largestDifference(predicted, try item.numbers("expected")) < 1e-5)
    }
}
