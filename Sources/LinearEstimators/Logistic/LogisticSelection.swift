/// How the penalty of logistic regression is chosen.
public enum LogisticSelection: String, Sendable, CaseIterable {
    /// It is given.
    case fixed
    /// The one with the least loss of cross-validation.
    case min
    /// The largest one whose loss is within one standard error of the least.
    case oneStandardError = "one_se"
}
