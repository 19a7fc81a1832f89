import MetaLearnersCore

/// A base learner of our own, whole: it splits rows at the median of one column, the one that explains most, and
/// predicts the weighted mean of either side.
struct MedianSplit: BaseEstimator {
    struct Spec: BaseEstimatorSpec {
        var shrinkage = 0.0
        static let parameters: [Parameter<Spec>] = [
            .number("shrinkage", \.shrinkage, in: 0...1, "how far the sides move to the common mean")
        ]
    }

    static let backend = BackendDescription(
        name: "median_split", summary: "one split, at a column's median", version: "1",
        capabilities: [.regression, .weights])
    let spec: Spec

    init(_ spec: Spec) throws(MetaLearnersError) { self.spec = try spec.validated() }

    func fit(_ task: TrainingTask, _ context: ExecutionContext) throws(MetaLearnersError)
        -> any FittedEstimator
    {
        guard case .regression = task.objective, task.features.columns.allSatisfy({ $0.levels == nil }) else {
            throw MetaLearnersError(.unsupported, at: "median_split", "numbers and regressions only")
        }
        func mean(_ rows: [Int32]) -> Double {
            let weights = rows.map { task.weights?[Int($0)] ?? 1 }
            let sum = zip(rows, weights).reduce(0) { $0 + $1.1 * task.target[Int($1.0)] }
            return sum / max(weights.reduce(0, +), .leastNormalMagnitude)
        }
        let middle = mean(task.rows)
        var best = Split(
            columnCount: task.features.columns.count, column: 0, threshold: 0, means: [middle, middle])
        for (index, column) in task.features.columns.enumerated() {
            try context.checkCancellation()
            let values = column.values.doubles()
            let threshold = task.rows.map { values[Int($0)] }.sorted()[task.rows.count / 2]
            let sides = [
                task.rows.filter { values[Int($0)] < threshold },
                task.rows.filter { values[Int($0)] >= threshold },
            ]
            guard sides.allSatisfy({ !$0.isEmpty }) else { continue }
            let means = sides.map { spec.shrinkage * middle + (1 - spec.shrinkage) * mean($0) }
            if abs(means[1] - means[0]) > abs(best.means[1] - best.means[0]) {
                best = Split(columnCount: best.columnCount, column: index, threshold: threshold, means: means)
            }
        }
        return best
    }

    static func decode(from reader: inout BinaryReader) throws(MetaLearnersError) -> any FittedEstimator {
        let split = Split(
            columnCount: Int(try reader.read(UInt32.self)), column: Int(try reader.read(UInt32.self)),
            threshold: try reader.readDouble(), means: try reader.readDoubles())
        guard split.means.count == 2, split.column < max(split.columnCount, 1) else {
            throw BinaryReader.corrupt("a split makes no sense")
        }
        return split
    }

    struct Split: FittedEstimator {
        let columnCount: Int
        let column: Int
        let threshold: Double
        let means: [Double]
        var backendName: String { MedianSplit.backend.name }
        var outputCount: Int { 1 }

        func predict(_ features: Table, rows: [Int32]?, _ context: ExecutionContext) throws(MetaLearnersError)
            -> [Double]
        {
            try requireColumns(columnCount, in: features)
            guard columnCount > 0 else {
                return (0..<(rows?.count ?? features.rowCount)).map { _ in means[0] }
            }
            let values = features.columns[column].values
            return (rows.map(values.doubles) ?? values.doubles()).map { means[$0 < threshold ? 0 : 1] }
        }

        func encode(to writer: inout BinaryWriter) {
            writer.write(UInt32(columnCount))
            writer.write(UInt32(column))
            writer.write(threshold)
            writer.write(means)
        }
    }
}
