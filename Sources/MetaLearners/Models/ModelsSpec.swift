import MetaLearnersCore

/// The base learner of each role: the `models` section of a spec.
public struct ModelsSpec: ParameterizedSpec {
    /// The model of outcomes: μ_k, m or μ(x, w).
    public var outcome = Self.standardOutcome
    /// The model of propensities e_k.
    public var propensity = Self.standardPropensity
    /// The model of effects.
    public var effect = Self.standardEffect

    /// The outcome model where a spec names none.
    public static let standardOutcome = EstimatorChoice("trees")
    /// The propensity model where a spec names none.
    public static let standardPropensity = EstimatorChoice("logistic")
    /// The effect model where a spec names none: effects vary less than outcomes, so its trees are smaller.
    public static let standardEffect = EstimatorChoice("trees", SpecObject([("max_leaves", 4)]))

    public init() {}

    public static let parameters: [Parameter<ModelsSpec>] = [
        role("outcome", \.outcome, standardOutcome, "model of the outcome"),
        role("propensity", \.propensity, standardPropensity, "model of the treatment probabilities"),
        role("effect", \.effect, standardEffect, "model of the effects (every learner but s and t)"),
    ]

    private static func role(
        _ name: String, _ path: any WritableKeyPath<ModelsSpec, EstimatorChoice> & Sendable,
        _ standard: EstimatorChoice, _ summary: String
    ) -> Parameter<ModelsSpec> {
        Parameter(
            name, summary, range: "backend with its parameters",
            read: { value, place, spec throws(MetaLearnersError) in
                spec[keyPath: path] = try EstimatorChoice(value, at: place, standard: standard)
            },
            write: { $0[keyPath: path].specValue })
    }
}
