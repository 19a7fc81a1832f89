import MetaLearnersCore

/// What an effect is measured as: the key `effect_scale` of a spec.
///
/// Ratios compare the means that the learner's outcome models predict for two arms, μ_a and μ_b; only differences
/// come from effect models.
public enum EffectScale: String, Sendable, CaseIterable {
    /// μ_a − μ_b.
    case difference
    /// μ_a / μ_b: the relative risk of a binary outcome, the rate ratio of a count.
    case ratio
    /// (μ_a / (1 − μ_a)) / (μ_b / (1 − μ_b)); of a binary outcome or a class.
    case oddsRatio = "odds_ratio"

    /// How columns of such effects begin.
    var columnName: String { self == .difference ? "cate" : rawValue }

    /// Compares the means of an arm and of its baseline.
    func comparing(_ mean: Double, _ baseline: Double) -> Double {
        switch self {
        case .difference: mean - baseline
        case .ratio: mean / baseline
        case .oddsRatio: mean / (1 - mean) / (baseline / (1 - baseline))
        }
    }

    /// Checks that effects on outcomes of `kind` can be measured so.
    ///
    /// - Throws: `unsupported`.
    func require(_ kind: Outcome.Kind) throws(MetaLearnersError) {
        switch (self, kind) {
        case (.difference, _), (_, .binary), (_, .classes), (.ratio, .count): return
        case (.ratio, _), (.oddsRatio, _):
            throw MetaLearnersError(
                .unsupported, at: "effect_scale", "a \(kind.name) outcome has no \(rawValue)",
                remedy: self == .ratio
                    ? "ratios are for binary outcomes, classes and counts; set data.outcome_type, or use difference"
                    : "odds are those of binary outcomes and classes; use difference"
                        + (kind == .count ? " or ratio" : ""))
        }
    }
}
