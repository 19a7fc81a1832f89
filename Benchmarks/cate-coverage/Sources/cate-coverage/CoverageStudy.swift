import MetaLearnersKit
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// How often the 95 % intervals of the effects of single rows hold the true effect, over seeded data sets.
@main
struct CoverageStudy {
    /// What one data set gave at each of the points.
    struct Run {
        let isCovered: [Bool]
        let errors: [Double]
        let halfWidths: [Double]
    }

    /// How many points are predicted: the same for every data set of a generator.
    static let pointCount = 100

    static func main() throws {
        if CommandLine.arguments.contains("bands") { return try bands() }
        let runs = Int(text("--runs") ?? "") ?? 400
        let rows = Int(text("--rows") ?? "") ?? 1000
        let samples = Int(text("--samples") ?? "") ?? 200
        let threads = ExecutionOptions(threads: text("--threads").flatMap { Int($0) }).threadCount
        print("n = \(rows), \(samples) resamples, 5 folds, \(pointCount) points\n")
        for generator in Generator.allCases { print("- \(generator.rawValue): \(generator.formula)") }
        print(
            """

            | data | learner | interval | data sets | coverage of 95 % | by point | bias / sd | half width / (1.96 sd) |
            |---|---|---|---|---|---|---|---|
            """)
        for configuration in Configuration.all
        where text("--only").map({ configuration.name.contains($0) }) ?? true {
            let count = max(1, Int((Double(runs) * configuration.share).rounded()))
            let results = try study(
                configuration, runs: count, rows: rows, samples: samples, threads: threads)
            print(row(configuration.name, results))
            fflush(nil)
        }
    }

    /// The study of bands by half-sampling and of individual intervals.
    private static func bands() throws {
        func list(_ name: String) -> [String]? { text(name)?.split(separator: ",").map(String.init) }
        var study = BandStudy()
        if let laws = list("--laws") { study.laws = laws }
        if let learners = list("--learners") { study.learners = learners }
        if let rows = list("--rows") { study.rows = rows.compactMap { Int($0) } }
        if let runs = text("--runs").flatMap({ Int($0) }) { study.runs = runs }
        if let first = text("--first").flatMap({ Int($0) }) { study.first = first }
        if let samples = text("--samples").flatMap({ Int($0) }) { study.samples = samples }
        study.threads = text("--threads").flatMap { Int($0) }
        try study.run()
    }

    /// Fits that many data sets, each of its own seed, side by side.
    static func study(_ configuration: Configuration, runs: Int, rows: Int, samples: Int, threads: Int) throws
        -> [Run]
    {
        let fitter = try MetaLearnerFitter(configuration.spec(samples: samples))
        let points = try configuration.generator.draw(rows: pointCount, seed: 1)
        let truth = points.effects[0]
        let results = Mutex([Result<Run, any Error>?](repeating: nil, count: runs))
        ExecutionContext(threads: threads).concurrently(runs) { run in
            let result = Result {
                let data = try configuration.generator.draw(rows: rows, seed: UInt64(20_000 + run))
                let model = try fitter.fit(data.dataset, ExecutionOptions(threads: 1))
                let columns = try model.predict(
                    PredictionRequest(.intervals), for: .new(points.covariates),
                    ExecutionOptions(threads: 1)
                ).columns
                return Run(
                    isCovered: truth.indices.map {
                        columns[1][$0] <= truth[$0] && truth[$0] <= columns[2][$0]
                    },
                    errors: zip(columns[0], truth).map { $0 - $1 },
                    halfWidths: zip(columns[1], columns[2]).map { ($1 - $0) / 2 })
            }
            results.withLock { $0[run] = result }
        }
        return try results.withLock { $0 }.compactMap { try $0?.get() }
    }

    /// A row of the table. Bias, spread and width are taken at each point over the data sets, then over the points: the
    /// median of the ratios.
    static func row(_ name: String, _ runs: [Run]) -> String {
        let count = Double(runs.count)
        var shares: [Double] = []
        var biases: [Double] = []
        var widths: [Double] = []
        for point in 0..<pointCount {
            let errors = runs.map { $0.errors[point] }
            let bias = errors.reduce(0, +) / count
            let spread = (errors.reduce(0) { $0 + ($1 - bias) * ($1 - bias) } / max(count - 1, 1))
                .squareRoot()
            shares.append(runs.reduce(0) { $0 + ($1.isCovered[point] ? 1 : 0) } / count)
            biases.append(abs(bias) / spread)
            widths.append(runs.reduce(0) { $0 + $1.halfWidths[point] } / count / (1.96 * spread))
        }
        shares.sort()
        let coverage = shares.reduce(0, +) / Double(pointCount)
        let cells = [
            name, "\(runs.count)", percent(coverage) + " %",
            "\(percent(shares[pointCount / 20])) to \(percent(shares[pointCount - 1 - pointCount / 20]))",
            rounded(median(biases), 2), rounded(median(widths), 2),
        ]
        return "| " + cells.joined(separator: " | ") + " |"
    }

    private static func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }

    private static func percent(_ share: Double) -> String { rounded(100 * share, 1) }

    private static func rounded(_ value: Double, _ digits: Int) -> String {
        let factor = pow(10, Double(digits))
        return "\((value * factor).rounded() / factor)"
    }

    private static func text(_ name: String) -> String? {
        let arguments = CommandLine.arguments
        guard let position = arguments.firstIndex(of: name), position + 1 < arguments.count else {
            return nil
        }
        return arguments[position + 1]
    }
}
