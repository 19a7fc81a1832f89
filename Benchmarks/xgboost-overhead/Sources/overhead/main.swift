// Our layer against a bare C loop that calls the same library for the same fits: five folds, each learned from
// four fifths of the rows and predicted on the rest, by turns, in one process.
//
//     overhead ROWS COLUMNS TREES LEAVES THREADS REPEATS regression|binary
import BareLoop
import MetaLearnersKit

let arguments = CommandLine.arguments.dropFirst().compactMap { Int($0) }
let numbers = arguments.count == 6 ? arguments : [200_000, 20, 100, 31, 1, 3]
let (rows, columns, trees, leaves) = (numbers[0], numbers[1], numbers[2], numbers[3])
let (threads, repeats) = (numbers[4], numbers[5])
let isBinary = CommandLine.arguments.last == "binary"

var stream = RandomStream(seed: 1)
let values = (0..<rows * columns).map { _ -> Double in
    let sum = stream.uniform() + stream.uniform() + stream.uniform()
    return sum - 1.5
}
let target = (0..<rows).map { row -> Double in
    let signal = values[row] + values[rows + row] * values[2 * rows + row]
    let noisy = signal + stream.uniform() - 0.5
    return isBinary ? (noisy > 0 ? 1 : 0) : noisy
}
let memory = ColumnMemory(copying: values)
let features = try Table(
    (0..<columns).map { index in
        Column(
            "x\(index)",
            try StridedValues(memory, element: .float64, count: rows, offset: 8 * rows * index, stride: 8))
    })
struct Fold {
    var training: [Int32] = []
    var predicted: [Int32] = []
}
let folds = (0..<5).map { number -> Fold in
    var fold = Fold()
    for row in 0..<rows {
        if row % 5 == number { fold.predicted.append(Int32(row)) } else { fold.training.append(Int32(row)) }
    }
    return fold
}

let registry = EstimatorRegistry.default
guard let backend = registry.descriptions.first(where: { $0.name == "xgboost" }),
    backend.location != "not found", bare_open(backend.location) == 0
else { fatalError("XGBoost is not found") }

/// Fits all folds with the backend and returns the predictions, one per row.
func fitLayer() throws -> [Double] {
    var parameters = SpecObject([
        ("trees", .integer(trees)), ("max_leaves", .integer(leaves)), ("min_leaf_size", 20),
    ])
    if isBinary {
        parameters["min_leaf_size"] = 1
        parameters["min_child_weight"] = 5
    }
    let estimator = try registry.makeEstimator(EstimatorChoice("xgboost", parameters), at: .root)
    let context = ExecutionContext(threads: threads)
    let cache = FeatureCache()
    var predictions = [Double](repeating: 0, count: rows)
    for fold in folds {
        let task = try TrainingTask(
            features: features, rows: fold.training, target: target,
            objective: isBinary ? .classification(classes: 2) : .regression, cache: cache)
        let part = try estimator.fit(task, context).predict(features, rows: fold.predicted, context)
        for (index, row) in fold.predicted.enumerated() {
            predictions[Int(row)] = isBinary ? part[2 * index + 1] : part[index]
        }
    }
    return predictions
}

/// Does the same with the bare loop.
func fitBare() -> [Double] {
    var predictions = [Double](repeating: 0, count: rows)
    for fold in folds {
        var part = [Float](repeating: 0, count: fold.predicted.count)
        values.withUnsafeBufferPointer { values in
            target.withUnsafeBufferPointer { target in
                fold.training.withUnsafeBufferPointer { training in
                    fold.predicted.withUnsafeBufferPointer { predicted in
                        var task = bare_task(
                            features: values.baseAddress, target: target.baseAddress,
                            row_count: Int64(rows), column_count: Int64(columns),
                            training: training.baseAddress, training_count: Int64(training.count),
                            predicted: predicted.baseAddress, predicted_count: Int64(predicted.count),
                            rounds: Int32(trees), leaves: Int32(leaves), threads: Int32(threads),
                            binary: isBinary ? 1 : 0)
                        guard bare_fit(&task, &part) == 0 else { fatalError("the bare loop failed") }
                    }
                }
            }
        }
        for (index, row) in fold.predicted.enumerated() { predictions[Int(row)] = Double(part[index]) }
    }
    return predictions
}

func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }

func rootMeanSquare(_ left: [Double], _ right: [Double]) -> Double {
    (zip(left, right).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) } / Double(left.count)).squareRoot()
}

var layerTimes: [(processor: Double, wall: Double)] = []
var bareTimes: [(processor: Double, wall: Double)] = []
var layer: [Double] = []
var bare: [Double] = []
for _ in 0..<repeats {
    var start = (bare_processor_seconds(), bare_seconds())
    bare = fitBare()
    bareTimes.append((bare_processor_seconds() - start.0, bare_seconds() - start.1))
    start = (bare_processor_seconds(), bare_seconds())
    layer = try fitLayer()
    layerTimes.append((bare_processor_seconds() - start.0, bare_seconds() - start.1))
}
let processor = (layer: median(layerTimes.map(\.processor)), bare: median(bareTimes.map(\.processor)))
let wall = (layer: median(layerTimes.map(\.wall)), bare: median(bareTimes.map(\.wall)))
func percent(_ layer: Double, _ bare: Double) -> String {
    let tenths = ((layer / bare - 1) * 1000).rounded() / 10
    return "\(tenths) %"
}
func rounded(_ value: Double) -> Double { (value * 1000).rounded() / 1000 }

print("XGBoost \(backend.version), \(isBinary ? "binary" : "regression"),", terminator: " ")
print(
    "\(rows) x \(columns), \(trees) trees of \(leaves) leaves, 5 folds, \(threads) thread(s), median of \(repeats)"
)
print(
    "processor seconds: bare \(rounded(processor.bare)), layer \(rounded(processor.layer)),",
    percent(processor.layer, processor.bare))
print("seconds: bare \(rounded(wall.bare)), layer \(rounded(wall.layer)),", percent(wall.layer, wall.bare))
print("RMS difference of the predictions: \(rootMeanSquare(layer, bare))")
