import MetaLearnersCore

/// Looks over a TOML text before it is parsed, for what the parser cannot bear.
///
/// The parser goes one call deeper for each bracket and for each part of a dotted key, without any limit, and stops the
/// process at a table's name that begins with a third bracket. This scan follows strings and comments as TOML has them and
/// needs no stack. Complexity: linear in the length of the text.
struct TOMLGuard {
    /// Brackets within brackets, and parts of a dotted key: far more than any spec has.
    private static let limit = 64

    private let bytes: [UInt8]
    private let source: String
    private var position = 0
    private var line = 1
    private var depth = 0
    private var parts = 1
    /// Whether nothing but blanks came before on the line.
    private var isAtStart = true

    /// Checks a text.
    ///
    /// - Throws: `invalidSpec`, naming the line.
    static func check(_ text: String, source: String) throws(MetaLearnersError) {
        var scan = TOMLGuard(bytes: Array(text.utf8), source: source)
        while scan.position < scan.bytes.count { try scan.step() }
    }

    private init(bytes: [UInt8], source: String) {
        self.bytes = bytes
        self.source = source
    }

    private func error(_ problem: String) -> MetaLearnersError {
        MetaLearnersError(.invalidSpec, at: "\(source), line \(line)", "is not valid TOML (\(problem))")
    }

    private mutating func step() throws(MetaLearnersError) {
        let byte = bytes[position]
        switch byte {
        case UInt8(ascii: "\n"):
            endLine()
            return
        case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"):
            position += 1
            return
        case UInt8(ascii: "#"):
            while position < bytes.count, bytes[position] != UInt8(ascii: "\n") { position += 1 }
            return
        case UInt8(ascii: "\""), UInt8(ascii: "'"):
            isAtStart = false
            skipText(byte)
            return
        case UInt8(ascii: "[") where isAtStart && depth == 0:
            try readTableBrackets()
        case UInt8(ascii: "["), UInt8(ascii: "{"):
            depth += 1
            parts = 1
            guard depth <= Self.limit else { throw error("values are nested more than \(Self.limit) deep") }
        case UInt8(ascii: "]"), UInt8(ascii: "}"):
            depth = max(0, depth - 1)
            parts = 1
        case UInt8(ascii: "="), UInt8(ascii: ","):
            parts = 1
        case UInt8(ascii: "."):
            parts += 1
            guard parts <= Self.limit else { throw error("a key has more than \(Self.limit) parts") }
        default: break
        }
        isAtStart = false
        position += 1
    }

    private mutating func endLine() {
        line += 1
        position += 1
        parts = 1
        isAtStart = true
    }

    /// The brackets ahead of a table's name: one, or two for a list of tables. Leaves the last one to the caller.
    private mutating func readTableBrackets() throws(MetaLearnersError) {
        var count = 1
        while position + 1 < bytes.count {
            switch bytes[position + 1] {
            case UInt8(ascii: "["): count += 1
            case UInt8(ascii: " "), UInt8(ascii: "\t"): break
            default:
                depth += count
                parts = 1
                return
            }
            guard count <= 2 else { throw error("a table's name begins with a bracket") }
            position += 1
        }
        throw error("it ends where a table's name should stand")
    }

    /// Goes past a text: to its closing quotes, or to the end of the line where it may not go beyond.
    private mutating func skipText(_ quote: UInt8) {
        let isLong = bytes[position...].prefix(3).elementsEqual([quote, quote, quote])
        position += isLong ? 3 : 1
        while position < bytes.count {
            let byte = bytes[position]
            if byte == UInt8(ascii: "\\"), quote == UInt8(ascii: "\""), position + 1 < bytes.count {
                if bytes[position + 1] == UInt8(ascii: "\n") { line += 1 }
                position += 2
            } else if byte == UInt8(ascii: "\n"), !isLong {
                return
            } else if byte == quote,
                !isLong || bytes[position...].prefix(3).elementsEqual([quote, quote, quote])
            {
                position += isLong ? 3 : 1
                return
            } else {
                if byte == UInt8(ascii: "\n") { line += 1 }
                position += 1
            }
        }
    }
}
