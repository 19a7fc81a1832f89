/// A configuration whose keys are a list of parameters.
///
/// Conforming types state their defaults in `init()` and their keys in `parameters`; they get decoding (with
/// unknown keys refused and the nearest known one named), checking, encoding and documentation from that.
public protocol ParameterizedSpec: Sendable, Equatable, Codable {
    /// Creates the spec with every default.
    init()

    /// The keys.
    static var parameters: [Parameter<Self>] { get }

    /// The spec with every key, defaults included.
    var specValue: SpecValue { get }

    /// Checks what no single parameter can: relations between them.
    ///
    /// - Throws: `invalidSpec`, naming the key.
    func check(at place: SpecPath) throws(MetaLearnersError)
}

extension ParameterizedSpec {
    public func check(at place: SpecPath) throws(MetaLearnersError) {}

    /// Reads a spec; absent and null keys keep their defaults.
    ///
    /// - Throws: `invalidSpec` for an unknown key (naming the nearest known one), a value of the wrong type or
    ///   one out of its range.
    public init(_ value: SpecValue, at place: SpecPath = .root) throws(MetaLearnersError) {
        self.init()
        if value == .null { return }
        guard let object = value.objectValue else {
            throw place.error("must be a mapping, not \(value.kindName)")
        }
        let parameters = Self.parameters
        for key in object.keys where !parameters.contains(where: { $0.name == key }) {
            // What the backend refuses is no good advice; the name that its engine has for something is the best.
            let usable = parameters.filter { $0.mapping?.kind != "unsupported" }
            let own = usable.first { $0.mapping?.engineName == key }.map { "did you mean '\($0.name)'?" }
            throw place.appending(key).error(
                "unknown key",
                remedy: own ?? SpellingSuggestion.clause(forName: key, in: usable.map(\.name)))
        }
        for parameter in parameters {
            guard let entry = object[parameter.name], entry != .null else { continue }
            try parameter.read(entry, place.appending(parameter.name), &self)
        }
        try check(at: place)
    }

    public var specValue: SpecValue {
        .object(SpecObject(Self.parameters.map { ($0.name, $0.write(self)) }))
    }

    /// The spec itself, once all its values are known to be within their ranges.
    ///
    /// - Throws: what `init(_:at:)` throws: values set in code pass the same checks as values read.
    public func validated(at place: SpecPath = .root) throws(MetaLearnersError) -> Self {
        try Self(specValue, at: place)
    }

    /// The keys as documentation shows them, with this spec's values as defaults.
    public var parameterDescriptions: [ParameterDescription] {
        Self.parameters.map { parameter in
            ParameterDescription(
                name: parameter.name, summary: parameter.summary, range: parameter.range,
                defaultValue: parameter.write(self), nested: parameter.nested?(self) ?? [],
                mapping: parameter.mapping)
        }
    }

    public init(from decoder: any Decoder) throws {
        try self.init(SpecValue(from: decoder))
    }

    public func encode(to encoder: any Encoder) throws {
        try specValue.encode(to: encoder)
    }
}
