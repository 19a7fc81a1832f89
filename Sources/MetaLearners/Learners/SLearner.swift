import MetaLearnersCore

/// The S-learner: one outcome model with the treatment among its features (Künzel et al. 2019, arXiv 1706.03461).
///
/// τ_k(x) = μ(x, k) − μ(x, 0).
public struct SLearner: OutcomeComparisonLearner {
    public static let kind = LearnerKind.s

    public static let reference = LearnerReference(
        target: "–",
        weight: "–", effect: "μ(x, k) − μ(x, 0)",
        citation: "Künzel et al. 2019, arXiv 1706.03461")

    public init(_ spec: MetaLearnerSpec) {}

    public init() {}

    public func nuisanceRoles(armCount: Int) -> [NuisanceRole] { [.joint] }
}
