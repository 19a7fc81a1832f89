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

        /// What a spec that names no learner gets, and `dr` with nuisances by default and by base learners of three kinds. Average
        /// effects need no effect model: a constant one costs nothing.
        static let all = [
            Configuration(name: "auto", spec: ["learner": "auto"]),
            Configuration(name: "dr", spec: ["learner": "dr", "models": ["effect": ["backend": "constant"]]]),
            .dr("trees", "trees"), .dr("trees", "logistic"), .dr("ridge", "logistic"),
        ]

        /// One of these by its name, or a spec of its own, in JSON.
        init(named name: String) throws {
            if let known = Self.all.first(where: { $0.name == name }) {
                self = known
            } else if name.first == "{" {
                self.init(name: name, spec: try SpecValue(json: name.utf8, source: "--learners"))
            } else {
                throw MetaLearnersError(
                    .invalidArgument, at: "--learners", "has no '\(name)'",
                    remedy: "separate by semicolons: " + Self.all.map(\.name).joined(separator: "; ")
                        + "; or a spec in JSON")
            }
        }

        private init(name: String, spec: SpecValue) {
            self.name = name
            self.spec = spec
        }

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

    /// A population: one of Nie & Wager's setups, a law of `accuracy run`, or one of this study alone.
    enum Population: Sendable {
        case setup(NieWagerSetup)
        case law(Law)
        case coverage(CoverageLaw)

        init?(_ name: String) {
            if let setup = NieWagerSetup(rawValue: name) {
                self = .setup(setup)
            } else if let law = Law(rawValue: name) {
                self = .law(law)
            } else if let law = CoverageLaw(rawValue: name) {
                self = .coverage(law)
            } else {
                return nil
            }
        }

        func draw(rows: Int, seed: UInt64) throws -> SyntheticDataset {
            switch self {
            case .setup(let setup): try SyntheticDataset.nieWager(setup, rows: rows, seed: seed)
            case .law(let law): try Cell.data(law, rows: rows, seed: seed)
            case .coverage(let law): try law.draw(rows: rows, seed: seed)
            }
        }

        /// E[τ(X)] of each arm: the mean over two million draws of the covariates, whose error is a hundredth of an estimate's.
        func averageEffects() throws -> [Double] {
            var sums: [Double] = []
            for part in 0..<20 {
                let effects = try draw(rows: 100_000, seed: UInt64(1_000_000 + part)).effects
                let means = effects.map { $0.reduce(0, +) / 100_000 }
                sums = sums.isEmpty ? means : zip(sums, means).map { $0 + $1 }
            }
            return sums.map { $0 / 20 }
        }
    }

    var laws =
        ["a", "b", "c", "d", "rare", "overlap", "binary", "steps", "sparse"] + CoverageLaw.allCases.map(\.rawValue)
    var learners = Configuration.all.map(\.name)
    var rows = [500, 1000]
    var runs = 200
    /// The number of the first draw.
    var first = 0
    var threads: Int?

    func run() throws {
        let threads = ExecutionOptions(threads: threads).threadCount
        print(
            "| law | rows | learner | data sets | warned | true ATE | coverage of 95 % | bias | sd of estimates | mean std. error | root mean square error |"
        )
        print("|---|---|---|---|---|---|---|---|---|---|---|")
        for name in laws {
            guard let law = Population(name) else {
                throw MetaLearnersError(.invalidArgument, at: "--laws", "has no '\(name)'")
            }
            let truths = try law.averageEffects()
            for rows in rows {
                for learner in learners {
                    let configuration = try Configuration(named: learner)
                    let fits = try study(law, configuration, rows: rows, threads: threads)
                    for (arm, truth) in truths.enumerated() {
                        let label = truths.count == 1 ? name : "\(name), arm \(arm + 1)"
                        print(
                            "| \(label) | \(rows) | \(learner) | \(fits.count) | \(fits.count { $0.isWarned }) | "
                                + Self.cells(fits.map { $0.effects[arm] }, truth) + " |")
                    }
                    fflush(nil)
                }
            }
        }
    }

    /// The average effects of one data set, and whether the model warned of anything.
    private struct Fit: Sendable {
        let effects: [AverageEffect]
        let isWarned: Bool
    }

    /// Fits the data sets, each of its own seed, side by side. Those that are refused, because an arm has too few rows, are left out.
    private func study(_ law: Population, _ configuration: Configuration, rows: Int, threads: Int) throws
        -> [Fit]
    {
        let fitter = try MetaLearnerFitter(MetaLearnerSpec(configuration.spec))
        let results = Mutex([Fit?](repeating: nil, count: runs))
        ExecutionContext(threads: threads).concurrently(runs) { run in
            guard let data = try? law.draw(rows: rows, seed: UInt64(10_000 + first + run)),
                let model = try? fitter.fit(data.dataset, ExecutionOptions(threads: 1)),
                let effects = try? model.averageEffects(.ate)
            else { return }
            results.withLock { $0[run] = Fit(effects: effects, isWarned: !model.warnings.isEmpty) }
        }
        return results.withLock { $0 }.compactMap(\.self)
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
