/// A covariate: a name and a value for each row, numbers or levels of a category.
public struct Column: Sendable {
    /// What a column holds.
    public enum Kind: Sendable, Equatable {
        /// Numbers; NaN is missing.
        case numeric
        /// Codes into `levels`; a negative code (or one beyond the levels) is missing.
        case categorical(levels: [String])
    }

    /// The name.
    public let name: String
    /// Numbers or levels.
    public let kind: Kind
    /// The numbers or the codes.
    public let values: StridedValues

    /// Creates a column of numbers.
    public init(_ name: String, _ values: StridedValues) {
        self.name = name
        self.kind = .numeric
        self.values = values
    }

    /// Creates a column of categories from integer codes into `levels`.
    public init(_ name: String, codes: StridedValues, levels: [String]) {
        self.name = name
        self.kind = .categorical(levels: levels)
        self.values = codes
    }

    /// Creates a column of numbers.
    public init(_ name: String, _ values: [Double]) { self.init(name, StridedValues(values)) }

    /// Creates a column of categories from texts; nil is missing. Levels are sorted.
    public init(_ name: String, categories: [String?]) {
        let levels = Set(categories.compactMap(\.self)).sorted()
        let codes = Dictionary(uniqueKeysWithValues: levels.enumerated().map { ($1, Int32($0)) })
        self.init(
            name, codes: StridedValues(categories.map { $0.flatMap { codes[$0] } ?? -1 }), levels: levels)
    }

    /// The levels, nil for numbers.
    public var levels: [String]? { if case .categorical(let levels) = kind { levels } else { nil } }

    /// How many rows there are.
    public var count: Int { values.count }

    /// The same values under the same name, for the named rows only.
    public func selecting(_ rows: [Int32]) -> Column {
        Column(name: name, kind: kind, values: values.selecting(rows))
    }

    private init(name: String, kind: Kind, values: StridedValues) {
        self.name = name
        self.kind = kind
        self.values = values
    }

    /// The text of a number as a level's name: integers without a fraction, others with the fewest digits.
    public static func label(of number: Double) -> String {
        if let integer = Int64(exactly: number) { return String(integer) }
        return "\(number)"
    }

    /// The column as a category: numbers become levels, in numeric order; NaN stays missing.
    public func asCategorical() -> Column {
        guard case .numeric = kind else { return self }
        let numbers = values.doubles()
        let distinct = Set(numbers.filter { !$0.isNaN }).sorted()
        let codes = Dictionary(uniqueKeysWithValues: distinct.enumerated().map { ($1, Int32($0)) })
        return Column(
            name, codes: StridedValues(numbers.map { $0.isNaN ? -1 : codes[$0] ?? -1 }),
            levels: distinct.map(Self.label(of:)))
    }

    /// The code of each row, -1 where it is missing; nil for numbers.
    public func codes() -> [Int32]? {
        guard let levels else { return nil }
        return values.doubles().map { code in
            code >= 0 && code < Double(levels.count) ? Int32(code) : -1
        }
    }
}
