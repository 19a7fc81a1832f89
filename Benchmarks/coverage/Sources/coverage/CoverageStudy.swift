import MetaLearnersKit
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// How often the 95 % interval of the average effect holds the truth, over seeded runs of Nie & Wager's setups.
@main
struct CoverageStudy {
    /// A learner with its base learners.
    struct Configuration {
        let name: String
        var learner = "dr"
        let models: SpecValue
    }

    /// What became of the runs of one cell.
    struct Tally {
        var covered = 0
        var errors: [Double] = []
        var standardErrors: [Double] = []
    }

    static let configurations = [
        // What a spec that names no learner gets; it has base learners of its own.
        Configuration(name: "auto", learner: "auto", models: .null),
        Configuration(name: "trees, trees", models: models("trees", "trees")),
        Configuration(name: "trees, logistic", models: models("trees", "logistic")),
        Configuration(name: "ridge, logistic", models: models("ridge", "logistic")),
    ]

    /// Base learners with their defaults. Average effects need no effect model: a constant one costs nothing.
    private static func models(_ outcome: String, _ propensity: String) -> SpecValue {
        [
            "outcome": ["backend": .string(outcome)], "propensity": ["backend": .string(propensity)],
            "effect": ["backend": "constant"],
        ]
    }

    static func main() throws {
        let runs = argument("--runs") ?? 500
        let rows = argument("--rows") ?? 1000
        let threads = ExecutionOptions(threads: argument("--threads")).threadCount
        print("\(runs) runs, n = \(rows), p = 6, σ = 1, learner dr (auto where it says so), 5 folds\n")
        print(
            "| outcome, propensity | setup | true ATE | coverage of 95 % | bias | sd of estimates | mean std. error |"
        )
        print("|---|---|---|---|---|---|---|")
        var configurations = Self.configurations
        if let name = text("--only") { configurations = configurations.filter { $0.name == name } }
        if let models = text("--models") {
            configurations = [
                Configuration(name: "given", models: try SpecValue(json: models.utf8, source: "--models"))
            ]
        }
        for configuration in configurations {
            let spec = try MetaLearnerSpec([
                "learner": .string(configuration.learner), "models": configuration.models,
            ])
            for setup in NieWagerSetup.allCases where text("--setup").map({ $0 == setup.rawValue }) ?? true {
                let tally = try study(
                    setup, MetaLearnerFitter(spec), runs: runs, rows: rows, threads: threads)
                print(row(configuration.name, setup, tally, runs))
                fflush(nil)
            }
        }
    }

    /// Fits `runs` data sets, each of its own seed, side by side.
    static func study(_ setup: NieWagerSetup, _ fitter: MetaLearnerFitter, runs: Int, rows: Int, threads: Int)
        throws
        -> Tally
    {
        let truth = averageEffect(of: setup)
        let results = Mutex([Result<AverageEffect, any Error>?](repeating: nil, count: runs))
        ExecutionContext(threads: threads).concurrently(runs) { run in
            let result = Result {
                let data = try SyntheticDataset.nieWager(setup, rows: rows, seed: UInt64(10_000 + run))
                let model = try fitter.fit(data.dataset, ExecutionOptions(threads: 1))
                return try model.averageEffects(.ate)[0]
            }
            results.withLock { $0[run] = result }
        }
        var tally = Tally()
        for result in results.withLock({ $0 }) {
            guard let effect = try result?.get() else { continue }
            tally.covered += effect.lower <= truth && truth <= effect.upper ? 1 : 0
            tally.errors.append(effect.estimate - truth)
            tally.standardErrors.append(effect.stdError)
        }
        return tally
    }

    /// E[τ(X)]: in closed form, but for setup B, where E[log(1 + exp Z)] of a standard normal Z is integrated.
    static func averageEffect(of setup: NieWagerSetup) -> Double {
        switch setup {
        case .a: return 0.5
        case .b:
            let step = 1e-3
            return stride(from: -10.0, through: 10, by: step).reduce(0) { sum, z in
                sum + log1p(exp(z)) * exp(-z * z / 2) / (2 * .pi).squareRoot() * step
            }
        case .c: return 1
        case .d: return (3.0.squareRoot() - 2.0.squareRoot()) / (2 * .pi).squareRoot()
        }
    }

    private static func row(_ name: String, _ setup: NieWagerSetup, _ tally: Tally, _ runs: Int) -> String {
        let count = Double(tally.errors.count)
        let bias = tally.errors.reduce(0, +) / count
        let variance = tally.errors.reduce(0) { $0 + ($1 - bias) * ($1 - bias) } / (count - 1)
        let standardError = tally.standardErrors.reduce(0, +) / count
        let cells = [
            name, setup.rawValue.uppercased(), rounded(averageEffect(of: setup), 4),
            rounded(100 * Double(tally.covered) / Double(runs), 1) + " %", rounded(bias, 4),
            rounded(variance.squareRoot(), 4), rounded(standardError, 4),
        ]
        return "| " + cells.joined(separator: " | ") + " |"
    }

    private static func rounded(_ value: Double, _ digits: Int) -> String {
        let factor = pow(10, Double(digits))
        return "\((value * factor).rounded() / factor)"
    }

    private static func argument(_ name: String) -> Int? { text(name).flatMap { Int($0) } }

    private static func text(_ name: String) -> String? {
        let arguments = CommandLine.arguments
        guard let position = arguments.firstIndex(of: name), position + 1 < arguments.count else {
            return nil
        }
        return arguments[position + 1]
    }
}
