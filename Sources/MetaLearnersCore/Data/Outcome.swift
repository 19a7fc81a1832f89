/// What was observed: a number for each row, with what kind of number it is.
public struct Outcome: Sendable, Equatable {
    /// The kind of outcome.
    public enum Kind: Sendable, Equatable {
        /// Any number; models of it are regressions.
        case continuous
        /// 0 or 1; models of it estimate the probability of 1. `labels` are the names of 0 and 1.
        case binary(labels: [String])
        /// 0, 1, … of more than two classes without an order; models of it estimate the probability of each.
        case classes(labels: [String])
        /// How often something happened: 0 or more; models of it minimise the Poisson deviance.
        case count

        /// Whether there are two classes.
        public var isBinary: Bool { if case .binary = self { true } else { false } }

        /// The labels of several classes: those with an effect of their own each. Empty for any other outcome.
        public var effectClasses: [String] { if case .classes(let labels) = self { labels } else { [] } }

        /// How many effects an arm has against another: the classes of an outcome of several, else 1.
        public var effectCount: Int { max(effectClasses.count, 1) }

        /// How many classes there are; 1 for a number.
        public var classCount: Int { isBinary ? 2 : effectCount }

        /// How many numbers a model of the outcome predicts for a row: the classes of a classification, else 1.
        public var outputCount: Int { classCount }

        /// The name in specs and results.
        public var name: String {
            switch self {
            case .continuous: "continuous"
            case .binary: "binary"
            case .classes: "classes"
            case .count: "count"
            }
        }

        /// What a model of the outcome is fitted by.
        public var objective: TrainingTask.Objective {
            switch self {
            case .continuous: .regression
            case .binary, .classes: .classification(classes: classCount)
            case .count: .count
            }
        }
    }

    /// The value of each row: for a binary outcome 0 or 1, for one of several classes the number of its label.
    ///
    /// - Complexity: O(1); of rows that were read batch by batch O(rows), since these may be kept in fewer bytes.
    public var values: [Double] { numbers.doubles }
    /// The values, in as many bytes as they are kept in.
    package let numbers: RowNumbers
    /// The kind of outcome.
    public let kind: Kind

    /// Creates an outcome.
    ///
    /// - Throws: `invalidData` for a value that is not finite or that its kind cannot have, or for fewer than two
    ///   classes.
    public init(_ values: [Double], kind: Kind = .continuous) throws(MetaLearnersError) {
        try self.init(values, kind: kind, places: RowPlaces())
    }

    init(_ values: [Double], kind: Kind, places: RowPlaces) throws(MetaLearnersError) {
        try Self.requireFinite(values, places)
        switch kind {
        case .continuous: try Self.requireSquares(values)
        case .binary:
            if let row = values.firstIndex(where: { $0 != 0 && $0 != 1 }) {
                throw MetaLearnersError(
                    .invalidData, at: "outcome", "is binary, and \(places.name(row)) has \(values[row])",
                    remedy: "set data.outcome_type: continuous, or recode it to 0 and 1")
            }
        case .classes(let labels):
            guard labels.count >= 2 else {
                throw MetaLearnersError(
                    .invalidData, at: "outcome", "has \(labels.count) classes, must have at least 2")
            }
            if let row = values.firstIndex(where: {
                !($0 >= 0 && $0 < Double(labels.count) && $0 == $0.rounded())
            }) {
                throw MetaLearnersError(
                    .invalidData, at: "outcome",
                    "\(places.name(row)) has \(values[row]), of \(labels.count) classes")
            }
        case .count:
            if let row = values.firstIndex(where: { $0 < 0 }) {
                throw MetaLearnersError(
                    .invalidData, at: "outcome", "is a count, and \(places.name(row)) has \(values[row])",
                    remedy: "set data.outcome_type: continuous, or leave these rows out")
            }
        }
        numbers = RowNumbers(values)
        self.kind = kind
    }

    private init(_ numbers: RowNumbers, _ kind: Kind) {
        self.numbers = numbers
        self.kind = kind
    }

    /// The same in as few bytes as hold every value exactly. O(rows).
    package var compacted: Outcome { Outcome(RowNumbers(compacting: values), kind) }

    private static func requireFinite(_ values: [Double], _ places: RowPlaces) throws(MetaLearnersError) {
        guard let first = values.firstIndex(where: { !$0.isFinite }) else { return }
        let count = values.reduce(0) { $0 + ($1.isFinite ? 0 : 1) }
        throw MetaLearnersError(
            .invalidData, at: "outcome",
            "\(count) of \(values.count) rows are missing or infinite, the first is \(places.name(first))",
            remedy: "drop them with data.missing_outcome: drop")
    }

    /// Refuses numbers whose squares are no numbers any more: without them variances would be 0 or infinite.
    private static func requireSquares(_ values: [Double]) throws(MetaLearnersError) {
        let largest = values.reduce(0) { max($0, abs($1)) }
        guard largest > 0, !(1e-140...1e140).contains(largest) else { return }
        throw MetaLearnersError(
            .invalidData, at: "outcome",
            "no number is larger than \(largest), and squares of such numbers cannot be computed",
            remedy: "give it in another unit")
    }

    /// Whether every row has the same value.
    public var isConstant: Bool {
        (1..<max(numbers.count, 1)).allSatisfy { numbers[$0] == numbers[0] }
    }

    /// Whether each row is of the class numbered `index`: 1 or 0.
    public func indicators(ofClass index: Int) -> [Double] { values.map { $0 == Double(index) ? 1 : 0 } }
}
