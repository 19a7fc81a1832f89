import MetaLearnersCore
import Testing
import TreeEstimators
import _TestSupport

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Test losses beside those of XGBoost, LightGBM and scikit-learn (`Fixtures/make_objectives.py`).
@Suite struct ObjectiveAccuracyTests {
    private let fixture: Fixture
    private let table: Table
    private let training: Int
    private let weights: [Double]

    init() throws {
        fixture = try Fixture("objectives")
        table = try numericTable(try fixture.lists("columns"))
        training = Int(try fixture.number("training_rows"))
        weights = try fixture.numbers("weights")
    }

    /// The mean loss on the rows held back, and the losses of the peers.
    private func losses(
        _ name: String, _ objective: TrainingTask.Objective, _ spec: TreesSpec, isWeighted: Bool = false,
        _ loss: (_ target: Double, _ fitted: Double) -> Double
    ) throws -> (own: Double, peers: [Double]) {
        let task = try fixture.part("tasks").part(name)
        let target = try task.numbers("target")
        var spec = spec
        spec.trees = 60
        spec.learningRate = 0.1
        let model = try fitTrees(
            spec, table, target, weights: isWeighted ? weights : nil, rows: (0..<Int32(training)).map { $0 },
            objective: objective)
        let others = (Int32(training)..<Int32(table.rowCount)).map { $0 }
        let fitted = try predictions(model, table, rows: others)
        let width = model.outputCount
        var sum = 0.0
        var total = 0.0
        for (position, row) in others.enumerated() {
            let weight = isWeighted ? weights[Int(row)] : 1
            sum += weight * loss(target[Int(row)], fitted[position * width + width - 1])
            total += weight
        }
        let peers = try task.part("losses")
        return (
            sum / total,
            [
                try peers.number("xgboost"), try peers.number("lightgbm"),
                try peers.number("scikit-learn"),
            ]
        )
    }

    @Test("with directions, test losses are those of the best peer, within 2 %", arguments: [false, true])
    func monotone(isBinary: Bool) throws {
        var spec = TreesSpec()
        spec.monotone = ["x0": .increasing, "x1": .decreasing]
        let (own, peers) =
            isBinary
            ? try losses("monotone binary", .classification(classes: 2), spec) { -log($0 == 1 ? $1 : 1 - $1) }
            : try losses("monotone", .regression, spec) { ($0 - $1) * ($0 - $1) }
        let best = try #require(peers.min())
        #expect(own < best * 1.02, "\(own), peers \(peers)")
    }

    @Test(
        "the Poisson deviance of new counts is that of the best peer, within 2 %", arguments: [false, true])
    func counts(isWeighted: Bool) throws {
        let (own, peers) = try losses(
            isWeighted ? "weighted count" : "count", .count, TreesSpec(), isWeighted: isWeighted
        ) { target, mean in 2 * ((target > 0 ? target * log(target / mean) : 0) - target + mean) }
        let best = try #require(peers.min())
        #expect(own < best * 1.02, "\(own), peers \(peers)")
    }

    @Test("the pinball loss on new rows is that of the best peer, within 4 %", arguments: [0.1, 0.5, 0.9])
    func quantiles(level: Double) throws {
        let (own, peers) = try losses("quantile \(level)", .quantile(level: level), TreesSpec()) {
            max(level * ($0 - $1), (level - 1) * ($0 - $1))
        }
        let best = try #require(peers.min())
        #expect(own < best * 1.04, "\(own), peers \(peers)")
    }
}
