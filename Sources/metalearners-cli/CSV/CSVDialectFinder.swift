import MetaLearnersCore

/// Finds out the dialect of a file from its first rows.
///
/// The separator is the one that splits every row into as many fields as the header, the more of them the better; commas
/// win where nothing speaks for another. Commas are taken for decimal points only where they cannot separate fields, and
/// only where a column of numbers has no other reading.
struct CSVDialectFinder {
    /// How much of a file is looked at.
    static let sampleSize = 1 << 18
    private static let quote = UInt8(ascii: "\"")
    private static let comma = UInt8(ascii: ",")
    private static let point = UInt8(ascii: ".")

    /// Rows as bytes, the header first: whole ones only, and no blank ones.
    private let rows: [ArraySlice<UInt8>]
    private let name: String

    /// Looks at the beginning of the file called `name`.
    ///
    /// - Parameter isWhole: whether `sample` is all of it.
    init(_ sample: [UInt8], isWhole: Bool, name: String) {
        self.name = name
        var rows: [ArraySlice<UInt8>] = []
        var start = sample.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
        var isQuoted = false
        for index in start..<max(sample.count, start) {
            switch sample[index] {
            case Self.quote: isQuoted.toggle()
            case UInt8(ascii: "\n") where !isQuoted, UInt8(ascii: "\r") where !isQuoted:
                if index > start { rows.append(sample[start..<index]) }
                start = index + 1
            default: break
            }
        }
        if isWhole || rows.isEmpty, start < sample.count { rows.append(sample[start...]) }
        self.rows = rows
    }

    /// The dialect, as far as `options` leave it open.
    ///
    /// - Throws: `invalidData` where commas may be decimal points or may not.
    func dialect(_ options: CSVDialectOptions) throws(MetaLearnersError) -> CSVDialect {
        let separator = options.separator ?? separator(decimal: options.decimal)
        guard let decimal = options.decimal else {
            return CSVDialect(separator: separator, decimal: try decimal(separator))
        }
        return CSVDialect(separator: separator, decimal: decimal)
    }

    private func separator(decimal: UInt8?) -> UInt8 {
        guard let header = rows.first else { return Self.comma }
        var best = (byte: Self.comma, isConsistent: false, fields: 1)
        for candidate in CSVDialect.separators.map(\.byte) where candidate != decimal {
            let fields = Self.fieldCount(header, candidate)
            let isConsistent =
                fields > 1
                && rows.dropFirst().prefix(200).allSatisfy { Self.fieldCount($0, candidate) == fields }
            if isConsistent && !best.isConsistent || isConsistent == best.isConsistent && fields > best.fields
            {
                best = (candidate, isConsistent, fields)
            }
        }
        return best.byte
    }

    private static func fieldCount(_ row: ArraySlice<UInt8>, _ separator: UInt8) -> Int {
        var count = 1
        var isQuoted = false
        for byte in row {
            if byte == quote { isQuoted.toggle() } else if byte == separator, !isQuoted { count += 1 }
        }
        return count
    }

    private func decimal(_ separator: UInt8) throws(MetaLearnersError) -> UInt8 {
        guard separator != Self.comma, let header = rows.first else { return Self.point }
        let names = Self.fields(header, separator)
        var columns = [NumberForms](repeating: NumberForms(), count: names.count)
        for row in rows.dropFirst() {
            for (column, field) in zip(columns.indices, Self.fields(row, separator)) {
                columns[column].take(field)
            }
        }
        let commas = columns.indices.filter { columns[$0].isOfCommas }
        guard let first = commas.first else { return Self.point }
        let title = String(decoding: names[first], as: UTF8.self)
        let remedy = "say which: --decimal comma or --decimal point"
        if let other = columns.indices.first(where: { columns[$0].isOfPoints }) {
            throw MetaLearnersError(
                .invalidData, at: name,
                "column '\(title)' has decimal commas ('\(columns[first].exampleOfCommas)'), column "
                    + "'\(String(decoding: names[other], as: UTF8.self))' has decimal points ('\(columns[other].exampleOfPoints)')",
                remedy: remedy)
        }
        guard commas.contains(where: { columns[$0].hasOtherThanThousands }) else {
            throw MetaLearnersError(
                .invalidData, at: name,
                "the comma in numbers such as '\(columns[first].exampleOfCommas)' (column '\(title)') may stand before "
                    + "decimals or before thousands",
                remedy: remedy)
        }
        return Self.comma
    }

    /// The fields of a row, without blanks and quotation marks around them.
    private static func fields(_ row: ArraySlice<UInt8>, _ separator: UInt8) -> [ArraySlice<UInt8>] {
        var fields: [ArraySlice<UInt8>] = []
        var start = row.startIndex
        var isQuoted = false
        for index in row.indices {
            if row[index] == quote { isQuoted.toggle() }
            guard row[index] == separator, !isQuoted else { continue }
            fields.append(trimmed(row[start..<index]))
            start = index + 1
        }
        return fields + [trimmed(row[start...])]
    }

    private static func trimmed(_ field: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var field = field
        while let byte = field.first, byte == quote || byte == UInt8(ascii: " ") { field.removeFirst() }
        while let byte = field.last, byte == quote || byte == UInt8(ascii: " ") { field.removeLast() }
        return field
    }
}

/// How the numbers of a column are written.
private struct NumberForms {
    private var filled = 0
    private var whole = 0
    private var withComma = 0
    private var withPoint = 0
    /// Whether a number with a comma cannot be one with thousands set apart.
    private(set) var hasOtherThanThousands = false
    private(set) var exampleOfCommas = ""
    private(set) var exampleOfPoints = ""

    /// Whether the column is one of numbers, some of them with decimal commas.
    var isOfCommas: Bool { withComma > 0 && Double(whole + withComma) >= 0.9 * Double(filled) }
    /// Whether the column is one of numbers, some of them with decimal points.
    var isOfPoints: Bool { withPoint > 0 && Double(whole + withPoint) >= 0.9 * Double(filled) }

    mutating func take(_ field: ArraySlice<UInt8>) {
        guard !field.isEmpty, field.count <= 40 else { return }
        filled += 1
        let bytes = Array(field)
        let isComma = bytes.contains(UInt8(ascii: ","))
        let isPoint = bytes.contains(UInt8(ascii: "."))
        let isNumber = bytes.withUnsafeBufferPointer {
            DecimalParser.parse($0, decimal: isComma ? UInt8(ascii: ",") : UInt8(ascii: ".")) != nil
        }
        guard isNumber, bytes.contains(where: { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else {
            return
        }
        if isComma {
            withComma += 1
            if exampleOfCommas.isEmpty { exampleOfCommas = String(decoding: bytes, as: UTF8.self) }
            if !Self.mayHaveThousands(bytes) { hasOtherThanThousands = true }
        } else if isPoint {
            withPoint += 1
            if exampleOfPoints.isEmpty { exampleOfPoints = String(decoding: bytes, as: UTF8.self) }
        } else {
            whole += 1
        }
    }

    /// Whether a number is written as 1,234: one to three digits, no zero before others, then three.
    private static func mayHaveThousands(_ bytes: [UInt8]) -> Bool {
        let digits = bytes.drop { $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "+") }
        let parts = digits.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false)
        guard parts.count == 2, (1...3).contains(parts[0].count), parts[1].count == 3 else { return false }
        return parts[0].first != UInt8(ascii: "0")
            && parts[1].allSatisfy { $0 != UInt8(ascii: "e") && $0 != UInt8(ascii: "E") }
    }
}
