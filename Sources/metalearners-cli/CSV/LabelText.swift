import MetaLearnersCore

/// A text that may be the number of a label: an arm, a cluster, a level of a category.
///
/// Integers stay what they are, however long they are: no double could tell all of them apart. `1.0` and `1` are the
/// same label, as tools write the one for the other; `007` and `7` are not.
struct LabelText {
    /// The label.
    let label: String
    /// The number; nil where the text is none.
    let number: Double?
    private let integer: Int?

    /// Reads `text`.
    init(_ text: String) {
        let digits = text.utf8.drop { $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "+") }
        let isInteger =
            !digits.isEmpty && digits.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        let hasLeadingZero = digits.count > 1 && digits.first == UInt8(ascii: "0") && isInteger
        let value = Array(text.utf8).withUnsafeBufferPointer { DecimalParser.parse($0) }
        number = value.flatMap { $0.isFinite ? $0 : nil }
        integer = isInteger && !hasLeadingZero ? Int(text) : nil
        if let integer {
            label = String(integer)
        } else if let number, !isInteger {
            label = Column.label(of: number)
        } else {
            label = text
        }
    }

    /// The order of numbers; of texts where they are none.
    static func precedes(_ first: LabelText, _ second: LabelText) -> Bool {
        if let first = first.integer, let second = second.integer { return first < second }
        if let first = first.number, let second = second.number, first != second { return first < second }
        return first.label < second.label
    }
}
