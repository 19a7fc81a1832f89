extension SpecValue {
    /// Reads a JSON document.
    ///
    /// - Parameters:
    ///   - json: UTF-8 text.
    ///   - source: what the text is, for the error message: a file's name, "spec".
    /// - Throws: `invalidSpec` where the text is not JSON, an object has a key twice, or a number is beyond the largest
    ///   double.
    public init(json: some Sequence<UInt8>, source: String) throws(MetaLearnersError) {
        self = try JSONReader.read(Array(json), source: source)
    }

    /// The value as JSON text.
    ///
    /// Numbers are written with the fewest digits that read back as the same value; a number that JSON cannot
    /// hold (NaN, infinity) becomes null.
    ///
    /// - Parameter indented: whether to put each entry on a line of its own, two spaces a level.
    public func json(indented: Bool = false) -> String {
        var text = ""
        write(to: &text, indent: indented ? 0 : nil)
        return text
    }

    private func write(to text: inout String, indent: Int?) {
        switch self {
        case .null: text += "null"
        case .boolean(let value): text += value ? "true" : "false"
        case .integer(let value): text += String(value)
        case .number(let value): text += value.isFinite ? Self.shortest(value) : "null"
        case .string(let value): Self.write(value, to: &text)
        case .array(let elements):
            // Lists of plain values read better on one line.
            let flat = elements.allSatisfy { $0.arrayValue == nil && $0.objectValue == nil }
            Self.write(
                elements.map { (nil, $0) }, open: "[", close: "]", to: &text, indent: flat ? nil : indent)
        case .object(let object):
            Self.write(
                object.entries.map { ($0.key, $0.value) }, open: "{", close: "}", to: &text, indent: indent)
        }
    }

    private static func write(
        _ entries: [(String?, SpecValue)], open: String, close: String, to text: inout String, indent: Int?
    ) {
        guard !entries.isEmpty else {
            text += open + close
            return
        }
        text += open
        for (position, (key, value)) in entries.enumerated() {
            if position > 0 { text += indent == nil ? ", " : "," }
            if let indent { text += "\n" + String(repeating: "  ", count: indent + 1) }
            if let key {
                write(key, to: &text)
                text += ": "
            }
            value.write(to: &text, indent: indent.map { $0 + 1 })
        }
        if let indent { text += "\n" + String(repeating: "  ", count: indent) }
        text += close
    }

    private static func shortest(_ value: Double) -> String {
        let text = "\(value)"
        return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
    }

    private static func write(_ string: String, to text: inout String) {
        text += "\""
        for scalar in string.unicodeScalars {
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case "\n": text += "\\n"
            case "\r": text += "\\r"
            case "\t": text += "\\t"
            case _ where scalar.value < 0x20:
                let digits = String(scalar.value, radix: 16)
                text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: text.unicodeScalars.append(scalar)
            }
        }
        text += "\""
    }
}

extension SpecValue: Codable {
    public init(from decoder: any Decoder) throws {
        if let keyed = try? decoder.container(keyedBy: AnyKey.self) {
            var object = SpecObject()
            for key in keyed.allKeys.sorted(by: { $0.stringValue < $1.stringValue }) {
                object[key.stringValue] = try keyed.decode(SpecValue.self, forKey: key)
            }
            self = .object(object)
            return
        }
        if var list = try? decoder.unkeyedContainer() {
            var elements: [SpecValue] = []
            while !list.isAtEnd { elements.append(try list.decode(SpecValue.self)) }
            self = .array(elements)
            return
        }
        let single = try decoder.singleValueContainer()
        if single.decodeNil() {
            self = .null
        } else if let value = try? single.decode(Bool.self) {
            self = .boolean(value)
        } else if let value = try? single.decode(Int.self) {
            self = .integer(value)
        } else if let value = try? single.decode(Double.self) {
            self = .number(value)
        } else {
            self = .string(try single.decode(String.self))
        }
    }

    public func encode(to encoder: any Encoder) throws {
        switch self {
        case .object(let object):
            var keyed = encoder.container(keyedBy: AnyKey.self)
            for (key, value) in object.entries { try keyed.encode(value, forKey: AnyKey(stringValue: key)) }
        case .array(let elements):
            var list = encoder.unkeyedContainer()
            for element in elements { try list.encode(element) }
        case .null:
            var single = encoder.singleValueContainer()
            try single.encodeNil()
        case .boolean(let value): try Self.encode(value, to: encoder)
        case .integer(let value): try Self.encode(value, to: encoder)
        case .number(let value): try Self.encode(value, to: encoder)
        case .string(let value): try Self.encode(value, to: encoder)
        }
    }

    private static func encode(_ value: some Encodable, to encoder: any Encoder) throws {
        var single = encoder.singleValueContainer()
        try single.encode(value)
    }

    private struct AnyKey: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }
        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }
}
