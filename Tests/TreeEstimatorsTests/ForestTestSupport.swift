import MetaLearnersCore
import TreeEstimators

/// A task on all rows of a table, or on some.
func forestTask(
    _ features: Table, _ target: [Double], weights: [Double]? = nil, clusters: [Int32]? = nil,
    rows: [Int32]? = nil, objective: TrainingTask.Objective = .regression, seed: UInt64 = 1
) throws -> TrainingTask {
    try TrainingTask(
        features: features, rows: rows ?? (0..<Int32(features.rowCount)).map { $0 }, target: target,
        weights: weights, clusters: clusters, objective: objective, seed: seed)
}

func fitForest(_ spec: ForestSpec, _ task: TrainingTask, threads: Int = 1) throws -> FittedForest {
    guard
        let forest = try ForestEstimator(spec).fit(task, ExecutionContext(threads: threads)) as? FittedForest
    else { throw MetaLearnersError(.internalFault, "the estimator gave no forest") }
    return forest
}

/// A spec of so many trees, each grown from all rows as far as it goes.
func fullForest(trees: Int = 1, leafSize: Int = 1) -> ForestSpec {
    var spec = ForestSpec()
    spec.trees = trees
    spec.minLeafSize = leafSize
    spec.rowSample = 1
    spec.ciGroupSize = 1
    spec.columnSample = 1
    return spec
}

/// Friedman's (1991) function of uniform columns with noise, some columns beyond those it uses, and gaps.
func friedman(rows: Int, gaps: Bool = false, seed: UInt64) throws -> (table: Table, target: [Double]) {
    var numbers = TestNumbers(seed)
    var columns = (0..<6).map { _ in numbers.uniform(rows) }
    let noise = numbers.uniform(rows)
    let target = (0..<rows).map { row -> Double in
        let bump = columns[0][row] * columns[1][row] * 10
        let bowl = 20 * (columns[2][row] - 0.5) * (columns[2][row] - 0.5)
        return bump + bowl + 10 * columns[3][row] + 5 * columns[4][row] + 3 * noise[row]
    }
    if gaps { for row in stride(from: 0, to: rows, by: 7) { columns[3][row] = .nan } }
    return (try numericTable(columns), target)
}
