import MetaLearnersCore
import TreeEstimators

/// Random numbers for tests.
struct TestNumbers {
    private var stream: RandomStream

    init(_ seed: UInt64) { stream = RandomStream(seed: seed) }

    mutating func uniform(_ count: Int) -> [Double] { (0..<count).map { _ in stream.uniform() } }

    mutating func integers(_ count: Int, below bound: Int) -> [Double] {
        (0..<count).map { _ in Double(stream.integer(below: bound)) }
    }

    mutating func shuffled(_ count: Int) -> [Int] {
        var order = Array(0..<count)
        stream.shuffle(&order)
        return order
    }
}

/// The numeric columns `x0`, `x1`, …
func numericTable(_ columns: [[Double]]) throws -> Table {
    try Table(columns.enumerated().map { Column("x\($0)", $1) })
}

/// A spec that puts no limit on a tree of so many leaves but its gain, and does not shrink.
func plainSpec(trees: Int = 1, leaves: Int = 2, learningRate: Double = 1) -> TreesSpec {
    var spec = TreesSpec()
    spec.trees = .exactly(trees)
    spec.learningRate = learningRate
    spec.maxLeaves = .exactly(leaves)
    spec.minLeafSize = 1
    spec.l2 = 0
    return spec
}

/// Fits `spec` to all rows of a table.
func fitTrees(
    _ spec: TreesSpec, _ features: Table, _ target: [Double], weights: [Double]? = nil,
    clusters: [Int32]? = nil,
    rows: [Int32]? = nil, objective: TrainingTask.Objective = .regression, seed: UInt64 = 1, threads: Int = 1
) throws -> any FittedEstimator {
    let task = try TrainingTask(
        features: features, rows: rows ?? (0..<Int32(features.rowCount)).map { $0 }, target: target,
        weights: weights, clusters: clusters, objective: objective, seed: seed)
    return try TreesEstimator(spec).fit(task, ExecutionContext(threads: threads))
}

func predictions(_ model: any FittedEstimator, _ features: Table, rows: [Int32]? = nil) throws -> [Double] {
    try model.predict(features, rows: rows, ExecutionContext())
}

func encoded(_ model: any FittedEstimator) -> [UInt8] {
    var writer = BinaryWriter()
    model.encode(to: &writer)
    return writer.bytes
}

/// The largest difference between two lists.
func distance(_ left: [Double], _ right: [Double]) -> Double {
    left.count == right.count ? zip(left, right).map { abs($0 - $1) }.max() ?? 0 : .infinity
}

func meanSquare(_ left: [Double], _ right: [Double]) -> Double {
    zip(left, right).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) } / Double(max(left.count, 1))
}

func meanProduct(_ left: [Double], _ right: [Double]) -> Double {
    var sum = 0.0
    for (first, second) in zip(left, right) { sum += first * second }
    return sum / Double(max(left.count, 1))
}
