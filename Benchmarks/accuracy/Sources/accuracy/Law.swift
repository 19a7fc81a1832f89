import MetaLearnersKit

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// How data come about: covariates, propensity, outcome of the control, effect.
enum Law: String, CaseIterable, Sendable {
    /// Effects and outcomes that jump.
    case steps
    /// Products of three covariates.
    case interactions
    /// Fifty columns, forty-five of them noise.
    case sparse
    /// One row in twenty is treated.
    case rare
    /// Propensities near 0 and 1.
    case overlap
    /// An effect that is the product of two steep curves: that of Wager & Athey (2018), with confounding.
    case curves
    /// An effect for one in eight alone, where three covariates are high.
    case pockets
    /// Outcomes 0 and 1.
    case binary
    /// An effect of 1 everywhere, and confounding.
    case constant
    /// No effect, and confounding.
    case zero

    /// How many covariates there are.
    var columnCount: Int {
        switch self {
        case .sparse: 50
        default: 8
        }
    }

    /// The standard deviation of the noise.
    var noise: Double { self == .interactions ? 0.5 : 1 }

    /// Whether the outcome is 0 or 1.
    var isBinary: Bool { self == .binary }

    /// Draws the covariates of a row.
    func covariates(_ stream: inout RandomStream) -> [Double] {
        switch self {
        case .interactions:
            return (0..<columnCount).map { _ in 2 * stream.uniform() - 1 }
        case .curves: return (0..<columnCount).map { _ in stream.uniform() }
        case .sparse:
            // Neighbours correlate with ½.
            var row: [Double] = []
            for column in 0..<columnCount {
                let fresh = stream.normal()
                row.append(column == 0 ? fresh : 0.5 * row[column - 1] + 0.75.squareRoot() * fresh)
            }
            return row
        default: return (0..<columnCount).map { _ in stream.normal() }
        }
    }

    /// P(W = 1 | X = x).
    func propensity(_ x: [Double]) -> Double {
        switch self {
        case .steps: x[0] > 0 ? 0.7 : 0.35
        case .interactions: Self.logistic(2 * x[0] * x[1])
        case .sparse: Self.logistic(0.6 * x[0] - 0.6 * x[1])
        case .rare: Self.logistic(-3.3 + 0.8 * x[0])
        case .overlap: Self.logistic(2 * x[0] + 1.5 * x[1])
        case .curves: (1 + 20 * x[2] * pow(1 - x[2], 3)) / 4
        case .pockets: Self.logistic(0.8 * x[0] + 0.4 * x[3])
        case .binary: Self.logistic(0.7 * x[0] + 0.4 * x[1])
        case .constant, .zero: Self.logistic(0.7 * x[0] - 0.5 * x[1] * x[1] + 0.5)
        }
    }

    /// E[Y | W = 0, X = x].
    func control(_ x: [Double]) -> Double {
        switch self {
        case .steps: (x[0] > 0 ? 1 : 0) + (x[2] > 0.5 ? 2 : 0) - (x[3] > 0 && x[4] > 0 ? 1 : 0)
        case .interactions: 3 * x[0] * x[1] * x[2] + x[3]
        case .sparse: x[0] + x[1] * x[1] / 2 + max(x[4], 0)
        case .rare: x[0] + sin(2 * x[1]) + x[2] * x[3] / 2
        case .overlap: x[0] + x[1] + x[2] * x[2] / 2
        case .curves: 2 * x[2] - 1
        case .pockets: x[0] + sin(2 * x[3]) + (x[4] > 0 ? 1 : 0)
        case .binary: Self.logistic(-0.5 + x[0] - x[2] * x[2] / 2)
        case .constant, .zero: x[0] + x[1] * x[1] / 2 + max(x[2] + x[3], 0)
        }
    }

    /// τ(x).
    func effect(_ x: [Double]) -> Double {
        switch self {
        case .steps: (x[1] > 0 ? 1 : -0.5) + (x[2] > 0.5 ? 1 : 0)
        case .interactions: 1 + 4 * x[0] * x[1] * x[4] + x[5]
        case .sparse: 0.5 + x[2] + max(x[3], 0)
        case .rare: 1 + x[0] / 2 + (x[4] > 0 ? 1 : 0)
        case .overlap: 1 + sin(x[2]) + x[3] / 2
        case .curves: Self.steep(x[0]) * Self.steep(x[1])
        case .pockets: x[0] > 0 && x[1] > 0 && x[2] > 0 ? 2 : 0
        case .binary:
            Self.logistic(-0.5 + x[0] - x[2] * x[2] / 2 + 0.8 + x[1]) - control(x)
        case .constant: 1
        case .zero: 0
        }
    }

    /// A steep curve from 1 to 2.
    private static func steep(_ x: Double) -> Double { 1 + logistic(20 * (x - 1 / 3)) }

    private static func logistic(_ value: Double) -> Double { 1 / (1 + exp(-value)) }
}
