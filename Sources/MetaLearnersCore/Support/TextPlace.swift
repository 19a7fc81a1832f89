/// A place in a text as editors show it: line and column, from 1. Columns count characters as Unicode has them.
package struct TextPlace: CustomStringConvertible {
    package let line: Int
    package let column: Int

    /// The place of the byte at `position` of UTF-8 text; that of its end where there are fewer bytes.
    package init(of position: Int, in bytes: [UInt8]) {
        let before = bytes[..<min(max(position, 0), bytes.count)]
        line = before.reduce(into: 1) { count, byte in if byte == UInt8(ascii: "\n") { count += 1 } }
        // A byte-order mark is no character.
        let mark = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? min(3, before.endIndex) : 0
        let start = before.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? mark
        column = before[start...].count { $0 & 0xC0 != 0x80 } + 1
    }

    package var description: String { "line \(line), column \(column)" }
}
