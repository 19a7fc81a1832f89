import MetaLearnersCore

/// A column while its file is being read: numbers until a field is none, levels from then on.
///
/// Numbers are kept as numbers alone. Where a later field turns the column into text, the texts of the earlier
/// rows are read from the file once more: `rowsToRecover` says how many.
struct CSVColumn {
    private let name: String
    private let decimal: UInt8
    private var values = NumberColumn()
    private var hasNumbers = false
    /// The levels; nil as long as every field was a number or missing.
    private var levels: LevelTable?
    /// The codes of the first rows, from the second reading.
    private var recovered = NumberColumn()
    /// How many of the first rows must be read again, as text.
    private(set) var rowsToRecover = 0

    /// Creates an empty column whose numbers have `decimal` before their decimals.
    init(_ name: String, decimal: UInt8) {
        self.name = name
        self.decimal = decimal
    }

    /// Appends a field.
    ///
    /// - Returns: whether the field was a number or missing; otherwise it is text, to be checked by the caller.
    mutating func append(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        if levels == nil {
            if let number = DecimalParser.parse(bytes, decimal: decimal) {
                hasNumbers = true
                values.append(number)
                return true
            }
            if Self.isMissing(bytes) {
                values.append(.nan)
                return true
            }
            turnToText()
        } else if Self.isMissing(bytes) {
            values.append(-1)
            return true
        }
        values.append(Double(levels?.code(of: bytes) ?? -1))
        return false
    }

    /// Appends a field of one of the first `rowsToRecover` rows, read again.
    mutating func recover(_ bytes: UnsafeBufferPointer<UInt8>) {
        guard recovered.count < rowsToRecover else { return }
        recovered.append(Self.isMissing(bytes) ? -1 : Double(levels?.code(of: bytes) ?? -1))
    }

    private mutating func turnToText() {
        levels = LevelTable()
        let rows = values.count
        values = NumberColumn()
        if hasNumbers {
            rowsToRecover = rows
        } else {
            for _ in 0..<rows { values.append(-1) }
        }
    }

    /// The finished column, which is empty afterwards.
    ///
    /// - Throws: `invalidData` where the rows to recover were not all there the second time.
    mutating func take() throws(MetaLearnersError) -> Column {
        guard let levels else { return Column(name, try values.take()) }
        guard recovered.count == rowsToRecover else {
            throw MetaLearnersError(
                .invalidData, at: "column '\(name)'", "the file changed while it was being read")
        }
        let (names, places) = levels.sorted()
        var codes = NumberColumn()
        for part in [recovered, values] {
            part.forEach { codes.append($0 < 0 ? -1 : Double(places[Int($0)])) }
        }
        recovered = NumberColumn()
        values = NumberColumn()
        return Column(name, codes: try codes.take(), levels: names)
    }

    /// Whether a field says that there is no value: it is empty, `NA`, `NaN` or `null` (or `nan`, `NAN`, `NULL`).
    private static func isMissing(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        switch bytes.count {
        case 0: return true
        case 2: return bytes[0] == UInt8(ascii: "N") && bytes[1] == UInt8(ascii: "A")
        case 3: return spells(bytes, "NaN") || spells(bytes, "nan") || spells(bytes, "NAN")
        case 4: return spells(bytes, "null") || spells(bytes, "NULL")
        default: return false
        }
    }

    private static func spells(_ bytes: UnsafeBufferPointer<UInt8>, _ word: StaticString) -> Bool {
        word.withUTF8Buffer { bytes.elementsEqual($0) }
    }
}
