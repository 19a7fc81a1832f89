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
    /// The lowest and the highest propensity that counts as overlap.
    public var bounds = [0.01, 0.99]
    /// Whether small trees give a second opinion on the treatment: on rows without overlap that the propensity's
    /// model does not show, and on average effects that another propensity would move.
    public var check = true

    public init() {}

    public static let parameters: [Parameter<OverlapSpec>] = [
        .choice("policy", \.policy, "what to do with propensities outside the bounds"),
        Parameter(
            "bounds", "lowest and highest propensity that counts as overlap",
            range: "[low, high], 0 < low < high < 1",
            read: { value, place, spec throws(MetaLearnersError) in
                let bounds = value.arrayValue?.compactMap(\.doubleValue) ?? []
                guard bounds.count == 2, value.arrayValue?.count == 2, bounds[0] > 0, bounds[0] < bounds[1],
                    bounds[1] < 1
                else {
                    throw place.error("is \(value.json()), must be: [low, high], 0 < low < high < 1")
                }
                spec.bounds = bounds
            },
            write: { .array($0.bounds.map { .number($0) }) }),
        .boolean(
            "check", \.check,
            "warn where small trees find rows without overlap, or would move average effects"
        ),
    ]

    func low() -> Double { bounds.first ?? 0 }

    func high() -> Double { bounds.last ?? 1 }
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
