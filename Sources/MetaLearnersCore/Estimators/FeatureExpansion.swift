/// What a linear model's columns are expanded to, so that it can bend.
public enum FeatureExpansion: String, Sendable, CaseIterable {
    /// Nothing: a number is one column.
    case none
    /// Numbers with more than six values get a restricted cubic spline.
    case splines
    /// Splines, and the products of every two of the unexpanded columns.
    case splinesInteractions = "splines_interactions"

    /// The key `expansion`.
    package static func parameter<Spec>(_ path: any WritableKeyPath<Spec, FeatureExpansion> & Sendable)
        -> Parameter<
            Spec
        >
    {
        .choice(
            "expansion", path,
            "splines: a cubic spline for each number; splines_interactions: also the products of every two columns"
        )
    }
}
