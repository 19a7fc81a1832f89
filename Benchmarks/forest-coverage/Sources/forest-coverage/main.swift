// How often the 95 % intervals of forests cover the truth, over seeded data sets.
//
// Each run draws X uniform on [0, 1]^5 and Y = f(X) + σε, fits a forest and predicts 50 fixed points with their
// variances; an interval is prediction ± 1.96 · √variance.

import Foundation
import MetaLearnersKit
import TreeEstimators

struct Design {
    let name: String
    let noise: Double
    let truth: ([Double]) -> Double
}

struct Variant {
    let name: String
    var spec = ForestSpec()
    var isResidual = false
}

func normal(_ stream: inout RandomStream) -> Double {
    (-2 * log(1 - stream.uniform())).squareRoot() * cos(2 * .pi * stream.uniform())
}

let designs = [
    Design(name: "smooth: 2x₁ + sin(πx₂)", noise: 1) { 2 * $0[0] + sin(.pi * $0[1]) },
    Design(name: "step: 1{x₁ > ½} + x₂/2", noise: 1) { ($0[0] > 0.5 ? 1 : 0) + $0[1] / 2 },
    Design(name: "nothing: 0", noise: 1) { _ in 0 },
]

func variants(trees: Int) -> [Variant] {
    var plain = Variant(name: "honest: false, row_sample: 0.2")
    plain.spec.trees = trees
    plain.spec.columnSample = 1
    plain.spec.rowSample = 0.2
    var honest = Variant(name: "honest: true", spec: plain.spec)
    honest.spec.rowSample = 0.5
    honest.spec.honest = true
    var fine = Variant(name: "honest: true, min_leaf_size: 1", spec: honest.spec)
    fine.spec.minLeafSize = 1
    let residual = Variant(name: "honest: true, residual loss", spec: honest.spec, isResidual: true)
    return [plain, honest, fine, residual]
}

let columns = 5
let points = 50
let rows = CommandLine.arguments.count > 1 ? Int(CommandLine.arguments[1]) ?? 1000 : 1000
let runs = CommandLine.arguments.count > 2 ? Int(CommandLine.arguments[2]) ?? 100 : 100
let trees = CommandLine.arguments.count > 3 ? Int(CommandLine.arguments[3]) ?? 1000 : 1000

func draw(_ count: Int, _ stream: inout RandomStream) -> [[Double]] {
    (0..<columns).map { _ in (0..<count).map { _ in stream.uniform() } }
}

func table(_ values: [[Double]]) throws -> Table {
    try Table(values.enumerated().map { Column("x\($0 + 1)", $1) })
}

print("\(rows) rows, \(runs) runs, \(trees) trees, \(points) points in [0, 1]⁵, σ = 1")
print("| design | forest | coverage | mean bias² / mean variance | mean standard error | RMSE |")
print("|---|---|---|---|---|---|")
for design in designs {
    for variant in variants(trees: trees) {
        var fixed = RandomStream(seed: 77)
        let probe = draw(points, &fixed)
        let probeTable = try table(probe)
        let truth = (0..<points).map { point in design.truth(probe.map { $0[point] }) }
        var covered = 0
        var sums = [Double](repeating: 0, count: points)
        var squares = sums
        var standardErrors = 0.0
        for run in 0..<runs {
            var stream = RandomStream(seed: 1000 + UInt64(run))
            let x = draw(rows, &stream)
            let level = (0..<rows).map { row in design.truth(x.map { $0[row] }) }
            let regressor = (0..<rows).map { _ in stream.uniform() < 0.5 ? 0.5 : -0.5 }
            let target = (0..<rows).map { row in
                (variant.isResidual ? regressor[row] * level[row] : level[row]) + design.noise
                    * normal(&stream)
            }
            let task = try TrainingTask(
                features: try table(x), rows: (0..<Int32(rows)).map { $0 }, target: target,
                objective: variant.isResidual ? .residual(regressor: regressor) : .regression,
                seed: UInt64(run))
            let context = ExecutionContext(threads: 2)
            guard let forest = try ForestEstimator(variant.spec).fit(task, context) as? FittedForest else {
                continue
            }
            let predictions = try forest.predict(probeTable, rows: nil, context)
            let variances = try forest.predictVariance(probeTable, rows: nil, context)
            for point in 0..<points {
                let error = predictions[point] - truth[point]
                let standardError = variances[point].squareRoot()
                if abs(error) <= 1.96 * standardError { covered += 1 }
                sums[point] += error
                squares[point] += error * error
                standardErrors += standardError
            }
        }
        let count = Double(runs)
        var bias = 0.0
        var variance = 0.0
        for point in 0..<points {
            let mean = sums[point] / count
            bias += mean * mean
            variance += squares[point] / count - mean * mean
        }
        func short(_ value: Double) -> String { String(format: "%.3f", value) }
        print(
            "| \(design.name) | \(variant.name) | \(short(Double(covered) / count / Double(points))) | "
                + "\(short(bias / variance)) | \(short(standardErrors / count / Double(points))) | "
                + "\(short((squares.reduce(0, +) / count / Double(points)).squareRoot())) |")
    }
}
