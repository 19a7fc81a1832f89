/// Reads JSON (RFC 8259) into spec values.
///
/// A number written without a point or an exponent is an integer where it fits into 64 bits; one with a point, where it has
/// no fraction and every integer of its size is a double; all others are numbers. So what `SpecValue.json` wrote comes back
/// as the same text. Complexity: linear in the length of the text.
struct JSONReader {
    /// Values within values, at most.
    private static let depthLimit = 128

    private let bytes: [UInt8]
    private let source: String
    private var position = 0

    /// The value of a document.
    ///
    /// - Throws: `invalidSpec`, naming line and column.
    static func read(_ bytes: [UInt8], source: String) throws(MetaLearnersError) -> SpecValue {
        guard String(validating: bytes, as: UTF8.self) != nil else {
            throw MetaLearnersError(.invalidSpec, at: source, "is not UTF-8 text")
        }
        var reader = JSONReader(bytes: bytes, source: source)
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { reader.position = 3 }
        let value = try reader.value(depth: 0)
        reader.skipBlanks()
        guard reader.position == bytes.count else { throw reader.invalid("there is more after its end") }
        return value
    }

    private init(bytes: [UInt8], source: String) {
        self.bytes = bytes
        self.source = source
    }

    private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func skipBlanks() {
        while let byte = next, byte == 0x20 || (0x09...0x0D).contains(byte) && byte != 0x0B && byte != 0x0C {
            position += 1
        }
    }

    private mutating func take(_ byte: Character) -> Bool {
        guard next == byte.asciiValue else { return false }
        position += 1
        return true
    }

    private func error(_ problem: String, remedy: String? = nil) -> MetaLearnersError {
        MetaLearnersError(
            .invalidSpec, at: "\(source), \(TextPlace(of: position, in: bytes))", problem, remedy: remedy)
    }

    private func invalid(_ problem: String) -> MetaLearnersError { error("is not valid JSON (\(problem))") }

    private mutating func value(depth: Int) throws(MetaLearnersError) -> SpecValue {
        guard depth <= Self.depthLimit else {
            throw invalid("values are nested more than \(Self.depthLimit) deep")
        }
        skipBlanks()
        switch next {
        case UInt8(ascii: "{"): return try object(depth: depth)
        case UInt8(ascii: "["): return try array(depth: depth)
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .boolean(true))
        case UInt8(ascii: "f"): return try word("false", .boolean(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        case nil: throw invalid("it ends where a value should stand")
        default: return try number()
        }
    }

    private mutating func word(_ word: String, _ value: SpecValue) throws(MetaLearnersError) -> SpecValue {
        guard bytes[position...].starts(with: word.utf8) else { throw invalid("a word is none of its own") }
        position += word.utf8.count
        return value
    }

    private mutating func array(depth: Int) throws(MetaLearnersError) -> SpecValue {
        position += 1
        var elements: [SpecValue] = []
        skipBlanks()
        if take("]") { return .array([]) }
        while true {
            elements.append(try value(depth: depth + 1))
            skipBlanks()
            if take("]") { return .array(elements) }
            guard take(",") else { throw invalid("a comma or ] is missing in a list") }
            skipBlanks()
            guard next != UInt8(ascii: "]") else { throw invalid("a comma stands before the closing ]") }
        }
    }

    private mutating func object(depth: Int) throws(MetaLearnersError) -> SpecValue {
        position += 1
        var object = SpecObject()
        skipBlanks()
        if take("}") { return .object(object) }
        while true {
            skipBlanks()
            guard next == UInt8(ascii: "\"") else { throw invalid("a key in double quotes is missing") }
            let start = position
            let key = try string()
            guard object[key] == nil else {
                position = start
                throw error("has the key \"\(key)\" twice in one object", remedy: "keep one of the two")
            }
            skipBlanks()
            guard take(":") else { throw invalid("a colon is missing after the key \"\(key)\"") }
            object[key] = try value(depth: depth + 1)
            skipBlanks()
            if take("}") { return .object(object) }
            guard take(",") else { throw invalid("a comma or } is missing in an object") }
            skipBlanks()
            guard next != UInt8(ascii: "}") else { throw invalid("a comma stands before the closing }") }
        }
    }

    // MARK: Numbers

    private mutating func digits() -> Int {
        let start = position
        while let byte = next, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { position += 1 }
        return position - start
    }

    private mutating func number() throws(MetaLearnersError) -> SpecValue {
        let start = position
        _ = take("-")
        let first = next
        let whole = digits()
        guard whole > 0 else { throw invalid("a value is none") }
        guard whole == 1 || first != UInt8(ascii: "0") else {
            position = start
            throw invalid("a number begins with 0")
        }
        var hasPoint = false
        var hasExponent = false
        if take(".") {
            hasPoint = true
            guard digits() > 0 else { throw invalid("a number ends with its point") }
        }
        if take("e") || take("E") {
            hasExponent = true
            if !take("+") { _ = take("-") }
            guard digits() > 0 else { throw invalid("a number ends within its exponent") }
        }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        if text == "-0" { return .number(-0.0) }
        if !hasPoint, !hasExponent, let integer = Int(text) { return .integer(integer) }
        // Not by the C library: it reads numbers as the locale of the host has them.
        guard let number = Double(text), number.isFinite else {
            position = start
            throw error("the number \(text) is beyond the largest, 1.8e308", remedy: "write a smaller one")
        }
        return hasExponent ? .number(number) : .normalized(number)
    }

    // MARK: Texts

    private mutating func string() throws(MetaLearnersError) -> String {
        let start = position
        position += 1
        var text: [UInt8] = []
        while let byte = next {
            position += 1
            switch byte {
            case UInt8(ascii: "\""): return String(decoding: text, as: UTF8.self)
            case UInt8(ascii: "\\"): try escape(&text)
            case 0x0A, 0x0D:
                position = start
                throw invalid("a text has no end in its line")
            case 0..<0x20:
                position -= 1
                throw invalid("a text holds a control character")
            default: text.append(byte)
            }
        }
        position = start
        throw invalid("a text has no end")
    }

    private mutating func escape(_ text: inout [UInt8]) throws(MetaLearnersError) {
        guard let byte = next else { throw invalid("a text has no end") }
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0C)
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"):
            var unit = try codeUnit()
            if (0xD800..<0xDC00).contains(unit) {
                // Beyond the first 65,536 characters two escapes stand for one.
                guard take("\\"), take("u") else { throw invalid("half of a character is missing") }
                let low = try codeUnit()
                guard (0xDC00..<0xE000).contains(low) else { throw invalid("half of a character is missing") }
                unit = 0x10000 + (unit - 0xD800) << 10 + (low - 0xDC00)
            }
            guard let scalar = Unicode.Scalar(unit) else { throw invalid("half of a character is missing") }
            text += Array(String(Character(scalar)).utf8)
        default: throw invalid("\\ stands before a character that it cannot")
        }
    }

    private mutating func codeUnit() throws(MetaLearnersError) -> UInt32 {
        guard position + 4 <= bytes.count,
            let unit = UInt32(String(decoding: bytes[position..<position + 4], as: UTF8.self), radix: 16),
            bytes[position..<position + 4].allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit })
        else { throw invalid("\\u is not followed by four digits") }
        position += 4
        return unit
    }
}
