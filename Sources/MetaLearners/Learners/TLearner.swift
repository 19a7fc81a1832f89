import MetaLearnersCore

/// The T-learner: an outcome model for each arm (Künzel et al. 2019, arXiv 1706.03461).
///
/// τ_k(x) = μ_k(x) − μ_0(x).
public struct TLearner: OutcomeComparisonLearner {
    public static let kind = LearnerKind.t

    public static let reference = LearnerReference(
        target: "–",
        weight: "–", effect: "μ_k − μ_0",
        citation: "Künzel et al. 2019, arXiv 1706.03461")

    public init(_ spec: MetaLearnerSpec) {}

    public init() {}

    public func nuisanceRoles(armCount: Int) -> [NuisanceRole] { (0..<armCount).map { .armOutcome($0) } }
}
