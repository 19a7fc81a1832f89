import MetaLearnersCore

/// Which nuisance function a model estimates.
public enum NuisanceRole: Sendable, Hashable {
    /// e_k(x) = P(W=k | X=x) of every arm, one model.
    case propensity
    /// μ_k(x) = E[Y | W=k, X=x].
    case armOutcome(Int)
    /// m(x) = E[Y | X=x, W∈{0,k}]: the outcome whatever the arm, among an arm and the control; for arm 0 among all arms.
    case marginalOutcome(arm: Int)
    /// μ(x, w): one model of every arm's outcome, the treatment being a feature.
    case joint

    /// Whether it is the propensity, which has a backend of its own.
    public var isPropensity: Bool { self == .propensity }

    /// The role's name in progress and error messages.
    public func name(_ labels: [String]) -> String {
        func label(_ arm: Int) -> String { labels.indices.contains(arm) ? labels[arm] : String(arm) }
        switch self {
        case .propensity: return "propensity"
        case .armOutcome(let arm): return "outcome of arm '\(label(arm))'"
        case .marginalOutcome(let arm):
            return labels.count == 2 || arm == 0
                ? "outcome" : "outcome of arm '\(label(arm))' and the control"
        case .joint: return "outcome given treatment"
        }
    }

    /// A number that stands for the role in seeds and archives; frozen.
    var code: UInt64 {
        switch self {
        case .propensity: 1
        case .joint: 2
        case .armOutcome(let arm): 1 << 32 | UInt64(truncatingIfNeeded: arm)
        case .marginalOutcome(let arm): 2 << 32 | UInt64(truncatingIfNeeded: arm)
        }
    }

    /// The role of a code.
    init?(code: UInt64, armCount: Int) {
        let arm = Int(truncatingIfNeeded: code & 0xFFFF_FFFF)
        switch (code >> 32, code) {
        case (_, 1): self = .propensity
        case (_, 2): self = .joint
        case (1, _) where arm < armCount: self = .armOutcome(arm)
        case (2, _) where arm < armCount: self = .marginalOutcome(arm: arm)
        default: return nil
        }
    }
}
