import MetaLearnersCore

/// The laws that requests may name. A value, so that an app may add its own.
public struct LawRegistry: Sendable {
    private var types: [any DataLaw.Type] = []

    /// Creates a registry without laws.
    public init() {}

    /// The registry with one more law; one of the same name is replaced.
    public func registering(_ type: any DataLaw.Type) -> LawRegistry {
        var registry = self
        if let index = types.firstIndex(where: { $0.name == type.name }) {
            registry.types[index] = type
        } else {
            registry.types.append(type)
        }
        return registry
    }

    /// The laws, in the order they were registered.
    public var laws: [any DataLaw.Type] { types }

    /// The law of a name.
    ///
    /// - Throws: `invalidSpec`, with the nearest name, where there is none.
    public func law(named name: String, at place: SpecPath = .root) throws(MetaLearnersError)
        -> any DataLaw.Type
    {
        let plain = String(name.lowercased().map { $0 == "-" ? "_" : $0 })
        if let type = types.first(where: { $0.name == plain }) { return type }
        throw place.error(
            "there is no law '\(name)'",
            remedy: SpellingSuggestion.clause(for: name, in: types.map { $0.name }))
    }

    /// The law that a request asks for: a name, or an object whose key `law` is the name and whose other keys are its
    /// parameters.
    ///
    /// - Throws: `invalidSpec`, naming the key.
    public func law(_ request: SpecValue, at place: SpecPath = .root) throws(MetaLearnersError) -> any DataLaw
    {
        if let name = request.stringValue { return try law(named: name, at: place).init() }
        guard var parameters = request.objectValue else {
            throw place.error("must be the name of a law or a mapping, not \(request.kindName)")
        }
        guard let name = parameters["law"]?.stringValue else {
            throw place.appending("law").error(
                "is missing", remedy: "name one of: " + types.map { $0.name }.joined(separator: ", "))
        }
        parameters["law"] = nil
        return try law(named: name, at: place.appending("law")).init(.object(parameters), at: place)
    }

    /// What there is to draw from, as bindings and documentation read it.
    public var specValue: SpecValue {
        .array(
            types.map { type in
                [
                    "name": .string(type.name), "title": .string(type.title),
                    "summary": .string(type.summary),
                    "source": .string(type.source),
                    "parameters": .array(type.init().parameterDescriptions.map(\.specValue)),
                ]
            })
    }
}

extension LawRegistry {
    /// Every law that is built in. This is the only place that names them all.
    public static let `default` = LawRegistry()
        .registering(NieWagerLaw.self)
        .registering(KunzelLaw.self)
        .registering(WagerAtheyLaw.self)
        .registering(HiddenConfounderLaw.self)
        .registering(SeveralArmsLaw.self)
        .registering(BinaryOutcomeLaw.self)
        .registering(CountOutcomeLaw.self)
        .registering(ClusteredTrialLaw.self)
        .registering(ScaledProgrammeLaw.self)
}
