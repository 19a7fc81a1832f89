/// A covariate: a name and a value for each row, numbers or levels of a category.
public struct Column: Sendable {
    /// What a column holds.
    public enum Kind: Sendable, Equatable {
        /// Numbers; NaN is missing.
        case numeric
        /// Codes into `levels`, from 0; a negative code is missing. A code beyond the levels is an error of whoever
        /// made the column, which datasets and models refuse.
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

    /// Creates a column of whole numbers. (Literals stay those of `Double`.)
    @_disfavoredOverload
    public init(_ name: String, _ values: [Int]) { self.init(name, StridedValues(values)) }

    /// Creates a column of 0 for false and 1 for true.
    @_disfavoredOverload
    public init(_ name: String, _ values: [Bool]) {
        self.init(name, StridedValues(values.map { $0 ? 1 : 0 }))
    }

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

    /// The same values under the same name, without levels that no row has.
    package func withoutUnusedLevels() -> Column {
        guard let levels, let codes = codes() else { return self }
        var isUsed = [Bool](repeating: false, count: levels.count)
        for code in codes where code >= 0 { isUsed[Int(code)] = true }
        guard isUsed.contains(false) else { return self }
        var places = [Int32](repeating: -1, count: levels.count)
        var names: [String] = []
        for level in levels.indices where isUsed[level] {
            places[level] = Int32(names.count)
            names.append(levels[level])
        }
        return Column(
            name, codes: StridedValues(codes.map { $0 < 0 ? -1 : places[Int($0)] }), levels: names)
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

    /// The finite number that a level's name spells in decimal notation; nil where it spells none.
    static func number(ofLabel label: String) -> Double? {
        let isDecimal =
            label.utf8.contains { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
            && !label.utf8.contains { $0 | 0x20 == UInt8(ascii: "x") }
        guard isDecimal, let number = Double(label), number.isFinite else { return nil }
        return number
    }

    /// The column as a category: numbers become levels, in numeric order; NaN stays missing.
    ///
    /// Integers of 64 bits become levels as they are: a double could not tell all of them apart.
    public func asCategorical() -> Column {
        guard case .numeric = kind else { return self }
        if let integers = values.integers() {
            let distinct = Set(integers).sorted()
            let codes = Dictionary(uniqueKeysWithValues: distinct.enumerated().map { ($1, Int32($0)) })
            return Column(
                name, codes: StridedValues(integers.map { codes[$0] ?? -1 }),
                levels: distinct.map { String($0) })
        }
        let numbers = values.doubles()
        var found = Set<Double>()
        for number in numbers where !number.isNaN { found.insert(number) }
        let distinct = found.sorted()
        let codes = Dictionary(uniqueKeysWithValues: distinct.enumerated().map { ($1, Int32($0)) })
        return Column(
            name, codes: StridedValues(numbers.map { $0.isNaN ? -1 : codes[$0] ?? -1 }),
            levels: distinct.map(Self.label(of:)))
    }

    /// Checks that every code is that of a level or negative.
    ///
    /// - Throws: `invalidData`, naming the column, the first row and the code.
    public func requireCodesWithinLevels(_ places: RowPlaces = RowPlaces()) throws(MetaLearnersError) {
        guard let levels, let row = values.firstRow(notBelow: Double(levels.count)) else { return }
        let known =
            levels.isEmpty
            ? "there are no levels" : "the \(levels.count) levels have codes 0 to \(levels.count - 1)"
        throw MetaLearnersError(
            .invalidData, at: "column '\(name)'",
            "\(places.name(row)) has code \(Self.label(of: values[row])), and \(known)",
            remedy: "count codes from 0 (subtract 1 from those of R and Julia); a negative code is missing")
    }

    /// A cell of a text column and where it stands, for an error: ": line 8 has 'abc'".
    func example(_ places: RowPlaces) -> String {
        guard let levels, let codes = codes(), let row = codes.firstIndex(where: { $0 >= 0 }) else {
            return ""
        }
        return ": \(places.name(row)) has '\(levels[Int(codes[row])])'"
    }

    /// The code of each row, -1 where it is missing; nil for numbers.
    public func codes() -> [Int32]? {
        guard let levels else { return nil }
        return values.doubles().map { code in
            code >= 0 && code < Double(levels.count) ? Int32(code) : -1
        }
    }
}
