import MetaLearnersCore

/// Reads the keys and values of a TOML 1.0 text, one after another; what they make up is for `TOMLReader` to say.
struct TOMLScanner {
    /// A value: tables within it are closed, nothing can be added to them.
    indirect enum Value {
        case plain(SpecValue)
        case array([Value])
        /// An inline table: its entries, as keys with their places.
        case table([(key: Key, value: Value)])
    }

    /// A key of one or more parts, and where it begins.
    struct Key {
        let parts: [String]
        let position: Int
    }

    /// No spec is nested as deeply; each level takes some of the stack.
    static let depthLimit = 64

    private let bytes: [UInt8]
    private let source: String
    private(set) var position = 0

    /// Creates a scanner of UTF-8 text, called `source` in error messages.
    init(_ text: String, source: String) {
        bytes = Array(text.utf8)
        self.source = source
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }
    }

    /// The byte at the place that was reached, nil at the end.
    var next: UInt8? { position < bytes.count ? bytes[position] : nil }

    /// Steps over `mark`, where it is what comes next.
    mutating func skip(_ mark: String) -> Bool {
        guard bytes[position...].starts(with: mark.utf8) else { return false }
        position += mark.utf8.count
        return true
    }

    /// Steps over blanks and tabs.
    mutating func skipBlanks() { while next == 0x20 || next == 0x09 { position += 1 } }

    /// Steps over blanks, comments and line ends.
    mutating func skipLines() throws(MetaLearnersError) {
        while true {
            skipBlanks()
            try skipComment()
            guard skip("\n") || skip("\r\n") else { return }
        }
    }

    /// Checks that nothing but a comment comes before the end of the line.
    mutating func requireLineEnd() throws(MetaLearnersError) {
        skipBlanks()
        try skipComment()
        guard next == nil || skip("\n") || skip("\r\n") else {
            throw error("\(found) stands where the line should end")
        }
    }

    private mutating func skipComment() throws(MetaLearnersError) {
        guard next == UInt8(ascii: "#") else { return }
        while let byte = next, byte != 0x0A {
            guard !Self.isControl(byte) || byte == 0x0D && bytes[position...].starts(with: [0x0D, 0x0A])
            else {
                throw error("a control character stands in a comment")
            }
            position += 1
        }
        if position > 0, next == 0x0A, bytes[position - 1] == 0x0D { position -= 1 }
    }

    /// A key, dotted or not.
    mutating func readKey() throws(MetaLearnersError) -> Key {
        let start = position
        var parts: [String] = []
        repeat {
            skipBlanks()
            parts.append(try readKeyPart())
            skipBlanks()
        } while skip(".")
        guard parts.count <= Self.depthLimit else { throw error("a key has too many parts", at: start) }
        return Key(parts: parts, position: start)
    }

    private mutating func readKeyPart() throws(MetaLearnersError) -> String {
        if next == UInt8(ascii: "\"") { return try readBasicString() }
        if next == UInt8(ascii: "'") { return try readLiteralString() }
        let start = position
        while let byte = next, Self.isBare(byte) { position += 1 }
        guard position > start else { throw error("\(found) stands where a key is expected") }
        return text(start..<position)
    }

    /// A value.
    mutating func readValue(depth: Int = 0) throws(MetaLearnersError) -> Value {
        guard depth < Self.depthLimit else { throw error("values are nested too deeply") }
        switch next {
        case UInt8(ascii: "["): return try readArray(depth: depth)
        case UInt8(ascii: "{"): return try readInlineTable(depth: depth)
        case UInt8(ascii: "\""):
            return .plain(.string(skip("\"\"\"") ? try readMultiLine(basic: true) : try readBasicString()))
        case UInt8(ascii: "'"):
            return .plain(.string(skip("'''") ? try readMultiLine(basic: false) : try readLiteralString()))
        default: return .plain(try readWord())
        }
    }

    private mutating func readArray(depth: Int) throws(MetaLearnersError) -> Value {
        position += 1
        var elements: [Value] = []
        while true {
            try skipLines()
            if skip("]") { return .array(elements) }
            elements.append(try readValue(depth: depth + 1))
            try skipLines()
            if skip("]") { return .array(elements) }
            guard skip(",") else { throw error("\(found) stands where a comma or ] is expected") }
        }
    }

    private mutating func readInlineTable(depth: Int) throws(MetaLearnersError) -> Value {
        position += 1
        skipBlanks()
        if skip("}") { return .table([]) }
        var entries: [(key: Key, value: Value)] = []
        while true {
            let key = try readKey()
            guard skip("=") else { throw error("\(found) stands where = is expected") }
            skipBlanks()
            entries.append((key, try readValue(depth: depth + 1)))
            skipBlanks()
            if skip("}") { return .table(entries) }
            guard skip(",") else {
                throw error("\(found) stands where a comma or } is expected (a table in braces is one line)")
            }
        }
    }

    private mutating func readLiteralString() throws(MetaLearnersError) -> String {
        let start = position
        position += 1
        while let byte = next, byte != UInt8(ascii: "'") {
            guard !Self.isControl(byte) else { throw unclosed(start) }
            position += 1
        }
        guard next != nil else { throw unclosed(start) }
        position += 1
        return text(start + 1..<position - 1)
    }

    private mutating func readBasicString() throws(MetaLearnersError) -> String {
        let start = position
        position += 1
        var text: [UInt8] = []
        while let byte = next, byte != UInt8(ascii: "\"") {
            if byte == UInt8(ascii: "\\") {
                try readEscape(into: &text)
            } else {
                guard !Self.isControl(byte) else { throw unclosed(start) }
                text.append(byte)
                position += 1
            }
        }
        guard next != nil else { throw unclosed(start) }
        position += 1
        return String(decoding: text, as: UTF8.self)
    }

    /// A text of several lines, after its opening marks. One or two marks may stand before the closing three.
    private mutating func readMultiLine(basic: Bool) throws(MetaLearnersError) -> String {
        let start = position
        let mark = UInt8(ascii: basic ? "\"" : "'")
        var text: [UInt8] = []
        if !skip("\n") { _ = skip("\r\n") }
        while let byte = next {
            if byte == mark {
                var count = 0
                while count < 5, position + count < bytes.count, bytes[position + count] == mark {
                    count += 1
                }
                position += count
                text += [UInt8](repeating: mark, count: count >= 3 ? count - 3 : count)
                if count >= 3 { return String(decoding: text, as: UTF8.self) }
            } else if basic, byte == UInt8(ascii: "\\") {
                if !trimLineEnd() { try readEscape(into: &text) }
            } else {
                // Line ends of Windows are those of everybody else.
                if bytes[position...].starts(with: [0x0D, 0x0A]) { position += 1 }
                guard let plain = next, plain == 0x0A || !Self.isControl(plain) else {
                    throw error("a control character stands in a text")
                }
                text.append(plain)
                position += 1
            }
        }
        throw unclosed(start)
    }

    /// A backslash at the end of a line, with all blanks and line ends that follow it.
    private mutating func trimLineEnd() -> Bool {
        var end = position + 1
        while end < bytes.count, bytes[end] == 0x20 || bytes[end] == 0x09 { end += 1 }
        guard bytes[end...].starts(with: [0x0A]) || bytes[end...].starts(with: [0x0D, 0x0A]) else {
            return false
        }
        while end < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[end]) { end += 1 }
        position = end
        return true
    }

    private mutating func readEscape(into text: inout [UInt8]) throws(MetaLearnersError) {
        let start = position
        position += 1
        let digits: Int
        switch next {
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "f"): text.append(0x0C)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "\""): text.append(UInt8(ascii: "\""))
        case UInt8(ascii: "\\"): text.append(UInt8(ascii: "\\"))
        case UInt8(ascii: "u"), UInt8(ascii: "U"):
            digits = next == UInt8(ascii: "u") ? 4 : 8
            let code = bytes[(position + 1)...].prefix(digits)
            guard code.count == digits, code.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }),
                let value = UInt32(String(decoding: code, as: UTF8.self), radix: 16),
                let scalar = Unicode.Scalar(value)
            else {
                throw error("the escape is no character: \\u takes 4 hexadecimal digits, \\U 8", at: start)
            }
            text.append(contentsOf: String(scalar).utf8)
            position += digits
        default: throw error("the backslash and what follows it are no escape", at: start)
        }
        position += 1
    }

    /// A number or a boolean.
    private mutating func readWord() throws(MetaLearnersError) -> SpecValue {
        let start = position
        while let byte = next, Self.isBare(byte) || [0x2B, 0x2E, 0x3A].contains(byte) { position += 1 }
        let word = text(start..<position)
        switch word {
        case "": throw error("\(found) stands where a value is expected")
        case "true": return .boolean(true)
        case "false": return .boolean(false)
        case "inf", "+inf": return .number(.infinity)
        case "-inf": return .number(-.infinity)
        case "nan", "+nan", "-nan": return .number(.nan)
        default: break
        }
        if let number = try number(word, at: start) { return number }
        if Self.isDate(word) {
            throw error(
                "'\(word)' is a date or a time, which no key takes; put text into quotation marks", at: start)
        }
        throw error("'\(word.prefix(40))' is no value; text stands in quotation marks", at: start)
    }

    private func number(_ word: String, at start: Int) throws(MetaLearnersError) -> SpecValue? {
        for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2)] where word.hasPrefix(prefix) {
            let isDigit = { (digit: Character) in digit.hexDigitValue.map { $0 < radix } ?? false }
            guard let digits = Self.withoutUnderscores(word.dropFirst(2), isDigit), !digits.isEmpty,
                digits.allSatisfy(isDigit)
            else { return nil }
            guard let value = Int(digits, radix: radix) else {
                throw error("the number \(word.prefix(40)) is too large", at: start)
            }
            return .integer(value)
        }
        guard let digits = Self.withoutUnderscores(word[...], \.isNumber), Self.isDecimal(digits) else {
            return nil
        }
        if digits.allSatisfy({ $0.isNumber || $0 == "-" || $0 == "+" }) {
            guard let value = Int(digits) else {
                throw error("the number \(word.prefix(40)) is too large", at: start)
            }
            return .integer(value)
        }
        return Double(digits).map { .normalized($0) }
    }

    /// The digits of a number, between which single underscores may stand; nil where they stand elsewhere.
    private static func withoutUnderscores(_ text: Substring, _ isDigit: (Character) -> Bool) -> String? {
        let characters = Array(text)
        for (index, character) in characters.enumerated() where character == "_" {
            guard index > 0, index + 1 < characters.count, isDigit(characters[index - 1]),
                isDigit(characters[index + 1])
            else { return nil }
        }
        return String(characters.filter { $0 != "_" })
    }

    /// Whether a text is a decimal number: a sign, digits without a leading zero, digits after a point, an exponent.
    private static func isDecimal(_ text: String) -> Bool {
        var rest = text.utf8[...]
        func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
        func skipDigits() -> Int {
            let count = rest.prefix(while: isDigit).count
            rest = rest.dropFirst(count)
            return count
        }
        if let sign = rest.first, sign == 0x2B || sign == 0x2D { rest = rest.dropFirst() }
        let first = rest.first
        let whole = skipDigits()
        guard whole > 0, whole == 1 || first != 0x30 else { return false }
        if rest.first == 0x2E {
            rest = rest.dropFirst()
            guard skipDigits() > 0 else { return false }
        }
        if let mark = rest.first, mark | 0x20 == 0x65 {
            rest = rest.dropFirst()
            if let sign = rest.first, sign == 0x2B || sign == 0x2D { rest = rest.dropFirst() }
            guard skipDigits() > 0 else { return false }
        }
        return rest.isEmpty
    }

    /// Whether a word looks like 2001-01-01 or 07:30.
    private static func isDate(_ word: String) -> Bool {
        let parts = word.split { $0 == "-" || $0 == ":" }
        return parts.count > 1 && parts[0].allSatisfy(\.isNumber)
            && (parts[0].count == 4 || parts[0].count == 2)
    }

    private static func isBare(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x61...0x7A, 0x41...0x5A, 0x30...0x39, UInt8(ascii: "_"), UInt8(ascii: "-"): true
        default: false
        }
    }

    private static func isControl(_ byte: UInt8) -> Bool { byte < 0x20 && byte != 0x09 || byte == 0x7F }

    private func text(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }

    /// What comes next, for an error message.
    private var found: String {
        guard position < bytes.count else { return "the end of the text" }
        let rest = String(decoding: bytes[position..<min(position + 8, bytes.count)], as: UTF8.self)
        guard let character = rest.first, !character.isNewline else { return "the end of the line" }
        return "'\(character)'"
    }

    private func unclosed(_ start: Int) -> MetaLearnersError {
        error("the text that begins here has no closing quotation mark", at: start)
    }

    /// The error of something wrong at a place, by default the one that was reached.
    func error(_ problem: String, at place: Int? = nil) -> MetaLearnersError {
        let before = bytes[..<min(place ?? position, bytes.count)]
        let line = before.reduce(into: 1) { count, byte in if byte == 0x0A { count += 1 } }
        let start = before.lastIndex(of: 0x0A).map { $0 + 1 } ?? 0
        let column = before[start...].count { $0 & 0xC0 != 0x80 } + 1
        return MetaLearnersError(
            .invalidSpec, at: "\(source), line \(line), column \(column)", "is not valid TOML (\(problem))")
    }
}
