import MetaLearnersKit
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// How often the bands by half-sampling hold the effects of fresh rows, and how often individual intervals hold the rows' own
/// effects: `cate-coverage bands`.
struct BandStudy {
    /// A population: a law of `accuracy many-rows`, or one of Nie & Wager's setups.
    enum Population {
        case law(ManyRowsLaw)
        case setup(NieWagerSetup)

        init?(_ name: String) {
            if let law = ManyRowsLaw(rawValue: name) {
                self = .law(law)
            } else if let setup = NieWagerSetup(rawValue: name) {
                self = .setup(setup)
            } else {
                return nil
            }
        }

        func draw(rows: Int, seed: UInt64) throws -> ManyRowsLaw.Draw {
            switch self {
            case .law(let law): return try law.draw(rows: rows, seed: seed)
            case .setup(let setup):
                let data = try SyntheticDataset.nieWager(setup, rows: rows, seed: seed)
                return ManyRowsLaw.Draw(dataset: data.dataset, effects: data.effects[0])
            }
        }
    }

    /// What one data set gave: means over fresh rows.
    struct Run {
        let bands: Double
        let bandWidth: Double
        let squaredError: Double
        /// Where the noise of the two outcomes is independent, and where one is the other's opposite.
        let individual: [Double]
        /// The median of the half widths, and the share of rows without ends.
        let individualWidth: Double
        let unbounded: Double
    }

    var laws = ["a", "b", "c", "d"] + ManyRowsLaw.allCases.map(\.rawValue)
    var learners = ["auto"]
    var rows = [1000]
    var runs = 20
    var first = 0
    var samples = 40
    var freshRows = 1000
    var threads: Int?

    func run() throws {
        print(
            """
            \(samples) halves, 95 %, \(freshRows) fresh rows

            | law | rows | learner | data sets | bands hold | half width / RMSE | individual intervals hold, noise independent | noise opposite | their half width, median | without ends |
            |---|---|---|---|---|---|---|---|---|---|
            """)
        for name in laws {
            guard let population = Population(name) else { throw StudyError("there is no law '\(name)'") }
            for rows in rows {
                for learner in learners { try report(name, population, rows, learner) }
            }
        }
    }

    private func report(_ name: String, _ population: Population, _ rows: Int, _ learner: String) throws {
        let fitter = try MetaLearnerFitter(
            MetaLearnerSpec([
                "learner": .string(learner),
                "intervals": ["method": "half_sampling", "samples": .integer(samples)],
            ]))
        let options = ExecutionOptions(threads: threads)
        var results: [Run] = []
        for run in first..<first + runs {
            let data = try population.draw(rows: rows, seed: UInt64(30_000 + run))
            let fresh = try population.draw(rows: freshRows, seed: UInt64(40_000 + run))
            let model = try fitter.fit(data.dataset, options)
            func columns(_ output: PredictionRequest.Output) throws -> [[Double]] {
                try model.predict(
                    PredictionRequest(output), for: .new(fresh.dataset.covariates), options
                ).columns
            }
            results.append(
                measure(
                    fresh.effects, try columns(.intervals), try columns(.individualIntervals),
                    seed: UInt64(run)))
        }
        func mean(_ value: (Run) -> Double) -> Double {
            results.reduce(0) { $0 + value($1) } / Double(max(results.count, 1))
        }
        let error = mean(\.squaredError).squareRoot()
        let cells = [
            name, "\(rows)", learner, "\(runs)", percent(mean(\.bands)),
            rounded(mean(\.bandWidth) / max(error, 1e-9)), percent(mean { $0.individual[0] }),
            percent(mean { $0.individual[1] }), rounded(mean(\.individualWidth)), percent(mean(\.unbounded)),
        ]
        print("| " + cells.joined(separator: " | ") + " |")
        fflush(nil)
    }

    private func measure(_ effects: [Double], _ band: [[Double]], _ individual: [[Double]], seed: UInt64)
        -> Run
    {
        var stream = RandomStream(seed: seed, path: 0x4954_4500)
        let count = Double(effects.count)
        var held = 0.0
        var width = 0.0
        var squares = 0.0
        var own = [0.0, 0.0]
        let widths = zip(individual[1], individual[2]).map { ($1 - $0) / 2 }.sorted()
        for (row, effect) in effects.enumerated() {
            if band[1][row] <= effect, effect <= band[2][row] { held += 1 }
            width += (band[2][row] - band[1][row]) / 2
            squares += (band[0][row] - effect) * (band[0][row] - effect)
            let noise = (stream.normal(), stream.normal())
            for (index, difference) in [noise.0 - noise.1, 2 * noise.0].enumerated() {
                let ofRow = effect + difference
                if individual[1][row] <= ofRow, ofRow <= individual[2][row] { own[index] += 1 }
            }
        }
        return Run(
            bands: held / count, bandWidth: width / count, squaredError: squares / count,
            individual: own.map { $0 / count }, individualWidth: widths[widths.count / 2],
            unbounded: Double(widths.count { !$0.isFinite }) / count)
    }

    private func percent(_ share: Double) -> String { "\((share * 1000).rounded() / 10) %" }

    private func rounded(_ value: Double) -> String { "\((value * 100).rounded() / 100)" }
}

/// A study cannot be run as asked.
struct StudyError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
