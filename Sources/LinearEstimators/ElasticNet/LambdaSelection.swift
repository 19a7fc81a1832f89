/// Which penalty of those compared by cross-validation is taken.
public enum LambdaSelection: String, Sendable, CaseIterable {
    /// The one with the least error.
    case min
    /// The largest one whose error is within one standard error of the least.
    case oneStandardError = "one_se"
}
