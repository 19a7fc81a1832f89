/// Reads JSON (RFC 8259) into spec values, and says where a text is none.
///
/// Written here because JSON is the only thing that Foundation would be needed for, which would double the size of the
/// library, and because errors can then name line and column. A key that an object has twice is an error, where decoders
/// take one of the two in silence. Complexity: linear in the length of the text.
struct JSONReader {
    /// More levels than any spec has; each takes some of the stack.
    private static let depthLimit = 512

    private let bytes: [UInt8]
    private let source: String
    private var index = 0
    private var depth = 0

    /// Creates a reader of UTF-8 text, called `source` in error messages.
    init(_ bytes: [UInt8], source: String) {
        self.bytes = bytes
        self.source = source
    }

    /// The value that the whole text is.
    ///
    /// - Throws: `invalidSpec`, naming line and column.
    mutating func read() throws(MetaLearnersError) -> SpecValue {
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { index = 3 }
        skipBlanks()
        guard index < bytes.count else { throw notJSON(at: index, "the text is empty") }
        let value = try readValue()
        skipBlanks()
        guard index == bytes.count else {
            throw notJSON(at: index, "\(found(at: index)) follows the end of the value")
        }
        return value
    }

    private mutating func readValue() throws(MetaLearnersError) -> SpecValue {
        switch byte(at: index) {
        case UInt8(ascii: "{"): return try readObject()
        case UInt8(ascii: "["): return try readArray()
        case UInt8(ascii: "\""): return .string(try readString())
        case UInt8(ascii: "-"), .some(UInt8(ascii: "0")...UInt8(ascii: "9")): return try readNumber()
        default: return try readWord()
        }
    }

    private mutating func readObject() throws(MetaLearnersError) -> SpecValue {
        try enter()
        var entries: [String: SpecValue] = [:]
        if try !isClosed(by: UInt8(ascii: "}")) {
            repeat {
                skipBlanks()
                let start = index
                guard byte(at: index) == UInt8(ascii: "\"") else {
                    throw notJSON(
                        at: index,
                        byte(at: index) == UInt8(ascii: "}")
                            ? "a comma stands before the closing }"
                            : "\(found(at: index)) stands where a key in double quotes is expected")
                }
                let key = try readString()
                skipBlanks()
                guard byte(at: index) == UInt8(ascii: ":") else {
                    throw notJSON(
                        at: index, "\(found(at: index)) stands where the colon after the key is expected")
                }
                index += 1
                skipBlanks()
                guard entries.updateValue(try readValue(), forKey: key) == nil else {
                    throw MetaLearnersError(
                        .invalidSpec, at: place(of: start), "has the key \"\(key)\" twice in one object",
                        remedy: "keep one of the two")
                }
            } while try hasMore(before: UInt8(ascii: "}"))
        }
        depth -= 1
        // Results must not depend on the order in which somebody wrote the keys.
        return .object(SpecObject(entries.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }))
    }

    private mutating func readArray() throws(MetaLearnersError) -> SpecValue {
        try enter()
        var elements: [SpecValue] = []
        if try !isClosed(by: UInt8(ascii: "]")) {
            repeat {
                skipBlanks()
                if byte(at: index) == UInt8(ascii: "]") {
                    throw notJSON(at: index, "a comma stands before the closing ]")
                }
                elements.append(try readValue())
            } while try hasMore(before: UInt8(ascii: "]"))
        }
        depth -= 1
        return .array(elements)
    }

    /// Steps into an object or a list.
    private mutating func enter() throws(MetaLearnersError) {
        guard depth < Self.depthLimit else {
            throw notJSON(at: index, "more than \(Self.depthLimit) levels are nested")
        }
        depth += 1
        index += 1
    }

    /// Whether the object or list that has just begun ends at once.
    private mutating func isClosed(by bracket: UInt8) throws(MetaLearnersError) -> Bool {
        skipBlanks()
        guard byte(at: index) == bracket else { return false }
        index += 1
        return true
    }

    /// Whether a comma follows, and so one more entry, or the closing bracket.
    private mutating func hasMore(before bracket: UInt8) throws(MetaLearnersError) -> Bool {
        skipBlanks()
        let next = byte(at: index)
        guard next == UInt8(ascii: ",") || next == bracket else {
            let closing = String(decoding: [bracket], as: UTF8.self)
            throw notJSON(at: index, "\(found(at: index)) stands where a comma or \(closing) is expected")
        }
        index += 1
        return next == UInt8(ascii: ",")
    }

    private mutating func readString() throws(MetaLearnersError) -> String {
        let start = index
        var text: [UInt8] = []
        index += 1
        while let next = byte(at: index) {
            switch next {
            case UInt8(ascii: "\""):
                index += 1
                guard let string = String(validating: text, as: UTF8.self) else {
                    throw notJSON(at: start, "the text is not UTF-8")
                }
                return string
            case UInt8(ascii: "\\"):
                try readEscape(into: &text)
            case 0..<0x20:
                throw notJSON(
                    at: index,
                    next == 0x0A || next == 0x0D
                        ? "the text that begins at \(position(of: start)) has no closing quotation mark in its line"
                        : "a control character stands in a text; write it as \\u00\(next < 16 ? "0" : "")\(String(next, radix: 16))"
                )
            default:
                text.append(next)
                index += 1
            }
        }
        throw notJSON(at: start, "the text that begins here has no closing quotation mark")
    }

    private mutating func readEscape(into text: inout [UInt8]) throws(MetaLearnersError) {
        let start = index
        index += 1
        let plain: UInt8
        switch byte(at: index) {
        case UInt8(ascii: "u"):
            index += 1
            var code = try readHexadecimal(from: start)
            if (0xD800..<0xDC00).contains(code), byte(at: index) == UInt8(ascii: "\\"),
                byte(at: index + 1) == UInt8(ascii: "u")
            {
                index += 2
                let low = try readHexadecimal(from: start)
                guard (0xDC00..<0xE000).contains(low) else {
                    throw notJSON(at: start, "half of a surrogate pair stands alone")
                }
                code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
            }
            guard let scalar = Unicode.Scalar(code) else {
                throw notJSON(at: start, "half of a surrogate pair stands alone")
            }
            text.append(contentsOf: String(scalar).utf8)
            return
        case UInt8(ascii: "b"): plain = 0x08
        case UInt8(ascii: "f"): plain = 0x0C
        case UInt8(ascii: "n"): plain = 0x0A
        case UInt8(ascii: "r"): plain = 0x0D
        case UInt8(ascii: "t"): plain = 0x09
        case UInt8(ascii: "\""): plain = UInt8(ascii: "\"")
        case UInt8(ascii: "\\"): plain = UInt8(ascii: "\\")
        case UInt8(ascii: "/"): plain = UInt8(ascii: "/")
        default:
            throw notJSON(at: start, "the backslash and \(found(at: index)) are no escape")
        }
        index += 1
        text.append(plain)
    }

    private mutating func readHexadecimal(from start: Int) throws(MetaLearnersError) -> UInt32 {
        var code: UInt32 = 0
        for _ in 0..<4 {
            guard let digit = byte(at: index), let value = Character(Unicode.Scalar(digit)).hexDigitValue
            else { throw notJSON(at: start, "\\u takes four hexadecimal digits") }
            code = code << 4 | UInt32(value)
            index += 1
        }
        return code
    }

    private mutating func readNumber() throws(MetaLearnersError) -> SpecValue {
        let start = index
        if byte(at: index) == UInt8(ascii: "-") { index += 1 }
        let first = byte(at: index)
        let digits = skipDigits()
        guard digits > 0 else { throw notJSON(at: start, "the minus sign stands without a number") }
        guard digits == 1 || first != UInt8(ascii: "0") else {
            throw notJSON(at: start, "a number has a leading zero")
        }
        var isWhole = true
        if byte(at: index) == UInt8(ascii: ".") {
            isWhole = false
            index += 1
            guard skipDigits() > 0 else { throw notJSON(at: start, "a number has no digit after its point") }
        }
        if let mark = byte(at: index), mark | 0x20 == UInt8(ascii: "e") {
            isWhole = false
            index += 1
            if let sign = byte(at: index), sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") {
                index += 1
            }
            guard skipDigits() > 0 else { throw notJSON(at: start, "a number has no digit after its e") }
        }
        let text = String(decoding: bytes[start..<index], as: UTF8.self)
        if isWhole, let value = Int(text) { return .integer(value) }
        guard let value = Double(text), value.isFinite else {
            throw notJSON(at: start, "the number \(text.prefix(40)) is too large")
        }
        return Int(exactly: value).map { .integer($0) } ?? .number(value)
    }

    private mutating func skipDigits() -> Int {
        let start = index
        while let digit = byte(at: index), (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit) {
            index += 1
        }
        return index - start
    }

    private mutating func readWord() throws(MetaLearnersError) -> SpecValue {
        let start = index
        while let letter = byte(at: index), (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(letter | 0x20) {
            index += 1
        }
        switch String(decoding: bytes[start..<index], as: UTF8.self) {
        case "null": return .null
        case "true": return .boolean(true)
        case "false": return .boolean(false)
        case "": throw notJSON(at: start, "\(found(at: start)) stands where a value is expected")
        case let word:
            throw notJSON(at: start, "'\(word.prefix(40))' is no value; text stands in double quotes")
        }
    }

    private mutating func skipBlanks() {
        while let next = byte(at: index), next == 0x20 || next == 0x0A || next == 0x0D || next == 0x09 {
            index += 1
        }
    }

    private func byte(at index: Int) -> UInt8? { index < bytes.count ? bytes[index] : nil }

    /// What is at `index`, for an error message.
    private func found(at index: Int) -> String {
        guard index < bytes.count else { return "the end of the text" }
        let rest = String(decoding: bytes[index..<min(index + 8, bytes.count)], as: UTF8.self)
        guard let character = rest.first, !character.isNewline, character != "'" else {
            return rest.first == "'" ? "a single quotation mark" : "the end of the line"
        }
        return "'\(character)'"
    }

    private func notJSON(at index: Int, _ problem: String) -> MetaLearnersError {
        MetaLearnersError(.invalidSpec, at: place(of: index), "is not valid JSON (\(problem))")
    }

    private func place(of index: Int) -> String { "\(source), \(position(of: index))" }

    /// Line and column, from 1; columns count characters.
    private func position(of index: Int) -> String {
        let before = bytes[..<min(index, bytes.count)]
        let line = before.reduce(into: 1) { count, byte in if byte == 0x0A { count += 1 } }
        let start =
            before.lastIndex(of: 0x0A).map { $0 + 1 } ?? (bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0)
        let column = bytes[min(start, before.endIndex)..<before.endIndex].count { $0 & 0xC0 != 0x80 } + 1
        return "line \(line), column \(column)"
    }
}
