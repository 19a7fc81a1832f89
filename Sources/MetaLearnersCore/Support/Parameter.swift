/// One key of a spec: its name, meaning, default and range, and how it is read and written.
///
/// The list of a spec's parameters is the single source of its decoding, its checks, its encoding and its
/// documentation: an unknown key, a value out of range and the commented default spec all follow from it.
public struct Parameter<Spec: Sendable>: Sendable {
    /// The key.
    public let name: String
    /// What it means, in one line.
    public let summary: String
    /// What values it takes, for people: "0 < x ≤ 1".
    public let range: String
    /// How the backend follows it, where the name is one that backends share and the engine has its own.
    public internal(set) var mapping: ParameterMapping?
    let read: @Sendable (SpecValue, SpecPath, inout Spec) throws(MetaLearnersError) -> Void
    let write: @Sendable (Spec) -> SpecValue
    /// The parameters of the spec that is nested here, for documentation.
    let nested: (@Sendable (Spec) -> [ParameterDescription])?

    /// Creates a parameter from functions that read and write it.
    public init(
        _ name: String, _ summary: String, range: String,
        read: @escaping @Sendable (SpecValue, SpecPath, inout Spec) throws(MetaLearnersError) -> Void,
        write: @escaping @Sendable (Spec) -> SpecValue,
        nested: (@Sendable (Spec) -> [ParameterDescription])? = nil
    ) {
        self.name = name
        self.summary = summary
        self.range = range
        self.read = read
        self.write = write
        self.nested = nested
    }
}

/// The place of a value in a spec, as in `models.outcome.trees`.
public struct SpecPath: Sendable, Equatable, CustomStringConvertible {
    /// The keys from the top.
    public let description: String

    /// The top of a spec.
    public static let root = SpecPath(description: "")

    /// A place outside of any spec, such as an option of a command.
    package static func named(_ name: String) -> SpecPath { SpecPath(description: name) }

    /// The place of `key` within this place.
    public func appending(_ key: String) -> SpecPath {
        SpecPath(description: description.isEmpty ? key : description + "." + key)
    }

    /// The error of an unusable value at this place.
    public func error(_ problem: String, remedy: String? = nil) -> MetaLearnersError {
        MetaLearnersError(
            .invalidSpec, at: description.isEmpty ? "spec" : description, problem, remedy: remedy)
    }
}

/// A parameter as documentation shows it.
public struct ParameterDescription: Sendable, Equatable {
    /// The key.
    public let name: String
    /// What it means, in one line.
    public let summary: String
    /// What values it takes.
    public let range: String
    /// The default.
    public let defaultValue: SpecValue
    /// The parameters below it, where its value is a mapping of its own.
    public let nested: [ParameterDescription]
    /// How the backend follows it, where the name is one that backends share and the engine has its own.
    public let mapping: ParameterMapping?

    /// Creates a description.
    public init(
        name: String, summary: String, range: String, defaultValue: SpecValue,
        nested: [ParameterDescription] = [], mapping: ParameterMapping? = nil
    ) {
        self.name = name
        self.summary = summary
        self.range = range
        self.defaultValue = defaultValue
        self.nested = nested
        self.mapping = mapping
    }
}

extension Parameter {
    /// An integer within `range`.
    public static func integer(
        _ name: String, _ path: any WritableKeyPath<Spec, Int> & Sendable, in range: ClosedRange<Int>,
        _ summary: String
    ) -> Parameter {
        let text =
            range.upperBound == .max
            ? "integer ≥ \(range.lowerBound)" : "integer, \(range.lowerBound) to \(range.upperBound)"
        return Parameter(name, summary, range: text) { value, place, spec throws(MetaLearnersError) in
            guard let number = value.integerValue else {
                throw place.error("must be an integer, not \(value.kindName)")
            }
            guard range.contains(number) else { throw place.error("is \(number), must be: \(text)") }
            spec[keyPath: path] = number
        } write: {
            .integer($0[keyPath: path])
        }
    }

    /// A finite number within `range`; `exclusiveLower` leaves the lower bound itself out.
    public static func number(
        _ name: String, _ path: any WritableKeyPath<Spec, Double> & Sendable, in range: ClosedRange<Double>,
        exclusiveLower: Bool = false, _ summary: String
    ) -> Parameter {
        let low = SpecValue.number(range.lowerBound).json()
        let high = SpecValue.number(range.upperBound).json()
        let relation = exclusiveLower ? "<" : "≤"
        let text =
            range.upperBound == .infinity
            ? "number \(exclusiveLower ? ">" : "≥") \(low)" : "number, \(low) \(relation) x ≤ \(high)"
        return Parameter(name, summary, range: text) { value, place, spec throws(MetaLearnersError) in
            guard let number = value.doubleValue else {
                throw place.error("must be a number, not \(value.kindName)")
            }
            guard number.isFinite, range.contains(number), !exclusiveLower || number > range.lowerBound else {
                throw place.error("is \(value.json()), must be: \(text)")
            }
            spec[keyPath: path] = number
        } write: {
            .number($0[keyPath: path])
        }
    }

    /// A boolean.
    public static func boolean(
        _ name: String, _ path: any WritableKeyPath<Spec, Bool> & Sendable, _ summary: String
    ) -> Parameter {
        Parameter(name, summary, range: "true or false") { value, place, spec throws(MetaLearnersError) in
            guard case .boolean(let flag) = value else {
                throw place.error("must be true or false, not \(value.kindName)")
            }
            spec[keyPath: path] = flag
        } write: {
            .boolean($0[keyPath: path])
        }
    }

    /// One of the cases of an enumeration, by its raw value or by an alias.
    public static func choice<Choice: RawRepresentable<String> & CaseIterable & Sendable>(
        _ name: String, _ path: any WritableKeyPath<Spec, Choice> & Sendable, aliases: [String: Choice] = [:],
        _ summary: String
    ) -> Parameter {
        let names = Choice.allCases.map(\.rawValue)
        return Parameter(name, summary, range: names.joined(separator: ", ")) {
            value, place, spec throws(MetaLearnersError) in
            guard let text = value.stringValue else {
                throw place.error("must be one of \(names.joined(separator: ", ")), not \(value.kindName)")
            }
            // Names that differ only in case or in their hyphens are one: DR, out-of-fold.
            let name = String(text.lowercased().map { $0 == "-" ? "_" : $0 })
            guard let choice = Choice(rawValue: name) ?? aliases[name] else {
                throw place.error(
                    "unknown value '\(text)'", remedy: SpellingSuggestion.clause(forName: text, in: names))
            }
            spec[keyPath: path] = choice
        } write: {
            .string($0[keyPath: path].rawValue)
        }
    }

    /// Text, nil where the key is absent or null.
    public static func optionalText(
        _ name: String, _ path: any WritableKeyPath<Spec, String?> & Sendable, _ summary: String
    ) -> Parameter {
        Parameter(name, summary, range: "text") { value, place, spec throws(MetaLearnersError) in
            guard let text = value.stringValue, !text.isEmpty else {
                throw place.error("must be text, not \(value.kindName)")
            }
            spec[keyPath: path] = text
        } write: {
            $0[keyPath: path].map { .string($0) } ?? .null
        }
    }

    /// A label of an arm, a class or a group: texts, and numbers as the data have them.
    package static func label(
        _ name: String, _ path: any WritableKeyPath<Spec, String?> & Sendable, _ summary: String
    ) -> Parameter {
        Parameter(name, summary, range: "text or number") { value, place, spec throws(MetaLearnersError) in
            switch value {
            case .string(let text): spec[keyPath: path] = text
            case .integer(let number): spec[keyPath: path] = String(number)
            case .number(let number): spec[keyPath: path] = Column.label(of: number)
            case .boolean(let flag): spec[keyPath: path] = flag ? "true" : "false"
            default: throw place.error("must be a label, not \(value.kindName)")
            }
        } write: {
            $0[keyPath: path].map { .string($0) } ?? .null
        }
    }

    /// A list of texts; a single text counts as a list of one.
    public static func texts(
        _ name: String, _ path: any WritableKeyPath<Spec, [String]> & Sendable, _ summary: String
    ) -> Parameter {
        Parameter(name, summary, range: "list of texts") { value, place, spec throws(MetaLearnersError) in
            if let text = value.stringValue {
                spec[keyPath: path] = [text]
                return
            }
            guard let elements = value.arrayValue else {
                throw place.error("must be a list of texts, not \(value.kindName)")
            }
            var texts: [String] = []
            for element in elements {
                guard let text = element.stringValue else {
                    throw place.error("must be a list of texts, and holds \(element.kindName)")
                }
                texts.append(text)
            }
            spec[keyPath: path] = texts
        } write: {
            .array($0[keyPath: path].map { .string($0) })
        }
    }

    /// A spec within the spec.
    public static func nested<Inner: ParameterizedSpec>(
        _ name: String, _ path: any WritableKeyPath<Spec, Inner> & Sendable, _ summary: String
    ) -> Parameter {
        Parameter(name, summary, range: "mapping") { value, place, spec throws(MetaLearnersError) in
            spec[keyPath: path] = try Inner(value, at: place)
        } write: {
            $0[keyPath: path].specValue
        } nested: {
            $0[keyPath: path].parameterDescriptions
        }
    }
}
