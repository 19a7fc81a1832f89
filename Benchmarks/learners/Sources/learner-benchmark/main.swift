// Fits a learner to float32 data in memory and prints seconds, errors and peak memory as one line of JSON.
//
//     learner-benchmark FOLDER SPEC.json THREADS [REPEATS]
//
// FOLDER holds x.f32 (rows × columns, by rows), w.f32, y.f32, tau.f32 and, of new rows, test_x.f32 and test_tau.f32.
// The time is from arrays in memory to a fitted model with the effects of its training rows.

import MetaLearnersKit

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

let arguments = CommandLine.arguments
let folder = arguments[1]
let spec = try MetaLearnerSpec(SpecValue(json: AtomicFile.read(arguments[2]), source: arguments[2]))
let options = ExecutionOptions(threads: Int(arguments[3]))
let repeats = arguments.count > 4 ? Int(arguments[4]) ?? 1 : 1

func load(_ name: String) throws -> ColumnMemory {
    ColumnMemory(copying: try AtomicFile.read("\(folder)/\(name).f32"))
}

func table(_ memory: ColumnMemory, rows: Int) throws -> Table {
    let columns = memory.bytes.count / 4 / rows
    return try Table(
        (0..<columns).map { column in
            Column(
                "x\(column)",
                try StridedValues(
                    memory, element: .float32, count: rows, offset: 4 * column, stride: 4 * columns))
        })
}

func doubles(_ memory: ColumnMemory) throws -> [Double] {
    try StridedValues(memory, element: .float32, count: memory.bytes.count / 4, stride: 4).doubles()
}

func error(_ estimate: [Double], _ truth: [Double]) -> Double {
    let squares = zip(estimate, truth).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
    return (squares / Double(truth.count)).squareRoot()
}

let features = try load("x")
let arms = try doubles(load("w")).map { Int32($0) }
let outcome = try doubles(load("y"))
let tau = try doubles(load("tau"))
let testTau = try doubles(load("test_tau"))
let test = try table(load("test_x"), rows: testTau.count)

for _ in 0..<repeats {
    let clock = ContinuousClock()
    let start = clock.now
    let dataset = try CausalDataset(
        covariates: table(features, rows: outcome.count),
        treatment: Treatment(arms: arms, labels: ["0", "1"]),
        outcome: Outcome(outcome))
    let model = try MetaLearnerFitter(spec).fit(dataset, options)
    let fitted = clock.now
    let predicted = try model.predict(test, options).effects[0]
    let done = clock.now
    var usage = rusage()
    #if os(Linux)
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    #else
        getrusage(RUSAGE_SELF, &usage)
    #endif
    // A spec may do without averages.
    let ate = (try? model.averageEffects(.ate))?.first
    let result: SpecValue = [
        "fit_seconds": .number((fitted - start) / .seconds(1)),
        "predict_seconds": .number((done - fitted) / .seconds(1)),
        "rmse_training": .number(error(model.trainingEffects[0], tau)),
        "rmse_test": .number(error(predicted, testTau)), "ate": ate.map { .number($0.estimate) } ?? .null,
        "peak_mib": .number(Double(usage.ru_maxrss) / 1024),
    ]
    print(result.json())
}
