/// A value of a configuration or a result: what JSON, YAML and TOML have in common.
///
/// Objects keep the order of their keys when written; two objects are equal whatever that order is.
public enum SpecValue: Sendable, Equatable {
    case null
    case boolean(Bool)
    case integer(Int)
    case number(Double)
    case string(String)
    case array([SpecValue])
    case object(SpecObject)

    /// The value as a floating-point number, where it is a number.
    public var doubleValue: Double? {
        switch self {
        case .integer(let value): Double(value)
        case .number(let value): value
        default: nil
        }
    }

    /// The value as an integer, where it is one (or a number without a fraction).
    public var integerValue: Int? {
        switch self {
        case .integer(let value): value
        case .number(let value): Int(exactly: value)
        default: nil
        }
    }

    /// A number as JSON reads it: an integer where it has no fraction, and every integer of its size is a double.
    package static func normalized(_ number: Double) -> SpecValue {
        guard abs(number) <= 0x1p53, number != 0 || number.sign == .plus, let integer = Int(exactly: number)
        else { return .number(number) }
        return .integer(integer)
    }

    /// The value as text, where it is text.
    public var stringValue: String? { if case .string(let value) = self { value } else { nil } }

    /// The value as an object, where it is one.
    public var objectValue: SpecObject? { if case .object(let value) = self { value } else { nil } }

    /// The value as a list, where it is one.
    public var arrayValue: [SpecValue]? { if case .array(let value) = self { value } else { nil } }

    /// The kind of value, as an error message names it.
    public var kindName: String {
        switch self {
        case .null: "null"
        case .boolean: "a boolean"
        case .integer: "an integer"
        case .number: "a number"
        case .string: "text"
        case .array: "a list"
        case .object: "a mapping"
        }
    }
}

/// An object of a configuration: keys with their values, in order.
public struct SpecObject: Sendable, Equatable {
    /// The keys, in order, each once.
    public private(set) var keys: [String] = []
    private var values: [String: SpecValue] = [:]

    /// Creates an empty object.
    public init() {}

    /// Creates an object of `entries`; of equal keys the last one counts.
    public init(_ entries: [(String, SpecValue)]) {
        for (key, value) in entries { self[key] = value }
    }

    /// The value of `key`, nil where there is none. Setting nil removes the key.
    public subscript(key: String) -> SpecValue? {
        get { values[key] }
        set {
            if let newValue {
                if values.updateValue(newValue, forKey: key) == nil { keys.append(key) }
            } else if values.removeValue(forKey: key) != nil {
                keys.removeAll { $0 == key }
            }
        }
    }

    /// Whether there is no key.
    public var isEmpty: Bool { keys.isEmpty }

    /// The keys with their values, in order.
    public var entries: [(key: String, value: SpecValue)] {
        keys.compactMap { key in values[key].map { (key, $0) } }
    }

    public static func == (left: SpecObject, right: SpecObject) -> Bool { left.values == right.values }
}

extension SpecObject: ExpressibleByDictionaryLiteral {
    /// Creates an object of a literal's entries, in their order; of equal keys the last one counts.
    public init(dictionaryLiteral elements: (String, SpecValue)...) { self.init(elements) }
}

extension SpecValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral,
    ExpressibleByBooleanLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    public init(stringLiteral value: String) { self = .string(value) }
    public init(integerLiteral value: Int) { self = .integer(value) }
    public init(floatLiteral value: Double) { self = .number(value) }
    public init(booleanLiteral value: Bool) { self = .boolean(value) }
    public init(arrayLiteral elements: SpecValue...) { self = .array(elements) }
    public init(dictionaryLiteral elements: (String, SpecValue)...) { self = .object(SpecObject(elements)) }
}
