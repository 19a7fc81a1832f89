/// What went wrong, where, and what to do about it.
///
/// Every fallible function of the package throws this one type. `description` reads as one sentence:
/// the location, the problem, and, where there is one, the remedy.
public struct MetaLearnersError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The kind of failure. Raw values are the status codes of the C ABI: they are frozen, never reused.
    public enum Kind: Int32, Sendable, CaseIterable {
        /// An argument of a call is unusable: a NULL, a wrong size, a value out of range.
        case invalidArgument = 1
        /// The configuration is wrong: an unknown key, a value of the wrong type or out of its range.
        case invalidSpec = 2
        /// The data cannot be used: missing outcomes, one arm only, infinite values.
        case invalidData = 3
        /// The request is understood, but this backend, learner or build cannot do it.
        case unsupported = 4
        /// A file cannot be read or written.
        case inputOutput = 5
        /// A model file is damaged: cut short, altered, or not a model file at all.
        case corruptModel = 6
        /// A model file was written by a newer version than this one.
        case incompatibleModel = 7
        /// A computation broke down: a singular system, no convergence, an overflow.
        case numericalFailure = 8
        /// A callback or another thread asked to stop.
        case cancelled = 9
        /// There is not enough memory.
        case outOfMemory = 10
        /// A fault of this library; please report it.
        case internalFault = 11
    }

    /// The kind of failure.
    public let kind: Kind
    /// The place: a path in the spec (`models.outcome.trees`), a column, a row, a file.
    public let location: String?
    /// The problem, as a clause without a final stop.
    public let problem: String
    /// What to do about it, where something can be done.
    public let remedy: String?

    /// Creates an error.
    public init(_ kind: Kind, at location: String? = nil, _ problem: String, remedy: String? = nil) {
        self.kind = kind
        self.location = location
        self.problem = problem
        self.remedy = remedy
    }

    public var description: String {
        var text = ""
        if let location, !location.isEmpty { text += location + ": " }
        text += problem
        if let remedy { text += "; " + remedy }
        return text
    }
}
