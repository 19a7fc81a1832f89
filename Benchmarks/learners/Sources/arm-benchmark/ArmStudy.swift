import MetaLearnersKit

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The error of the effects of four arms, beside that of each arm and the control alone on the very same rows.
///
///     arm-benchmark [RUNS] [ROWS]
///
/// ROWS is the number of rows an arm has on average. RMSE on 2,000 new rows, over arms and runs.
@main
struct ArmStudy {
    /// A law of four arms: covariates standard normal.
    enum Law: String, CaseIterable {
        case linear = "μ₀ = x₁ + x₂²/2, τ_k = k(½ + x₁/2) − x₂/2, e_k ∝ exp(k x₂/4)"
        case curved = "μ₀ = max(x₁ + x₂, x₃, 0), τ_k = (x₁ + log(1 + exp x₂)) k/2, e_k ∝ exp(k x₂/4)"

        func control(_ x: [Double]) -> Double {
            switch self {
            case .linear: x[0] + x[1] * x[1] / 2
            case .curved: max(x[0] + x[1], x[2], 0)
            }
        }

        func effect(_ x: [Double], of arm: Int) -> Double {
            let k = Double(arm)
            return switch self {
            case _ where arm == 0: 0
            case .linear: k * (0.5 + x[0] / 2) - x[1] / 2
            case .curved: (x[0] + log1p(exp(x[1]))) * k / 2
            }
        }
    }

    static let learners: [(name: String, spec: SpecValue)] = [
        ("r, joint", ["learner": "r", "multi_arm": "joint"]), ("r, pairwise", ["learner": "r"]),
        ("dr", ["learner": "dr"]),
    ]
    static let effects: [(name: String, spec: SpecValue)] = [
        ("trees", ["backend": "trees"]),
        ("trees, 8 leaves", ["backend": "trees", "trees": 100, "max_leaves": 8, "learning_rate": 0.05]),
    ]

    static func main() throws {
        let runs = CommandLine.arguments.dropFirst(1).first.flatMap { Int($0) } ?? 20
        let rows = CommandLine.arguments.dropFirst(2).first.flatMap { Int($0) } ?? 500
        for law in Law.allCases { print("- \(law): \(law.rawValue)") }
        print(
            """

            | law | learner | effect model | RMSE, four arms | RMSE, an arm and the control | ratio |
            |---|---|---|---|---|---|
            """)
        for law in Law.allCases {
            for learner in learners {
                for effect in effects {
                    var spec = learner.spec.objectValue ?? SpecObject()
                    spec["models"] = ["effect": effect.spec]
                    let ratio = try compare(law, MetaLearnerSpec(.object(spec)), runs: runs, rows: rows)
                    let cells = [
                        "\(law)", learner.name, effect.name, rounded(ratio.all), rounded(ratio.pairs),
                        rounded(ratio.all / ratio.pairs),
                    ]
                    print("| " + cells.joined(separator: " | ") + " |")
                    fflush(nil)
                }
            }
        }
    }

    /// The errors of one fit of all arms, and of one fit each of an arm and the control.
    static func compare(_ law: Law, _ spec: MetaLearnerSpec, runs: Int, rows: Int) throws -> (
        all: Double, pairs: Double
    ) {
        let fitter = try MetaLearnerFitter(spec)
        var all = 0.0
        var pairs = 0.0
        for run in 0..<runs {
            let test = draw(law, rows: 2000, seed: UInt64(900_000 + run))
            let train = draw(law, rows: 4 * rows, seed: UInt64(run))
            let everyRow = Array(train.arms.indices)
            let together = try fitter.fit(dataset(train, everyRow)).predict(table(test.x)).effects
            for arm in 1..<4 {
                let truth = test.x.map { law.effect($0, of: arm) }
                all += squares(together[arm - 1], truth)
                let own = everyRow.filter { [0, arm].contains(Int(train.arms[$0])) }
                let pair = try fitter.fit(dataset(train, own, against: arm)).predict(table(test.x))
                pairs += squares(pair.effects[0], truth)
            }
        }
        let count = Double(3 * runs)
        return ((all / count).squareRoot(), (pairs / count).squareRoot())
    }

    private static func draw(_ law: Law, rows: Int, seed: UInt64) -> (
        x: [[Double]], arms: [Int32], outcome: [Double]
    ) {
        var stream = RandomStream(seed: seed, path: 0x4152_4D53)
        let x = (0..<rows).map { _ in (0..<5).map { _ in stream.normal() } }
        let arms = x.map { row in
            let odds = (0..<4).map { exp(Double($0) * row[1] / 4) }
            return Int32(stream.index(of: odds.map { $0 / odds.reduce(0, +) }))
        }
        let outcome = zip(x, arms).map { row, arm in
            law.control(row) + law.effect(row, of: Int(arm)) + stream.normal()
        }
        return (x, arms, outcome)
    }

    private static func table(_ x: [[Double]]) throws -> Table {
        try Table((0..<5).map { column in Column("x\(column + 1)", x.map { $0[column] }) })
    }

    private static func dataset(
        _ data: (x: [[Double]], arms: [Int32], outcome: [Double]), _ rows: [Int], against arm: Int? = nil
    ) throws -> CausalDataset {
        try CausalDataset(
            covariates: table(rows.map { data.x[$0] }),
            treatment: Treatment(
                arms: rows.map { arm != nil && data.arms[$0] != 0 ? 1 : data.arms[$0] },
                labels: (0..<(arm == nil ? 4 : 2)).map { "\($0)" }),
            outcome: Outcome(rows.map { data.outcome[$0] }))
    }

    private static func squares(_ estimate: [Double], _ truth: [Double]) -> Double {
        zip(estimate, truth).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) } / Double(truth.count)
    }

    private static func rounded(_ value: Double) -> String { "\((value * 1000).rounded() / 1000)" }
}
