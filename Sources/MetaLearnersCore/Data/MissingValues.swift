/// Values that a spec says mean "missing", beside NaN, negative codes and the spellings that text files have.
///
/// A value that is a number stands for that number however it is written: -9 is -9.0.
public struct MissingValues: Sendable, Equatable {
    /// The values as texts.
    public let texts: Set<String>
    /// Those that are numbers.
    public let numbers: Set<Double>

    /// Takes the values of `data.missing_values`.
    public init(_ values: [String]) {
        texts = Set(values)
        numbers = Set(values.compactMap(Column.number(ofLabel:)))
    }

    /// Whether there are none.
    public var isEmpty: Bool { texts.isEmpty }

    /// Whether a text, such as the name of a level, means "missing".
    public func contains(_ text: String) -> Bool {
        if texts.contains(text) { return true }
        guard !numbers.isEmpty, let number = Column.number(ofLabel: text) else { return false }
        return numbers.contains(number)
    }

    /// The column with these values missing; the same column where it has none of them.
    public func marking(_ column: Column) -> Column { marking(column, dropsUnused: false) }

    /// The same, and levels that are such values and that no row has go too where `dropsUnused` says so: other processes may have
    /// rows with them.
    func marking(_ column: Column, dropsUnused: Bool) -> Column {
        if isEmpty { return column }
        if let levels = column.levels {
            let isMissing = levels.map(contains)
            guard isMissing.contains(true), let codes = column.codes(),
                dropsUnused || codes.contains(where: { $0 >= 0 && isMissing[Int($0)] })
            else { return column }
            // The other levels move up, so that none is left without rows.
            var codeOfLevel: [Int32] = []
            var next: Int32 = 0
            for isMissing in isMissing {
                codeOfLevel.append(isMissing ? -1 : next)
                next += isMissing ? 0 : 1
            }
            return Column(
                column.name, codes: StridedValues(codes.map { $0 < 0 ? -1 : codeOfLevel[Int($0)] }),
                levels: levels.filter { !contains($0) })
        }
        guard !numbers.isEmpty else { return column }
        let values = column.values.doubles()
        guard values.contains(where: numbers.contains) else { return column }
        return Column(column.name, values.map { numbers.contains($0) ? .nan : $0 })
    }
}
