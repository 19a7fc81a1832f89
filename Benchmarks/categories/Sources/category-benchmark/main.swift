// Fits a backend, or a learner, to data with a category of many levels and prints what it took as a Markdown row.
//
//     category-benchmark fit BACKEND ROWS LEVELS
//     category-benchmark learner LEARNER ROWS LEVELS LAW [REPEATS]
//
// The law is that of penalties.py: three numbers; treatment with probability sigma(0.7 b0 + u); outcome b0 + 0.5 b1 + u +
// w (1 + 0.5 b2) + N(0, 1); u is 0 (`noise`) or an effect of the level, N(0, 0.7^2) (`informative`).

import MetaLearnersKit

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

struct Sample {
    var features: [Column] = []
    var arms: [Int32] = []
    var outcome: [Double] = []
    var effects: [Double] = []

    init(rows: Int, levels: Int, informative: Bool, seed: UInt64) {
        var stream = RandomStream(seed: seed)
        func normal() -> Double {
            (-2 * log(1 - stream.uniform())).squareRoot() * cos(2 * Double.pi * stream.uniform())
        }
        let numbers = (0..<3).map { _ in (0..<rows).map { _ in normal() } }
        let codes = (0..<rows).map { _ in Int32(stream.integer(below: levels)) }
        let effectOfLevel = (0..<levels).map { _ in informative ? 0.7 * normal() : 0 }
        for row in 0..<rows {
            let level = effectOfLevel[Int(codes[row])]
            let share = 1 / (1 + exp(-0.7 * numbers[0][row] - level))
            let treated = stream.uniform() < share
            let effect = 1 + 0.5 * numbers[2][row]
            arms.append(treated ? 1 : 0)
            effects.append(effect)
            outcome.append(
                numbers[0][row] + 0.5 * numbers[1][row] + level + (treated ? effect : 0) + normal())
        }
        features = numbers.enumerated().map { Column("b\($0)", $1) }
        if levels > 1 {
            features.append(
                Column("area", codes: StridedValues(codes), levels: (0..<levels).map { "L\($0)" }))
        }
    }
}

func peakMiB() -> Int {
    var usage = rusage()
    #if os(Linux)
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    #else
        getrusage(RUSAGE_SELF, &usage)
    #endif
    return Int(usage.ru_maxrss) / 1024
}

func rounded(_ value: Double) -> Double { (value * 1000).rounded() / 1000 }

let arguments = CommandLine.arguments
let rows = Int(arguments[3]) ?? 1000
let levels = Int(arguments[4]) ?? 100
let clock = ContinuousClock()
if arguments[1] == "fit" {
    let sample = Sample(rows: rows, levels: levels, informative: true, seed: 1)
    let table = try Table(sample.features)
    let isLogistic = arguments[2].hasPrefix("logistic")
    let task = try TrainingTask(
        features: table, rows: (0..<Int32(rows)).map { $0 },
        target: isLogistic ? sample.arms.map(Double.init) : sample.outcome,
        objective: isLogistic ? .classification(classes: 2) : .regression)
    let parts = arguments[2].split(separator: ":")
    var parameters = SpecObject()
    for part in parts.dropFirst() {
        let pair = part.split(separator: "=")
        parameters[String(pair[0])] =
            Double(pair[1]).map { .number($0) } ?? .string(String(pair[1]))
    }
    let estimator = try EstimatorRegistry.default.makeEstimator(
        EstimatorChoice(String(parts[0]), parameters), at: .root)
    let start = clock.now
    let model = try estimator.fit(task, ExecutionContext(threads: 2))
    let seconds = (clock.now - start) / .seconds(1)
    print(
        "| \(arguments[2]) | \(rows) | \(levels) | \(rounded(seconds)) | \(peakMiB()) | \(model.warnings) |")
} else {
    let repeats = arguments.count > 6 ? Int(arguments[6]) ?? 1 : 1
    var (squares, errors, deviations, seconds) = (0.0, 0.0, 0.0, 0.0)
    for seed in 1...repeats {
        let sample = Sample(
            rows: rows, levels: levels, informative: arguments[5] == "informative", seed: UInt64(seed))
        let dataset = try CausalDataset(
            covariates: Table(sample.features), treatment: Treatment(arms: sample.arms, labels: ["0", "1"]),
            outcome: Outcome(sample.outcome))
        let start = clock.now
        let spec = try MetaLearnerSpec(SpecValue(json: arguments[2].utf8, source: "learner"))
        let model = try MetaLearnerFitter(spec).fit(dataset, ExecutionOptions(threads: 2))
        let average = try model.averageEffects(.ate)[0]
        seconds += (clock.now - start) / .seconds(1)
        let truth = sample.effects.reduce(0, +) / Double(rows)
        squares += (average.estimate - truth) * (average.estimate - truth)
        deviations += average.stdError
        let sum = zip(model.trainingEffects[0], sample.effects).reduce(0) {
            $0 + ($1.0 - $1.1) * ($1.0 - $1.1)
        }
        errors += (sum / Double(rows)).squareRoot()
    }
    let n = Double(repeats)
    print(
        "| \(arguments[2]) | \(arguments[5]) | \(rows) | \(levels) | \(rounded(seconds / n)) | "
            + "\(rounded((squares / n).squareRoot())) | \(rounded(deviations / n)) | \(rounded(errors / n)) | \(peakMiB()) |"
    )
}
