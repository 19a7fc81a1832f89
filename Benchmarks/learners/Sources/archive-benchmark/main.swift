// Size of model files and the time to load one, as rows of a table.
//
//     archive-benchmark [ROWS]
//
// A T-learner of two arms on ROWS × 10 numbers (5,000 by default), each outcome model 100 trees of 31 leaves, the
// propensity logistic; medians of 50 loads from a file in the page cache.

import MetaLearnersKit

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

let rows = CommandLine.arguments.dropFirst().first.flatMap { Int($0) } ?? 5000
var stream = RandomStream(seed: 1)
let columns = (0..<10).map { _ in (0..<rows).map { _ in stream.uniform() } }
let arms = (0..<rows).map { _ in Int32(stream.uniform() < 0.5 ? 1 : 0) }
let outcome = (0..<rows).map { row -> Double in
    let baseline = columns[0][row] * columns[1][row]
    let effect = arms[row] == 1 ? columns[2][row] : 0
    return baseline + effect + stream.uniform()
}
let dataset = try CausalDataset(
    covariates: Table(columns.enumerated().map { Column("x\($0)", $1) }),
    treatment: Treatment(arms: arms, labels: ["0", "1"]), outcome: Outcome(outcome))

let temporaryFile = "/tmp/archive-benchmark-\(getpid()).model"

func seconds(_ work: () throws -> Void) rethrows -> Double {
    let clock = ContinuousClock()
    let (seconds, attoseconds) = try clock.measure(work).components
    return Double(seconds) + Double(attoseconds) * 1e-18
}

print("| T-learner, \(rows) rows | models of 100 trees | training rows kept | file | load | save |")
print("|---|---|---|---|---|---|")
for (folds, keeps) in [(1, false), (1, true), (5, false), (5, true)] {
    let spec: SpecValue = [
        "learner": "t", "keep_training": .boolean(keeps), "cross_fitting": ["folds": .integer(folds)],
        "models": [
            "outcome": ["backend": "trees", "trees": 100, "max_leaves": 31, "early_stopping": 0],
            "propensity": ["backend": "logistic"], "effect": ["backend": "ridge"],
        ],
    ]
    let model = try MetaLearnerFitter(MetaLearnerSpec(spec)).fit(dataset)
    let path = temporaryFile
    defer { unlink(path) }
    var loads: [Double] = []
    var saves: [Double] = []
    for _ in 0..<50 {
        saves.append(try seconds { try model.save(to: path) })
        loads.append(try seconds { _ = try CATEModel(contentsOf: path) })
    }
    let size = try AtomicFile.read(path).count
    func milliseconds(_ times: [Double]) -> Double {
        (times.sorted()[times.count / 2] * 1e5).rounded() / 100
    }
    print(
        "| \(folds == 1 ? "1 fold" : "5 folds and all rows") | \(folds == 1 ? 2 : 12) | "
            + "\(keeps ? "yes" : "no") | \(Double(size / 1000) / 1000) MB | \(milliseconds(loads)) ms | "
            + "\(milliseconds(saves)) ms |")
}
