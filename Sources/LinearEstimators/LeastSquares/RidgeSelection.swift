/// How ridge regression's penalty is chosen.
public enum RidgeSelection: String, Sendable, CaseIterable {
    /// It is given.
    case fixed
    /// By generalised cross-validation (Golub, Heath & Wahba 1979).
    case gcv
    /// By leaving each row out in turn, exactly.
    case loo
    /// By k-fold cross-validation, whole clusters in one fold.
    case cv
}
