import MetaLearnersCore

/// Small data sets to fit, drawn from a seed.
struct SampleTask {
    var columns: [Column]
    var rows: [Int32]
    var target: [Double]
    var weights: [Double]?
    var objective = TrainingTask.Objective.regression

    /// Numbers of different scale, one of them at times missing, and two categories, one at times missing.
    init(rows count: Int, seed: UInt64, classes: Int? = nil) throws {
        var stream = RandomStream(seed: seed)
        func centred() -> Double { 2 * stream.uniform() - 1 }
        let first = (0..<count).map { _ in centred() }
        let second = (0..<count).map { _ in 300 + 40 * centred() }
        let third = (0..<count).map { _ in stream.uniform() < 0.2 ? Double.nan : centred() }
        let level = (0..<count).map { _ in stream.integer(below: 3) }
        let shade = (0..<count).map { _ in stream.uniform() < 0.15 ? nil : stream.integer(below: 4) }
        columns = [
            Column("first", first), Column("second", second), Column("third", third),
            Column("level", categories: level.map { "level \($0)" }),
            Column("shade", categories: shade.map { $0.map { "shade \($0)" } }),
        ]
        rows = (0..<count).map { Int32($0) }
        target = (0..<count).map { row in
            let signal =
                first[row] + (second[row] - 300) / 40 + (third[row].isNaN ? 0.4 : third[row])
                + 0.5 * Double(level[row])
            let noisy = signal + centred()
            guard let classes else { return noisy }
            return Double(min(max(Int(((noisy + 2) / 4 * Double(classes)).rounded(.down)), 0), classes - 1))
        }
        if let classes { objective = .classification(classes: classes) }
    }

    /// The task.
    func task() throws -> TrainingTask {
        try TrainingTask(
            features: table(), rows: rows, target: target, weights: weights, objective: objective)
    }

    /// The features.
    func table() throws -> Table { try Table(columns) }

    /// The same data with the named rows in this order.
    func selecting(_ order: [Int32]) -> SampleTask {
        var sample = self
        sample.columns = columns.map { $0.selecting(order) }
        sample.rows = order.indices.map { Int32($0) }
        sample.target = order.map { target[Int($0)] }
        sample.weights = weights.map { weights in order.map { weights[Int($0)] } }
        if case .residual(let regressor) = objective {
            sample.objective = .residual(regressor: order.map { regressor[Int($0)] })
        }
        return sample
    }
}

extension BaseEstimator {
    /// Fits `sample` and predicts every row of `features`.
    func predictions(_ sample: SampleTask, of features: Table) throws -> [Double] {
        try fit(sample.task(), ExecutionContext()).predict(features, rows: nil, ExecutionContext())
    }
}

/// The largest difference between numbers that belong together.
func largestDifference(_ left: [Double], _ right: [Double]) -> Double {
    guard left.count == right.count else { return .infinity }
    return zip(left, right).map { abs($0 - $1) }.reduce(0) { $1.isNaN ? .infinity : max($0, $1) }
}
