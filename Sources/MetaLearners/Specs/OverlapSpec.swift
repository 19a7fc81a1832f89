import MetaLearnersCore

/// What to do about propensities near 0 or 1: the `overlap` section of a spec.
public struct OverlapSpec: ParameterizedSpec {
    /// What to do.
    public enum Policy: String, Sendable, CaseIterable {
        /// Move propensities outside the bounds to the nearest bound.
        case clip
        /// Leave rows with a propensity outside the bounds out of effect models and average effects.
        case trim
        /// Refuse to go on.
        case fail
    }

    /// What to do.
    public var policy = Policy.clip
    /// The lowest and the highest propensity that counts as overlap. Nil for `auto`: 0.01 and 0.99, and wider where an arm has fewer than
    /// one row in twenty (`automaticBounds(armCounts:)`).
    public var bounds: [Double]?
    /// Whether small trees give a second opinion on the treatment: on rows without overlap that the propensity's
    /// model does not show, and on average effects that another propensity would move.
    public var check = true

    public init() {}

    public static let parameters: [Parameter<OverlapSpec>] = [
        .choice("policy", \.policy, "what to do with propensities outside the bounds"),
        Parameter(
            "bounds",
            "lowest and highest propensity that counts as overlap; auto: 0.01 and 0.99, wider where an arm is rare",
            range: "auto, or [low, high], 0 < low < high < 1",
            read: { value, place, spec throws(MetaLearnersError) in
                if value.stringValue == "auto" {
                    spec.bounds = nil
                    return
                }
                let bounds = value.arrayValue?.compactMap(\.doubleValue) ?? []
                guard bounds.count == 2, value.arrayValue?.count == 2, bounds[0] > 0, bounds[0] < bounds[1],
                    bounds[1] < 1
                else {
                    throw place.error("is \(value.json()), must be: auto, or [low, high], 0 < low < high < 1")
                }
                spec.bounds = bounds
            },
            write: { spec in spec.bounds.map { .array($0.map { .number($0) }) } ?? .string("auto") }),
        .boolean(
            "check", \.check,
            "warn where small trees find rows without overlap, or would move average effects"
        ),
    ]

    /// The bounds in use.
    var usedBounds: [Double] { bounds ?? [Self.standardLow, 1 - Self.standardLow] }

    func low() -> Double { usedBounds.first ?? 0 }

    func high() -> Double { usedBounds.last ?? 1 }

    private static let standardLow = 0.01

    /// The bounds that `auto` means for arms of so many rows; nil where they are 0.01 and 0.99.
    ///
    /// The lower one is a fifth of the share of the smallest arm, if that is less than 0.01: a propensity says little about
    /// overlap by itself, and much beside that of everybody. Of an arm that one row in a hundred is in most propensities are below 0.01
    /// though its rows have counterparts everywhere; bounds of 0.01 would halve their weights, and leave averages to the outcome's
    /// models.
    static func automaticBounds(armCounts: [Int]) -> [Double]? {
        let total = armCounts.reduce(0, +)
        guard let least = armCounts.min(), least > 0, total > 0 else { return nil }
        let exact = Double(least) / Double(total) / 5
        guard exact < standardLow else { return nil }
        // Two digits, so that people can read it.
        var digits = exact
        var exponent = 0
        while digits < 10 {
            digits *= 10
            exponent -= 1
        }
        guard let low = Double("\(Int(digits))e\(exponent)") else { return [exact, 1 - exact] }
        return [low, 1 - low]
    }
}

/// How the propensities stood to the bounds.
public struct OverlapReport: Sendable, Equatable {
    /// One arm's propensities.
    public struct Arm: Sendable, Equatable {
        /// The arm's label.
        public let label: String
        /// The least and the greatest propensity, before the policy.
        public let range: ClosedRange<Double>
        /// Rows below the lower bound.
        public let below: Int
        /// Rows above the upper bound.
        public let above: Int
    }

    /// The policy.
    public let policy: OverlapSpec.Policy
    /// The bounds.
    public let bounds: [Double]
    /// The arms; for two arms the treated one alone, as the other's propensity is the rest.
    public let arms: [Arm]
    /// Rows that the policy touched.
    public let touched: Int
    /// Whether propensities were known rather than estimated: the policy leaves these alone.
    public let isKnown: Bool

    /// The report as results have it.
    public var specValue: SpecValue {
        [
            "policy": .string(policy.rawValue), "bounds": .array(bounds.map { .number($0) }),
            "touched": .integer(touched), "known": .boolean(isKnown),
            "arms": .array(
                arms.map {
                    [
                        "arm": .string($0.label), "min": .number($0.range.lowerBound),
                        "max": .number($0.range.upperBound), "below": .integer($0.below),
                        "above": .integer($0.above),
                    ]
                }),
        ]
    }
}
