/// What was observed: a number for each row, with what kind of number it is.
public struct Outcome: Sendable, Equatable {
    /// The kind of outcome.
    public enum Kind: Sendable, Equatable {
        /// Any number; models of it are regressions.
        case continuous
        /// 0 or 1; models of it estimate the probability of 1. `labels` are the names of 0 and 1.
        case binary(labels: [String])

        /// Whether models of the outcome are classifications.
        public var isBinary: Bool { if case .binary = self { true } else { false } }

        /// How many numbers a model of the outcome predicts for a row: the classes of a classification, else 1.
        public var outputCount: Int { isBinary ? 2 : 1 }
    }

    /// The value of each row: for a binary outcome 0 or 1.
    public let values: [Double]
    /// The kind of outcome.
    public let kind: Kind

    /// Creates an outcome.
    ///
    /// - Throws: `invalidData` for a value that is not finite or, in a binary outcome, neither 0 nor 1.
    public init(_ values: [Double], kind: Kind = .continuous) throws(MetaLearnersError) {
        try Self.requireFinite(values)
        if kind.isBinary, let row = values.firstIndex(where: { $0 != 0 && $0 != 1 }) {
            throw MetaLearnersError(
                .invalidData, at: "outcome", "is binary, and row \(row + 1) has \(values[row])",
                remedy: "set data.outcome_type: continuous, or recode it to 0 and 1")
        }
        self.values = values
        self.kind = kind
    }

    private static func requireFinite(_ values: [Double]) throws(MetaLearnersError) {
        guard let first = values.firstIndex(where: { !$0.isFinite }) else { return }
        let count = values.reduce(0) { $0 + ($1.isFinite ? 0 : 1) }
        throw MetaLearnersError(
            .invalidData, at: "outcome",
            "\(count) of \(values.count) rows are missing or infinite, the first is row \(first + 1)",
            remedy: "drop them with data.missing_outcome: drop")
    }

    /// Whether every row has the same value.
    public var isConstant: Bool { values.allSatisfy { $0 == values.first } }
}
