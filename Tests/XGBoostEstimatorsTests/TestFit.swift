import MetaLearnersCore
import XGBoostEstimators
import _TestSupport

/// Data and fits for the tests of the backend.
struct TestFit {
    let features: Table
    let target: [Double]
    let labels: [Double]

    /// Draws so many rows of five columns.
    init(rows: Int, seed: UInt64 = 5) throws {
        var stream = RandomStream(seed: seed)
        let columns = (0..<5).map { _ in (0..<rows).map { _ in stream.normal() } }
        features = try Table(columns.enumerated().map { Column("x\($0)", $1) })
        target = (0..<rows).map { columns[0][$0] + columns[1][$0] * columns[2][$0] + 0.5 * stream.normal() }
        labels = target.map { $0 > 0 ? 1 : 0 }
    }

    /// A small spec, with no early stopping and no sampling.
    static func spec(trees: Int = 20) -> XGBoostSpec {
        var spec = XGBoostSpec()
        spec.trees = trees
        spec.learningRate = 0.3
        spec.minLeafSize = 5
        return spec
    }

    /// Fits to all rows, or to `rows`.
    func fit(
        _ spec: XGBoostSpec, target: [Double]? = nil, weights: [Double]? = nil, clusters: [Int32]? = nil,
        objective: TrainingTask.Objective = .regression, rows: [Int32]? = nil, features: Table? = nil,
        cache: FeatureCache = FeatureCache(), threads: Int = 1
    ) throws -> any FittedEstimator {
        let features = features ?? self.features
        let task = try TrainingTask(
            features: features, rows: rows ?? Array(0..<Int32(features.rowCount)),
            target: target ?? self.target, weights: weights, clusters: clusters, objective: objective,
            seed: 3, cache: cache)
        return try XGBoostEstimator(spec).fit(task, ExecutionContext(threads: threads))
    }

    /// Predictions of all rows.
    func predictions(_ model: any FittedEstimator, features: Table? = nil) throws -> [Double] {
        try model.predict(features ?? self.features, rows: nil, ExecutionContext())
    }

    /// What the model file would hold.
    static func bytes(_ model: any FittedEstimator) -> [UInt8] {
        var writer = BinaryWriter()
        model.encode(to: &writer)
        return writer.bytes
    }

    /// The error that `body` throws.
    static func error(_ body: () throws -> Void) -> MetaLearnersError? {
        do {
            try body()
            return nil
        } catch {
            return error as? MetaLearnersError
        }
    }
}
