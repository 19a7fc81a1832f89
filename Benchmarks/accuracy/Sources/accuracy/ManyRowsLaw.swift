import MetaLearnersKit

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// How the data of `accuracy many-rows` come about.
enum ManyRowsLaw: String, CaseIterable, Sendable {
    /// Curves and one product.
    case smooth
    /// The product of two steep curves.
    case curves
    /// Effects and outcomes that jump.
    case steps
    /// Products of two covariates.
    case pairs
    /// Products of three covariates.
    case triples
    /// 50 columns, 46 of which are noise.
    case sparse
    /// 150 columns that correlate.
    case wide
    /// A category of 300 levels, each with an effect of its own.
    case categories
    /// One row in thirty is treated.
    case rare
    /// No effect, and confounding.
    case null

    /// Rows to learn from, or fresh rows with their effects.
    struct Draw {
        let dataset: CausalDataset
        let effects: [Double]
    }

    /// How many levels the category has.
    static let levels = 300

    /// How many columns of numbers there are.
    private var columnCount: Int {
        switch self {
        case .smooth: 20
        case .sparse: 50
        case .wide: 150
        case .categories: 6
        default: 10
        }
    }

    /// Draws rows.
    func draw(rows: Int, seed: UInt64) throws -> Draw {
        var stream = RandomStream(seed: seed, path: 0x4D41_4E59)
        var columns = [[Double]](repeating: [], count: columnCount)
        for column in columns.indices { columns[column].reserveCapacity(rows) }
        var levels: [Int32] = []
        var arms: [Int32] = []
        var outcome: [Double] = []
        var effects: [Double] = []
        var x = [Double](repeating: 0, count: columnCount)
        for _ in 0..<rows {
            for column in x.indices {
                switch self {
                case .curves, .triples: x[column] = 2 * stream.uniform() - 1
                case .wide where column > 0:
                    x[column] = 0.5 * x[column - 1] + 0.75.squareRoot() * stream.normal()
                default: x[column] = stream.normal()
                }
                columns[column].append(x[column])
            }
            let level = self == .categories ? stream.integer(below: Self.levels) : 0
            let effect = effect(x, level)
            let arm: Int32 = stream.bernoulli(propensity(x, level)) ? 1 : 0
            levels.append(Int32(level))
            effects.append(effect)
            arms.append(arm)
            outcome.append(control(x, level) + (arm == 1 ? effect : 0) + stream.normal())
        }
        var covariates = columns.enumerated().map { Column("x\($0 + 1)", $1) }
        if self == .categories {
            covariates.append(
                Column(
                    "level", codes: StridedValues(levels), levels: (0..<Self.levels).map { "level \($0)" }))
        }
        return Draw(
            dataset: try CausalDataset(
                covariates: Table(covariates), treatment: Treatment(arms: arms, labels: ["0", "1"]),
                outcome: Outcome(outcome)),
            effects: effects)
    }

    /// P(W = 1 | X = x).
    private func propensity(_ x: [Double], _ level: Int) -> Double {
        switch self {
        case .smooth: Self.logistic(0.6 * x[0] - 0.5 * x[1] * x[1] + 0.4)
        case .curves, .triples: Self.logistic(1.2 * x[0] - x[3])
        case .steps: x[0] > 0 ? 0.65 : 0.35
        case .pairs: Self.logistic(0.5 * x[0] * x[1] + 0.4 * x[2])
        case .sparse, .wide: Self.logistic(0.6 * x[0] - 0.6 * x[3])
        case .categories: Self.logistic(0.7 * Self.score(level, 1) + 0.4 * x[0])
        case .rare: Self.logistic(-3.7 + 0.7 * x[0])
        case .null: Self.logistic(0.7 * x[0] - 0.5 * x[1] * x[1] + 0.5)
        }
    }

    /// E[Y | W = 0, X = x].
    private func control(_ x: [Double], _ level: Int) -> Double {
        switch self {
        case .smooth: 2 * sin(x[0]) + x[1] + x[2] * x[2] / 2 + x[3] * x[4] / 2
        case .curves: 2 * x[0] + exp(x[3]) - x[1] * x[4]
        case .steps: (x[0] > 0 ? 1 : 0) + (x[2] > 0.5 ? 2 : 0) - (x[3] > 0 && x[4] > 0 ? 1.5 : 0)
        case .pairs: x[0] + x[1] * x[2] + abs(x[3])
        case .triples: 3 * x[0] * x[1] * x[2] + x[3]
        case .sparse, .wide: x[0] + x[3] * x[3] / 2 + max(x[5], 0)
        case .categories: 1.5 * Self.score(level, 2) + x[0] + sin(2 * x[1])
        case .rare: x[0] + sin(2 * x[1]) + x[2] * x[3] / 2
        case .null: x[0] + x[1] * x[1] / 2 + max(x[2] + x[3], 0) + x[4] * x[5] / 2
        }
    }

    /// τ(x).
    private func effect(_ x: [Double], _ level: Int) -> Double {
        switch self {
        case .smooth: return 0.5 + tanh(1.5 * x[0]) + 0.5 * x[5] + 0.7 * x[1] * x[2]
        case .curves: return Self.steep(x[1]) * Self.steep(x[2])
        case .steps: return (x[1] > 0 ? 1 : -0.5) + (x[2] > 0.5 && x[5] > -0.5 ? 1.5 : 0)
        case .pairs: return 0.5 + x[0] * x[4] + (x[5] * x[6] > 0 ? 0.7 : -0.7)
        case .triples: return 1 + 4 * x[0] * x[1] * x[4] + (x[5] > 0 && x[6] > 0 && x[7] > 0 ? 1.5 : 0)
        case .sparse, .wide: return 0.5 + sin(1.5 * x[2]) + 0.7 * max(x[3], 0)
        case .categories: return 0.5 + 0.8 * Self.score(level, 3) + 0.5 * x[1]
        case .rare: return 1 + x[0] / 2 + (x[4] > 0 ? 1 : 0)
        case .null: return 0
        }
    }

    /// A steep curve from 0 to 2.
    private static func steep(_ x: Double) -> Double { 2 * logistic(12 * (x - 0.3)) }

    private static func logistic(_ value: Double) -> Double { 1 / (1 + exp(-value)) }

    /// A number of a level with mean 0 and variance 1, the same in all draws.
    private static func score(_ level: Int, _ part: UInt64) -> Double {
        var stream = RandomStream(seed: 0x4C45_5645, path: part, UInt64(level))
        return stream.normal()
    }
}
