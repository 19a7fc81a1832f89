import MetaLearnersCore

/// What the exit status of the program says: a contract with scripts.
package enum ExitStatus: Int32, Sendable {
    /// Everything was done.
    case done = 0
    /// Wrong usage or a wrong spec: change the command.
    case usage = 2
    /// The data cannot be used: change the data.
    case data = 3
    /// Anything else: a file that cannot be written, a damaged model, an interruption.
    case failure = 4

    /// The status that says what kind of error it was.
    package init(_ error: MetaLearnersError) {
        switch error.kind {
        case .invalidArgument, .invalidSpec, .unsupported: self = .usage
        case .invalidData: self = .data
        case .inputOutput, .corruptModel, .incompatibleModel, .numericalFailure, .cancelled, .outOfMemory,
            .internalFault:
            self = .failure
        }
    }
}
