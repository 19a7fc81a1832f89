/// Which of the models of a role answer.
enum ModelSelection: Sendable, Equatable {
    /// The model of all rows or, where there is none, the mean or the median of the models of the folds.
    case combined
    /// The model of one fold: what the stability of effects is measured by.
    case fold(Int)
}
