import MetaLearnersCore

/// The base learner of each role: the `models` section of a spec.
public struct ModelsSpec: ParameterizedSpec {
    /// The model of outcomes: μ_k, m or μ(x, w).
    public var outcome = RoleModelSpec(Self.standardOutcome)
    /// The model of propensities e_k.
    public var propensity = RoleModelSpec(Self.standardPropensity)
    /// The model of effects.
    public var effect = RoleModelSpec(Self.standardEffect)
    /// Models of single arms, where they differ.
    public var arms: [ArmModelsSpec] = []

    /// The outcome model where a spec names none.
    public static let standardOutcome = EstimatorChoice("trees")
    /// The propensity model where a spec names none: logistic regression and small trees, weighted by rows held out.
    public static let standardPropensity = EstimatorChoice("stack")
    /// The effect model where a spec names none.
    public static let standardEffect = EstimatorChoice("trees")

    public init() {}

    public static let parameters: [Parameter<ModelsSpec>] = [
        role("outcome", \.outcome, standardOutcome, "model of the outcome"),
        role(
            "propensity", \.propensity, standardPropensity, calibrated: true,
            "model of the treatment probabilities; calibration: none, isotonic or platt"),
        role("effect", \.effect, standardEffect, "model of the effects (every learner but s and t)"),
        Parameter(
            "arms", "models of single arms, where they differ: {LABEL: {outcome: …, effect: …}}",
            range: "mapping of arm labels",
            read: { value, place, spec throws(MetaLearnersError) in
                guard let object = value.objectValue else {
                    throw place.error("must be a mapping of arm labels, not \(value.kindName)")
                }
                var arms: [ArmModelsSpec] = []
                for (label, entry) in object.entries {
                    arms.append(try ArmModelsSpec(label, entry, at: place.appending(label)))
                }
                spec.arms = arms
            },
            write: { spec in .object(SpecObject(spec.arms.map { ($0.label, $0.specValue) })) }),
    ]

    private static func role(
        _ name: String, _ path: any WritableKeyPath<ModelsSpec, RoleModelSpec> & Sendable,
        _ standard: EstimatorChoice, calibrated: Bool = false, _ summary: String
    ) -> Parameter<ModelsSpec> {
        Parameter(
            name, summary, range: "backend with its parameters; columns: [...] or {all_but: [...]}",
            read: { value, place, spec throws(MetaLearnersError) in
                spec[keyPath: path] = try RoleModelSpec(
                    value, at: place, standard: RoleModelSpec(standard), calibrated: calibrated)
            },
            write: { $0[keyPath: path].specValue(calibrated: calibrated) })
    }
}
