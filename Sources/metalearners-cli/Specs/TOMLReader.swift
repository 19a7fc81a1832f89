import MetaLearnersCore

/// Reads TOML 1.0 into spec values, without dates and times, which no key takes.
///
/// Values and keys are nested to a limit, so that no text overflows the stack; nothing else in a text ends the process.
/// Complexity: linear in the length of the text.
struct TOMLReader {
    /// What error messages call the text.
    let source: String

    /// The value of a document.
    ///
    /// - Throws: `invalidSpec`, naming line and column.
    func read(_ text: String) throws(MetaLearnersError) -> SpecValue {
        var scan = TOMLScan(Array(text.utf8), source: source)
        return try scan.document()
    }
}

/// A table while its document is being read.
private final class TOMLTable {
    /// How a table came about, which says who may add to it.
    enum Origin {
        /// By the name of a table within it: its own name may still come.
        case implied
        /// By its name in brackets.
        case named
        /// By a key of several parts: further such keys may add to it.
        case dotted
        /// In braces: it is complete.
        case braces
    }

    enum Entry {
        case value(SpecValue)
        case table(TOMLTable)
        case tables([TOMLTable])
    }

    var origin: Origin
    private(set) var keys: [String] = []
    private var entries: [String: Entry] = [:]

    init(_ origin: Origin) { self.origin = origin }

    subscript(key: String) -> Entry? {
        get { entries[key] }
        set {
            if entries.updateValue(newValue ?? .value(.null), forKey: key) == nil { keys.append(key) }
        }
    }

    /// The table as a value. Keys have few parts, so that this is not deep.
    var value: SpecValue {
        var object = SpecObject()
        for key in keys {
            switch entries[key] {
            case .value(let value): object[key] = value
            case .table(let table): object[key] = table.value
            case .tables(let tables): object[key] = .array(tables.map(\.value))
            case nil: break
            }
        }
        return .object(object)
    }
}

private struct TOMLScan {
    /// Brackets and braces within each other, and parts of a key: far more than any spec has.
    private static let limit = 64

    private let bytes: [UInt8]
    private let source: String
    private var position = 0

    init(_ bytes: [UInt8], source: String) {
        self.bytes = bytes
        self.source = source
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }
    }

    // MARK: Marks

    private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

    private func isNext(_ text: StaticString) -> Bool {
        text.withUTF8Buffer { bytes[position...].starts(with: $0) }
    }

    private mutating func take(_ text: StaticString) -> Bool {
        guard isNext(text) else { return false }
        position += text.utf8CodeUnitCount
        return true
    }

    /// The error of something wrong at a place, by default the one that was reached.
    private func invalid(_ problem: String, at place: Int? = nil) -> MetaLearnersError {
        MetaLearnersError(
            .invalidSpec, at: "\(source), \(TextPlace(of: place ?? position, in: bytes))",
            "is not valid TOML (\(problem))")
    }

    private mutating func skipBlanks() {
        while let byte = next, byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") { position += 1 }
    }

    /// Goes past blanks, and a comment, to the end of the line or of the text.
    private mutating func endLine() throws(MetaLearnersError) {
        skipBlanks()
        if next == UInt8(ascii: "#") {
            while let byte = next, byte != UInt8(ascii: "\n"), !isNext("\r\n") {
                guard byte >= 0x20 && byte != 0x7F || byte == UInt8(ascii: "\t") else {
                    throw invalid("a comment holds a control character")
                }
                position += 1
            }
        }
        guard next == nil || take("\n") || take("\r\n") else {
            throw invalid("something follows where the line should end")
        }
    }

    /// Goes past blanks, comments and ends of lines.
    private mutating func skipLines() throws(MetaLearnersError) {
        while true {
            skipBlanks()
            guard let byte = next else { return }
            guard byte == UInt8(ascii: "#") || byte == UInt8(ascii: "\n") || isNext("\r\n") else { return }
            try endLine()
        }
    }

    // MARK: Tables

    mutating func document() throws(MetaLearnersError) -> SpecValue {
        let root = TOMLTable(.named)
        var current = root
        while true {
            try skipLines()
            guard next != nil else { return root.value }
            if take("[[") {
                current = try listedTable(in: root)
            } else if take("[") {
                current = try namedTable(in: root)
            } else {
                try assign(in: current, depth: 0)
            }
            try endLine()
        }
    }

    private mutating func namedTable(in root: TOMLTable) throws(MetaLearnersError) -> TOMLTable {
        let start = position
        let path = try key()
        guard take("]") else { throw invalid("a ] is missing after a table's name") }
        let (parent, name) = try parent(of: path, in: root)
        switch parent[name] {
        case nil:
            let table = TOMLTable(.named)
            parent[name] = .table(table)
            return table
        case .table(let table) where table.origin == .implied:
            table.origin = .named
            return table
        default: throw invalid("'\(path.joined(separator: "."))' is defined twice", at: start)
        }
    }

    private mutating func listedTable(in root: TOMLTable) throws(MetaLearnersError) -> TOMLTable {
        let start = position
        let path = try key()
        guard take("]]") else { throw invalid("]] is missing after the name of a list of tables") }
        let (parent, name) = try parent(of: path, in: root)
        let table = TOMLTable(.named)
        switch parent[name] {
        case nil: parent[name] = .tables([table])
        case .tables(let others): parent[name] = .tables(others + [table])
        default: throw invalid("'\(path.joined(separator: "."))' is something else already", at: start)
        }
        return table
    }

    /// The table that the last part of a table's name stands in, and that part.
    private func parent(of path: [String], in root: TOMLTable) throws(MetaLearnersError) -> (
        TOMLTable, String
    ) {
        var table = root
        for name in path.dropLast() {
            switch table[name] {
            case nil:
                let implied = TOMLTable(.implied)
                table[name] = .table(implied)
                table = implied
            case .table(let known) where known.origin != .braces: table = known
            case .tables(let known):
                guard let last = known.last else { throw invalid("'\(name)' is no table") }
                table = last
            default: throw invalid("'\(name)' is no table that can be added to")
            }
        }
        return (table, path.last ?? "")
    }

    /// Reads `key = value` into a table.
    private mutating func assign(in start: TOMLTable, depth: Int) throws(MetaLearnersError) {
        var table = start
        skipBlanks()
        let start = position
        let path = try key()
        guard take("=") else { throw invalid("= is missing after the key '\(path.joined(separator: "."))'") }
        for name in path.dropLast() {
            switch table[name] {
            case nil:
                let dotted = TOMLTable(.dotted)
                table[name] = .table(dotted)
                table = dotted
            case .table(let known) where known.origin == .dotted: table = known
            default: throw invalid("'\(name)' is defined elsewhere", at: start)
            }
        }
        let name = path.last ?? ""
        guard table[name] == nil else {
            throw invalid("the key '\(path.joined(separator: "."))' occurs twice", at: start)
        }
        skipBlanks()
        table[name] = try entry(depth: depth + path.count - 1)
    }

    // MARK: Keys

    /// A key, or a table's name: its parts.
    private mutating func key() throws(MetaLearnersError) -> [String] {
        var parts: [String] = []
        repeat {
            skipBlanks()
            parts.append(try keyPart())
            skipBlanks()
            guard parts.count <= Self.limit else { throw invalid("a key has more than \(Self.limit) parts") }
        } while take(".")
        return parts
    }

    private mutating func keyPart() throws(MetaLearnersError) -> String {
        if next == UInt8(ascii: "\"") || next == UInt8(ascii: "'") { return try shortText() }
        let start = position
        while let byte = next, Self.isBare(byte) { position += 1 }
        guard position > start else {
            throw invalid("a key is missing, or has characters that need quotation marks")
        }
        return String(decoding: bytes[start..<position], as: UTF8.self)
    }

    private static func isBare(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
            true
        default: false
        }
    }

    // MARK: Values

    private mutating func entry(depth: Int) throws(MetaLearnersError) -> TOMLTable.Entry {
        guard depth <= Self.limit else { throw invalid("values are nested more than \(Self.limit) deep") }
        guard next == UInt8(ascii: "{") else { return .value(try value(depth: depth)) }
        position += 1
        let table = TOMLTable(.dotted)
        skipBlanks()
        if !take("}") {
            repeat {
                try assign(in: table, depth: depth + 1)
                skipBlanks()
            } while take(",")
            guard take("}") else { throw invalid("a comma or } is missing in a table in braces") }
        }
        table.origin = .braces
        return .table(table)
    }

    private mutating func value(depth: Int) throws(MetaLearnersError) -> SpecValue {
        switch next {
        case UInt8(ascii: "\""), UInt8(ascii: "'"):
            return .string(isNext("\"\"\"") || isNext("'''") ? try longText() : try shortText())
        case UInt8(ascii: "["):
            position += 1
            var elements: [SpecValue] = []
            while true {
                try skipLines()
                if take("]") { return .array(elements) }
                switch try entry(depth: depth + 1) {
                case .value(let value): elements.append(value)
                case .table(let table): elements.append(table.value)
                case .tables: break
                }
                try skipLines()
                if take("]") { return .array(elements) }
                guard take(",") else { throw invalid("a comma or ] is missing in a list") }
            }
        default: return try word()
        }
    }

    /// A boolean or a number.
    private mutating func word() throws(MetaLearnersError) -> SpecValue {
        let start = position
        while let byte = next,
            Self.isBare(byte) || byte == UInt8(ascii: "+") || byte == UInt8(ascii: ".")
                || byte == UInt8(ascii: ":")
        {
            position += 1
        }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        switch text {
        case "": throw invalid("a value is missing")
        case "true": return .boolean(true)
        case "false": return .boolean(false)
        case "inf", "+inf": return .number(.infinity)
        case "-inf": return .number(-.infinity)
        case "nan", "+nan", "-nan": return .number(.nan)
        default: break
        }
        for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2)] where text.hasPrefix(prefix) {
            guard let digits = Self.joined(text.dropFirst(2), radix: radix),
                let value = Int(digits, radix: radix)
            else { throw invalid("'\(text)' is no number", at: start) }
            return .integer(value)
        }
        return try decimal(text, at: start)
    }

    private func decimal(_ text: String, at start: Int) throws(MetaLearnersError) -> SpecValue {
        let isSigned = text.hasPrefix("+") || text.hasPrefix("-")
        let parts = text.dropFirst(isSigned ? 1 : 0)
        let whole = parts.prefix { $0 != "." && $0 != "e" && $0 != "E" }
        var rest = parts[whole.endIndex...]
        var fraction: Substring?
        if rest.first == "." {
            fraction = rest.dropFirst().prefix { $0 != "e" && $0 != "E" }
            rest = rest[(fraction?.endIndex ?? rest.endIndex)...]
        }
        var exponent: Substring?
        var exponentSign = ""
        if !rest.isEmpty {
            var digits = rest.dropFirst()
            if let sign = digits.first, sign == "+" || sign == "-" {
                exponentSign = String(sign)
                digits = digits.dropFirst()
            }
            exponent = digits
        }
        guard let wholeDigits = Self.joined(whole, radix: 10),
            wholeDigits.count == 1 || wholeDigits.first != "0",
            let fractionDigits = fraction.map({ Self.joined($0, radix: 10) }) ?? "",
            let exponentDigits = exponent.map({ Self.joined($0, radix: 10) }) ?? ""
        else {
            let first = text.utf8.prefix(5)
            let isTime =
                first.count == 5 && text.utf8.first.map { (0x30...0x39).contains($0) } == true
                && (first.last == UInt8(ascii: "-") || first.dropFirst(2).first == UInt8(ascii: ":"))
            throw isTime
                ? MetaLearnersError(
                    .invalidSpec, at: invalid("", at: start).location,
                    "has a date or a time, which no key takes",
                    remedy: "put text into quotation marks")
                : invalid("'\(text)' is no value; text stands in quotation marks", at: start)
        }
        let sign = text.hasPrefix("-") ? "-" : ""
        if fraction == nil, exponent == nil {
            guard let value = Int(sign + wholeDigits) else {
                throw invalid("\(text) is beyond 64 bits", at: start)
            }
            return .integer(value)
        }
        let written =
            sign + wholeDigits + (fraction == nil ? "" : "." + fractionDigits)
            + (exponent == nil ? "" : "e" + exponentSign + exponentDigits)
        guard let number = Double(written), number.isFinite else {
            throw MetaLearnersError(
                .invalidSpec, at: invalid("", at: start).location,
                "the number \(text) is beyond the largest, 1.8e308")
        }
        return .normalized(number)
    }

    /// Digits without the underscores between them; nil where these are not all, or an underscore is not between two.
    private static func joined(_ text: Substring, radix: Int) -> String? {
        var digits = ""
        var follows = false
        for character in text {
            if character == "_" {
                guard follows else { return nil }
                follows = false
            } else {
                guard character.isASCII, let digit = character.hexDigitValue, digit < radix else {
                    return nil
                }
                digits.append(character)
                follows = true
            }
        }
        return follows ? digits : nil
    }

    // MARK: Texts

    private func decoded(_ text: [UInt8]) -> String { String(decoding: text, as: UTF8.self) }

    private static func isControl(_ byte: UInt8) -> Bool {
        byte < 0x20 && byte != UInt8(ascii: "\t") || byte == 0x7F
    }

    private static func isHexadecimal(_ byte: UInt8) -> Bool { Character(Unicode.Scalar(byte)).isHexDigit }

    /// A text within one line.
    private mutating func shortText() throws(MetaLearnersError) -> String {
        let start = position
        let quote = bytes[position]
        position += 1
        var text: [UInt8] = []
        while let byte = next, !Self.isControl(byte) {
            position += 1
            if byte == quote { return decoded(text) }
            if byte == UInt8(ascii: "\\"), quote == UInt8(ascii: "\"") {
                try escape(&text)
            } else {
                text.append(byte)
            }
        }
        throw invalid("a text has no end on its line, or holds a control character", at: start)
    }

    /// A text over several lines, in three quotation marks.
    private mutating func longText() throws(MetaLearnersError) -> String {
        let start = position
        let quote = bytes[position]
        position += 3
        if !take("\n") { _ = take("\r\n") }
        var text: [UInt8] = []
        while let byte = next {
            if byte == quote {
                var count = 0
                while next == quote, count < 5 {
                    count += 1
                    position += 1
                }
                // Up to two of the marks may belong to the text.
                text += [UInt8](repeating: quote, count: count < 3 ? count : count - 3)
                if count >= 3 { return decoded(text) }
                continue
            }
            let isLineEnd = byte == UInt8(ascii: "\n") || isNext("\r\n")
            guard isLineEnd || !Self.isControl(byte) else { break }
            // Line ends of Windows are those of everybody else.
            if byte == UInt8(ascii: "\r") {
                position += 1
                continue
            }
            position += 1
            if byte == UInt8(ascii: "\\"), quote == UInt8(ascii: "\"") {
                if try !skipsLineEnd() { try escape(&text) }
            } else {
                text.append(byte)
            }
        }
        throw invalid("a text has no end, or holds a control character", at: start)
    }

    /// After a backslash at the end of a line: goes past all blanks and ends of lines that follow.
    private mutating func skipsLineEnd() throws(MetaLearnersError) -> Bool {
        let before = position
        skipBlanks()
        guard next == UInt8(ascii: "\n") || isNext("\r\n") else {
            position = before
            return false
        }
        while true {
            skipBlanks()
            guard take("\n") || take("\r\n") else { return true }
        }
    }

    private mutating func escape(_ text: inout [UInt8]) throws(MetaLearnersError) {
        guard let byte = next else { throw invalid("a text has no end") }
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): text.append(byte)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0C)
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"), UInt8(ascii: "U"):
            let digits = bytes[position...].prefix(byte == UInt8(ascii: "u") ? 4 : 8)
            guard digits.count == (byte == UInt8(ascii: "u") ? 4 : 8), digits.allSatisfy(Self.isHexadecimal),
                let number = UInt32(String(decoding: digits, as: UTF8.self), radix: 16),
                let scalar = Unicode.Scalar(number)
            else { throw invalid("\\u is not followed by the number of a character") }
            position += digits.count
            text += Array(String(Character(scalar)).utf8)
        default: throw invalid("\\ stands before a character that it cannot")
        }
    }
}
