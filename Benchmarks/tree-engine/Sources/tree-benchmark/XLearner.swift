import Foundation
import MetaLearnersKit

/// Fits an X-learner to made rows and prints time and memory as one line of JSON.
///
/// Covariates are float32, row-major, as a caller would hand them over; half of them have few levels. Without folds (key
/// `folds`) nothing is held out, as in the packages it stands beside.
func fitXLearner() throws {
    var settings: [String: Int] = [:]
    for argument in CommandLine.arguments.dropFirst(2) {
        let parts = argument.split(separator: "=", maxSplits: 1).map(String.init)
        if parts.count == 2, let value = Int(parts[1]) { settings[parts[0]] = value }
    }
    let rows = settings["rows"] ?? 8_000_000
    let columns = settings["columns"] ?? 78
    let threads = settings["threads"] ?? 2
    let trees = settings["trees"] ?? 100
    let covariates = UnsafeMutableBufferPointer<Float>.allocate(capacity: rows * columns)
    let outcome = UnsafeMutableBufferPointer<Float>.allocate(capacity: rows)
    let treatment = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: rows)
    defer {
        covariates.deallocate()
        outcome.deallocate()
        treatment.deallocate()
    }
    var random = RandomStream(seed: 1)
    for row in 0..<rows {
        let first = row * columns
        for column in 0..<columns {
            // Sums of uniforms are near enough to normal.
            let value = random.uniform() + random.uniform() + random.uniform() - 1.5
            covariates[first + column] = Float(column < columns / 2 ? 2 * value : (8 * value).rounded() / 4)
        }
        let treated = random.uniform() < 1 / (1 + exp(-Double(covariates[first]) / 2))
        treatment[row] = treated ? 1 : 0
        let mean = sin(Double(covariates[first] * covariates[first + 1])) + Double(covariates[first + 3])
        let effect = treated ? 0.5 + Double(covariates[first + 2]) / 2 : 0
        outcome[row] = Float(mean + effect + 2 * (random.uniform() - 0.5))
    }
    var list: [Column] = []
    let memory = ColumnMemory(borrowing: UnsafeRawBufferPointer(covariates))
    for column in 0..<columns {
        list.append(
            Column(
                "x\(column)",
                try StridedValues(
                    memory, element: .float32, count: rows, offset: 4 * column, stride: 4 * columns)))
    }
    list.append(
        Column(
            "w",
            try StridedValues(
                ColumnMemory(borrowing: UnsafeRawBufferPointer(treatment)), element: .uint8, count: rows,
                stride: 1)))
    list.append(
        Column(
            "y",
            try StridedValues(
                ColumnMemory(borrowing: UnsafeRawBufferPointer(outcome)), element: .float32, count: rows,
                stride: 4)))
    let model: SpecValue = .object(
        SpecObject([
            ("backend", .string("trees")), ("trees", .integer(trees)), ("max_leaves", .integer(31)),
            ("learning_rate", .number(0.1)),
        ]))
    let object = SpecObject([
        (
            "data",
            .object(
                SpecObject([
                    ("treatment", .string("w")), ("outcome", .string("y")),
                ]))
        ),
        ("learner", .string("x")),
        (
            "models",
            .object(SpecObject([("outcome", model), ("propensity", model), ("effect", model)]))
        ),
        ("cross_fitting", .object(SpecObject([("folds", .integer(settings["folds"] ?? 1))]))),
    ])
    resetPeakMemory()
    let before = recentPeakMemory()
    let cpu = userSeconds()
    let start = seconds()
    let spec = try MetaLearnerSpec(.object(object))
    let dataset = try CausalDataset(Table(list, rowCount: rows), spec.data)
    let fitted = try MetaLearnerFitter(spec).fit(dataset, ExecutionOptions(threads: threads))
    print(
        "{\"rows\": \(rows), \"seconds\": \(seconds() - start), \"user_seconds\": \(userSeconds() - cpu), "
            + "\"peak_memory_bytes\": \(recentPeakMemory()), \"memory_before_fit\": \(before), "
            + "\"warnings\": \(fitted.warnings.count)}")
}
