import MetaLearnersCore

/// Over whom an effect is averaged.
public enum Estimand: String, Sendable, CaseIterable {
    /// Everybody: E[Y(k) − Y(0)].
    case ate
    /// Those in the arm: E[Y(k) − Y(0) | W=k].
    case att
    /// Those in the control: E[Y(k) − Y(0) | W=0].
    case atc
    /// Those who could be in either: everybody by the overlap e_0 e_k / (e_0 + e_k), which is e(1 − e) of two arms.
    case ato

    /// Who that is, for people.
    public var population: String {
        switch self {
        case .ate: "all rows"
        case .att: "the rows in the arm"
        case .atc: "the rows in the control"
        case .ato: "the rows by their overlap"
        }
    }
}

/// An average effect of one arm against control, with how sure it is.
public struct AverageEffect: Sendable, Equatable {
    /// The level of intervals where none is asked for.
    public static let standardLevel = 0.95

    /// The arm.
    public let arm: String
    /// Of an outcome of several classes, the class whose probability it is a difference of; nil for any other.
    public let outcomeClass: String?
    /// The place of that class among those of the outcome, from 0; nil where there is none.
    public let classIndex: Int?
    /// The control arm.
    public let control: String
    /// Over whom it is averaged.
    public let estimand: Estimand
    /// The estimate, in units of the outcome (for a binary outcome, a difference of probabilities).
    public let estimate: Double
    /// Its standard error.
    public let stdError: Double
    /// The lower end of the interval.
    public let lower: Double
    /// The upper end of the interval.
    public let upper: Double
    /// The level of the interval: the probability that it covers the effect, 0.95 for 95 %.
    public let level: Double
    /// The p-value of no effect, two-sided.
    public let pValue: Double

    /// The effect as results have it.
    public var specValue: SpecValue {
        var object = SpecObject([
            ("arm", .string(arm)), ("control", .string(control)), ("estimand", .string(estimand.rawValue)),
            ("estimate", .number(estimate)), ("std_error", .number(stdError)), ("lower", .number(lower)),
            ("upper", .number(upper)), ("level", .number(level)), ("p_value", .number(pValue)),
        ])
        if let outcomeClass { object["class"] = .string(outcomeClass) }
        return .object(object)
    }

    /// - Throws: `invalidArgument` where `level` is no level of an interval.
    static func requireLevel(_ level: Double) throws(MetaLearnersError) {
        guard level > 0, level < 1 else {
            throw MetaLearnersError(
                .invalidArgument, at: "level", "is \(level), must be: number, 0 < x < 1",
                remedy: "use 0.95 for intervals of 95 %")
        }
    }
}
