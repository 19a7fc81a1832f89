import MetaLearnersKit
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// How often the 95 % interval of the average effect holds the truth, over seeded draws of laws.
struct CoverageStudy {
    /// A learner with its base learners.
    struct Configuration: Sendable {
        let name: String
        let spec: SpecValue

        /// What a spec that names no learner gets, and `dr` with base learners at their defaults. Average effects need no effect
        /// model: a constant one costs nothing.
        static let all = [
            Configuration(name: "auto", spec: ["learner": "auto"]),
            .dr("trees", "trees"), .dr("trees", "logistic"), .dr("ridge", "logistic"),
        ]

        private static func dr(_ outcome: String, _ propensity: String) -> Configuration {
            Configuration(
                name: "\(outcome), \(propensity)",
                spec: [
                    "learner": "dr",
                    "models": [
                        "outcome": ["backend": .string(outcome)], "propensity": ["backend": .string(propensity)],
                        "effect": ["backend": "constant"],
                    ],
                ])
        }
    }

    /// A population: one of Nie & Wager's setups, or another law.
    enum Population: Sendable {
        case setup(NieWagerSetup)
        case law(Law)

        init?(_ name: String) {
            if let setup = NieWagerSetup(rawValue: name) {
                self = .setup(setup)
            } else if let law = Law(rawValue: name) {
                self = .law(law)
            } else {
                return nil
            }
        }

        func draw(rows: Int, seed: UInt64) throws -> SyntheticDataset {
            switch self {
            case .setup(let setup): try SyntheticDataset.nieWager(setup, rows: rows, seed: seed)
            case .law(let law): try Cell.data(law, rows: rows, seed: seed)
            }
        }

        /// E[τ(X)]: the mean over two million draws of the covariates, whose error is a hundredth of an estimate's.
        func averageEffect() throws -> Double {
            var sum = 0.0
            for part in 0..<20 {
                let data = try draw(rows: 100_000, seed: UInt64(1_000_000 + part))
                sum += data.effects[0].reduce(0, +) / 100_000
            }
            return sum / 20
        }
    }

    var laws = ["a", "b", "c", "d", "rare", "overlap", "binary", "steps", "sparse"]
    var learners = Configuration.all.map(\.name)
    var rows = [500, 1000]
    var runs = 200
    /// The number of the first draw.
    var first = 0
    var threads: Int?

    func run() throws {
        let threads = ExecutionOptions(threads: threads).threadCount
        print("| law | rows | learner | true ATE | coverage of 95 % | bias | sd of estimates | mean std. error | root mean square error |")
        print("|---|---|---|---|---|---|---|---|---|")
        for name in laws {
            guard let law = Population(name) else {
                throw MetaLearnersError(.invalidArgument, at: "--laws", "has no '\(name)'")
            }
            let truth = try law.averageEffect()
            for rows in rows {
                for learner in learners {
                    guard let configuration = Configuration.all.first(where: { $0.name == learner }) else {
                        throw MetaLearnersError(
                            .invalidArgument, at: "--learners", "has no '\(learner)'",
                            remedy: "separate by semicolons: " + Configuration.all.map(\.name).joined(separator: "; "))
                    }
                    let effects = try study(law, configuration, rows: rows, threads: threads)
                    print("| \(name) | \(rows) | \(learner) | " + Self.cells(effects, truth) + " |")
                    fflush(nil)
                }
            }
        }
    }

    /// Fits the data sets, each of its own seed, side by side.
    private func study(_ law: Population, _ configuration: Configuration, rows: Int, threads: Int) throws
        -> [AverageEffect]
    {
        let fitter = try MetaLearnerFitter(MetaLearnerSpec(configuration.spec))
        let results = Mutex([Result<AverageEffect, any Error>?](repeating: nil, count: runs))
        ExecutionContext(threads: threads).concurrently(runs) { run in
            let result = Result {
                let data = try law.draw(rows: rows, seed: UInt64(10_000 + first + run))
                let model = try fitter.fit(data.dataset, ExecutionOptions(threads: 1))
                return try model.averageEffects(.ate)[0]
            }
            results.withLock { $0[run] = result }
        }
        return try results.withLock { $0 }.compactMap { try $0?.get() }
    }

    private static func cells(_ effects: [AverageEffect], _ truth: Double) -> String {
        let count = Double(effects.count)
        let errors = effects.map { $0.estimate - truth }
        let bias = errors.reduce(0, +) / count
        let variance = errors.reduce(0) { $0 + ($1 - bias) * ($1 - bias) } / (count - 1)
        let square = errors.reduce(0) { $0 + $1 * $1 } / count
        let covered = effects.count { $0.lower <= truth && truth <= $0.upper }
        return [
            rounded(truth, 4), rounded(100 * Double(covered) / count, 1) + " %", rounded(bias, 4),
            rounded(variance.squareRoot(), 4), rounded(effects.reduce(0) { $0 + $1.stdError } / count, 4),
            rounded(square.squareRoot(), 4),
        ].joined(separator: " | ")
    }

    private static func rounded(_ value: Double, _ digits: Int) -> String {
        let factor = pow(10, Double(digits))
        return "\((value * factor).rounded() / factor)"
    }
}
