import CausalAnalysis
import MetaLearnersCore
import Testing
import _TestSupport

/// Intervals of simulated trials whose true answers are known in closed form.
///
/// In the linear design τ is normal with mean 0.5 and variance σ² = 17/16, and the estimated effect is τ plus an independent normal error
/// of deviation 0.5, of variance s² = 21/16 altogether. So E[τ | first share q] = 0.5 + (σ²/s) φ(z_q)/q.
@Suite("Coverage of the intervals of heterogeneity, ranking and evaluation")
struct HeterogeneityCoverageTests {
    private static let draws = 300
    private static let variance = 17.0 / 16
    private static let total = 21.0 / 16
    /// φ(z)/q for the first fifth, q = 0.2.
    private static let fifth = 1.3998096
    /// ∫ φ(z_q)/q dq, the AUTOC of a perfect ranking of standard normal effects.
    private static let autoc = 0.9031973
    /// ∫ φ(z_q) dq = 1/(2√π), the QINI.
    private static let qini = 0.2820948

    /// An interval, where to find it, and what it should cover.
    private struct Interval {
        let analysis: any Analysis
        let table: String
        let row: Int
        let truth: Double

        init(_ analysis: any Analysis, _ table: String, _ row: Int, _ truth: Double) {
            self.analysis = analysis
            self.table = table
            self.row = row
            self.truth = truth
        }
    }

    private static var intervals: [Interval] {
        let slope = variance / total.squareRoot()
        var rate = RATEAnalysis()
        rate.replicates = 200
        var characteristics = CLANAnalysis()
        // Of x1, which effects are mostly made of, the interval covers 90 %: the groups' limits count as given.
        characteristics.columns = ["x3"]
        return [
            Interval(GATESAnalysis(), "groups", 4, 0.5 + slope * fifth),
            Interval(GATESAnalysis(), "differences", 0, 2 * slope * fifth),
            Interval(BestLinearProjectionAnalysis(), "coefficients", 0, 0.5),
            Interval(BestLinearProjectionAnalysis(), "coefficients", 1, 1),
            Interval(CalibrationTestAnalysis(), "calibration", 0, 1),
            Interval(CalibrationTestAnalysis(), "calibration", 1, variance / total),
            Interval(characteristics, "characteristics", 0, 0.25 * 2 * fifth / total.squareRoot()),
            Interval(rate, "rates", 0, slope * autoc), Interval(rate, "rates", 1, slope * qini),
            Interval(rate, "toc", 1, slope * fifth),
            Interval(UpliftSlicesAnalysis(), "slices", 1, 0.5 + slope * fifth),
            Interval(UpliftCurvesAnalysis(), "areas", 0, slope * qini),
            Interval(UpliftCurvesAnalysis(), "areas", 3, slope * qini),
            Interval(LossesAnalysis(), "losses", 0, 0.24 * (variance - 0.25)),
            Interval(LossesAnalysis(), "losses", 1, variance - 0.25),
            Interval(NuisanceMetricsAnalysis(), "metrics", 6, 1),
        ]
    }

    @Test("Intervals cover as often as they say")
    func intervals() throws {
        let intervals = Self.intervals
        var covered = [Int](repeating: 0, count: intervals.count)
        var bands = 0
        for seed in 0..<UInt64(Self.draws) {
            let study = try SimulatedStudy.study(rows: 500, seed: 5000 + seed)
            var results: [String: AnalysisResult] = [:]
            for (index, interval) in intervals.enumerated() {
                let name = type(of: interval.analysis).name
                let result = try results[name] ?? interval.analysis.run(study)
                results[name] = result
                let table = try #require(result.table(named: interval.table))
                let (low, high) = (table.numbers("lower")[interval.row], table.numbers("upper")[interval.row])
                covered[index] += low <= interval.truth && interval.truth <= high ? 1 : 0
            }
            bands += try Self.isWithinBand(#require(results["rate"]?.table(named: "toc"))) ? 1 : 0
        }
        for (interval, count) in zip(intervals, covered) {
            // Of 300 at 95 %, fewer than 271 or more than 297 come about once in a thousand.
            #expect(
                (271...297).contains(count),
                "\(type(of: interval.analysis).name), \(interval.table) \(interval.row): \(count)")
        }
        #expect((271...297).contains(bands), "band: \(bands)")
    }

    /// Whether the whole curve lies within the band, at the tenths below 1.
    private static func isWithinBand(_ table: ResultTable) -> Bool {
        // φ(z_q)/q for q = 0.1, 0.2, …, 0.9.
        let heights = [
            1.7549833, 1.3998096, 1.1589753, 0.9658560, 0.7978846, 0.6439040, 0.4967037, 0.3499524, 0.1949981,
        ]
        let lower = table.numbers("band_lower")
        let upper = table.numbers("band_upper")
        let slope = variance / total.squareRoot()
        return heights.indices.allSatisfy {
            lower[$0] <= slope * heights[$0] && slope * heights[$0] <= upper[$0]
        }
    }

    @Test("With clusters intervals cover too")
    func clusters() throws {
        var covered = [Int](repeating: 0, count: 4)
        for seed in 0..<UInt64(Self.draws) {
            let study = try SimulatedStudy.study(rows: 400, clusters: true, seed: 9000 + seed)
            let projection = try #require(
                try BestLinearProjectionAnalysis().run(study).table(named: "coefficients"))
            let calibration = try #require(
                try CalibrationTestAnalysis().run(study).table(named: "calibration"))
            var rate = RATEAnalysis()
            rate.replicates = 100
            let rates = try #require(try rate.run(study).table(named: "rates"))
            // τ = 1 + x₁/2 of variance 1/4, the estimated effect of 1/2.
            for (index, (table, row, truth)) in [
                (projection, 0, 1.0), (projection, 1, 0.5), (calibration, 1, 0.5),
                (rates, 1, 0.25 / 0.5.squareRoot() * Self.qini),
            ].enumerated() {
                covered[index] +=
                    table.numbers("lower")[row] <= truth && truth <= table.numbers("upper")[row] ? 1 : 0
            }
        }
        for count in covered { #expect((265...297).contains(count), "\(covered)") }
    }

    @Test("Where the effect is the same for everybody, tests reject about as often as they say")
    func size() throws {
        var rejected: [String: Int] = [:]
        for seed in 0..<UInt64(Self.draws) {
            let (data, given) = try SimulatedStudy.columns(rows: 400, seed: 20_000 + seed)
            let effects = data.effects[0]
            let outcome = data.outcome.indices.map { row in
                data.outcome[row] - (data.treatment.arms[row] == 1 ? effects[row] - 0.5 : 0)
            }
            let dataset = try CausalDataset(
                covariates: data.covariates, treatment: data.treatment, outcome: Outcome(outcome))
            let study = try CausalStudy(
                dataset,
                given: GivenColumns(
                    effects: given.effects, propensities: data.propensities,
                    armMeans: [data.armOutcomes[0], data.armOutcomes[0].map { $0 + 0.5 }]))
            var rate = RATEAnalysis()
            rate.replicates = 100
            let analyses: [(any Analysis, String, [Int])] = [
                (HomogeneityTestAnalysis(), "tests", [0, 1]), (GATESAnalysis(), "differences", [0]),
                (CalibrationTestAnalysis(), "calibration", [1]), (rate, "rates", [0, 1]),
            ]
            for (analysis, name, rows) in analyses {
                let table = try #require(try analysis.run(study).table(named: name))
                for row in rows where table.numbers("p_value")[row] < 0.05 {
                    rejected["\(name) \(row)", default: 0] += 1
                }
            }
        }
        // Of 300 at 5 %, more than 28 or fewer than 4 come about once in a thousand.
        for key in ["tests 0", "tests 1", "differences 0", "calibration 1", "rates 0", "rates 1"] {
            #expect((4...28).contains(rejected[key] ?? 0), "\(key): \(rejected)")
        }
    }

    @Test("The slope of calibration of true probabilities is 1")
    func slope() throws {
        var covered = 0
        for seed in 0..<UInt64(Self.draws) {
            let data = try SyntheticDataset.binary(rows: 400, seed: seed)
            let study = try CausalStudy(
                data.dataset,
                given: GivenColumns(propensities: data.propensities, armMeans: data.armOutcomes))
            let table = try #require(try NuisanceMetricsAnalysis().run(study).table(named: "metrics"))
            let row = try #require(table.column("metric").firstIndex(of: "calibration_slope"))
            covered += table.numbers("lower")[row] <= 1 && 1 <= table.numbers("upper")[row] ? 1 : 0
        }
        #expect((271...297).contains(covered), "\(covered)")
    }
}
