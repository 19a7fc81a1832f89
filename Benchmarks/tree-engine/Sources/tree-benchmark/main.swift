// Fits the backend `trees` to the binary files that compare.py writes, and prints what it took as one line of JSON.
//
//     tree-benchmark DIRECTORY key=value …
//     tree-benchmark x-learner rows=… columns=… threads=… trees=…
//
// The second fits an X-learner to rows that it makes itself.
//
// Keys: columns, objective (regression, binary, count, median), monotone (numbers of columns with which predictions
// rise, separated by commas), threads, weights (0 or 1), categorical (0 or 1), repeats,
// and any parameter of the backend. The files are X.f32 (rows × columns, row-major), y.f32, w.f32 and T.f32, the
// rows to predict; predictions go to p.f64.

import Dispatch
import Foundation
import MetaLearnersKit

func seconds() -> Double { Double(DispatchTime.now().uptimeNanoseconds) * 1e-9 }

/// User time of all threads so far, which other programs on the machine disturb less than wall time.
func userSeconds() -> Double {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    return Double(usage.ru_utime.tv_sec) + Double(usage.ru_utime.tv_usec) * 1e-6
}

/// Lets the peak of memory start from what is in use now (Linux).
func resetPeakMemory() {
    guard let file = FileHandle(forWritingAtPath: "/proc/self/clear_refs") else { return }
    try? file.write(contentsOf: Data("5".utf8))
    try? file.close()
}

/// The peak of memory since then.
func recentPeakMemory() -> Int {
    let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
    let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
    return (line?.split(separator: " ").compactMap { Int($0) }.first ?? 0) * 1024
}

func floats(_ path: String) throws -> [Float] {
    try Data(contentsOf: URL(filePath: path)).withUnsafeBytes { Array($0.bindMemory(to: Float.self)) }
}

func table(_ values: [Float], columns: Int, levels: Int?) throws -> Table {
    let rows = values.count / columns
    let memory = ColumnMemory(copying: values)
    return try Table(
        (0..<columns).map { column in
            let strided = try StridedValues(
                memory, element: .float32, count: rows, offset: 4 * column, stride: 4 * columns)
            guard let levels else { return Column("x\(column)", strided) }
            return Column("x\(column)", codes: strided, levels: (0..<levels).map { "\($0)" })
        })
}

func run() throws {
    let directory = CommandLine.arguments.dropFirst().first ?? "."
    var settings: [String: String] = [:]
    for argument in CommandLine.arguments.dropFirst(2) {
        let parts = argument.split(separator: "=", maxSplits: 1).map(String.init)
        if parts.count == 2 { settings[parts[0]] = parts[1] }
    }
    func take(_ key: String, _ standard: Int) -> Int {
        settings.removeValue(forKey: key).flatMap { Int($0) } ?? standard
    }
    let columns = take("columns", 20)
    let threads = take("threads", 2)
    let usesWeights = take("weights", 0) == 1
    let levels = take("levels", 0)
    let repeats = take("repeats", 1)
    let objective: TrainingTask.Objective =
        switch settings.removeValue(forKey: "objective") {
        case "binary": .classification(classes: 2)
        case "count": .count
        case "median": .quantile(level: 0.5)
        default: .regression
        }
    let directions = settings.removeValue(forKey: "monotone")?.split(separator: ",").map {
        ("x\($0)", SpecValue.string("increasing"))
    }
    var parameters = SpecObject(
        settings.map { key, value in
            (key, Int(value).map { .integer($0) } ?? Double(value).map { .number($0) } ?? .string(value))
        })
    if let directions { parameters["monotone"] = .object(SpecObject(directions)) }
    let estimator = try EstimatorRegistry.default.makeEstimator(
        EstimatorChoice("trees", parameters), at: .root)
    let features = try table(
        floats(directory + "/X.f32"), columns: columns, levels: levels > 0 ? levels : nil)
    let target = try floats(directory + "/y.f32").map { Double($0) }
    let weights = usesWeights ? try floats(directory + "/w.f32").map { Double($0) } : nil
    let tests = try table(floats(directory + "/T.f32"), columns: columns, levels: levels > 0 ? levels : nil)
    let rows = (0..<Int32(features.rowCount)).map { $0 }
    let context = ExecutionContext(threads: threads)
    resetPeakMemory()
    let before = recentPeakMemory()
    for _ in 0..<repeats {
        let task = try TrainingTask(
            features: features, rows: rows, target: target, weights: weights,
            objective: objective, seed: 1)
        let cpu = userSeconds()
        let start = seconds()
        let model = try estimator.fit(task, context)
        let fitted = seconds()
        let fitCPU = userSeconds() - cpu
        let predictStart = seconds()
        let predictions = try model.predict(tests, rows: nil, context)
        let predicted = seconds()
        _ = try model.predict(tests, rows: nil, context)
        let predictedAgain = seconds()
        try predictions.withUnsafeBytes { try Data($0).write(to: URL(filePath: directory + "/p.f64")) }
        var writer = BinaryWriter()
        model.encode(to: &writer)
        print(
            "{\"fit\": \(fitted - start), \"fit_cpu\": \(fitCPU), \"predict\": \(predicted - predictStart), \"predict_again\": \(predictedAgain - predicted), \"model_bytes\": \(writer.bytes.count), "
                + "\"peak_memory_bytes\": \(recentPeakMemory()), \"memory_before_fit\": \(before)}")
    }
}

do {
    if CommandLine.arguments.dropFirst().first == "x-learner" { try fitXLearner() } else { try run() }
} catch {
    FileHandle.standardError.write(Data("\(error)\n".utf8))
    exit(1)
}
