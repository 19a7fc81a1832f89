/// What a table of the caller is read for.
enum TableUse {
    /// To learn from it: it must outlive the call, by a copy or by the caller's promise.
    case training(copying: Bool)
    /// To predict it within the call.
    case prediction

    /// Whether numbers are copied.
    var copies: Bool { if case .training(let copying) = self { copying } else { false } }

    /// Whether to look for levels that occur twice. In prediction, levels are only looked up in those of training,
    /// and a service that scores single rows does not want to pay for it.
    var refusesRepeatedLevels: Bool { if case .training = self { true } else { false } }
}
