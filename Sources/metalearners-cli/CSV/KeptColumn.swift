/// The fields of a column of a CSV file, byte for byte as they stand in it, but for quotation marks around them.
package struct KeptColumn: Sendable {
    /// The name.
    package let name: String
    private var bytes: [UInt8] = []
    private var ends: [Int] = []

    init(_ name: String) { self.name = name }

    mutating func append(_ field: UnsafeBufferPointer<UInt8>) {
        bytes.append(contentsOf: field)
        ends.append(bytes.count)
    }

    /// The fields of some rows.
    package func selecting(_ rows: [Int32]) -> KeptColumn {
        var chosen = KeptColumn(name)
        for row in rows {
            chosen.bytes.append(contentsOf: field(Int(row)))
            chosen.ends.append(chosen.bytes.count)
        }
        return chosen
    }

    private func field(_ row: Int) -> ArraySlice<UInt8> { bytes[(row > 0 ? ends[row - 1] : 0)..<ends[row]] }

    /// How many fields there are.
    package var count: Int { ends.count }

    /// Writes the field of a row, in quotation marks where it needs them.
    package func write(_ row: Int, to text: inout [UInt8]) {
        let field = field(row)
        let needsMarks =
            field.first == UInt8(ascii: " ") || field.last == UInt8(ascii: " ")
            || field.contains { Self.marks.contains($0) }
        guard needsMarks else {
            text.append(contentsOf: field)
            return
        }
        text.append(UInt8(ascii: "\""))
        for byte in field {
            if byte == UInt8(ascii: "\"") { text.append(byte) }
            text.append(byte)
        }
        text.append(UInt8(ascii: "\""))
    }

    private static let marks = [
        UInt8(ascii: ","), UInt8(ascii: "\""), UInt8(ascii: "\n"), UInt8(ascii: "\r"), UInt8(ascii: "\t"),
    ]
}
