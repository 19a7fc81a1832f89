/// The backends by name: a value, so that each caller may add its own without touching anybody else's.
public struct EstimatorRegistry: Sendable {
    /// A backend with its type erased.
    struct Backend: Sendable {
        let description: BackendDescription
        let parameters: [ParameterDescription]
        /// Takes the registry that is asked, for backends that are made of others.
        let make:
            @Sendable (SpecValue, SpecPath, EstimatorRegistry) throws(MetaLearnersError) -> any BaseEstimator
        let decode:
            @Sendable (inout BinaryReader, EstimatorRegistry) throws(MetaLearnersError) -> any FittedEstimator
    }

    private var backends: [Backend] = []
    /// What kept backends out that somebody wanted in, such as plug-ins that could not be loaded.
    public private(set) var problems: [MetaLearnersError] = []

    /// Creates a registry without backends.
    public init() {}

    /// The registry with one more backend; one of the same name is replaced.
    public func registering<Estimator: BaseEstimator>(_: Estimator.Type) -> EstimatorRegistry {
        // (Also where the type is known as a parameter alone: a stack finds its members here.)
        if Estimator.self == StackEstimator.self { return registering(StackEstimator.self) }
        return registering(
            Backend(
                description: Estimator.backend,
                parameters: Estimator.Spec().parameterDescriptions,
                make: { value, place, _ throws(MetaLearnersError) in
                    try Estimator(Estimator.Spec(value, at: place))
                },
                decode: { reader, _ throws(MetaLearnersError) in try Estimator.decode(from: &reader) }))
    }

    /// The registry with one more backend; one of the same name is replaced.
    func registering(_ backend: Backend) -> EstimatorRegistry {
        var registry = self
        registry.backends.removeAll { $0.description.name == backend.description.name }
        registry.backends.append(backend)
        return registry
    }

    /// The registry with one more backend, which is known at run time only.
    ///
    /// - Parameters:
    ///   - description: its name, version and capabilities.
    ///   - parameters: its parameters, with their defaults.
    ///   - make: makes an estimator of the parameters that differ from the defaults, at a place in a spec.
    ///   - decode: reads a fitted estimator.
    /// - Throws: `invalidArgument` where there is a backend of that name already.
    public func registering(
        _ description: BackendDescription, parameters: [ParameterDescription],
        make: @escaping @Sendable (SpecValue, SpecPath) throws(MetaLearnersError) -> any BaseEstimator,
        decode: @escaping @Sendable (inout BinaryReader) throws(MetaLearnersError) -> any FittedEstimator
    ) throws(MetaLearnersError) -> EstimatorRegistry {
        if let known = backends.first(where: { $0.description.name == description.name })?.description {
            throw MetaLearnersError(
                .invalidArgument, at: "backend '\(description.name)'",
                "the name is taken already, by the one from \(known.location)", remedy: "rename one of them")
        }
        var registry = self
        registry.backends.append(
            Backend(
                description: description, parameters: parameters,
                make: { value, place, _ throws(MetaLearnersError) in try make(value, place) },
                decode: { reader, _ throws(MetaLearnersError) in try decode(&reader) }))
        return registry
    }

    /// The registry with every estimator as `change` makes it of the backend's own.
    package func changingEstimators(
        _ change: @escaping @Sendable (any BaseEstimator) -> any BaseEstimator
    ) -> EstimatorRegistry {
        var registry = self
        registry.backends = backends.map { backend in
            Backend(
                description: backend.description, parameters: backend.parameters,
                make: { value, place, registry throws(MetaLearnersError) in
                    change(try backend.make(value, place, registry))
                },
                decode: backend.decode)
        }
        return registry
    }

    /// The registry, which remembers what kept a backend out.
    public func noting(_ problem: MetaLearnersError) -> EstimatorRegistry {
        var registry = self
        registry.problems.append(problem)
        return registry
    }

    /// The backends, in the order they were registered.
    public var descriptions: [BackendDescription] { backends.map(\.description) }

    /// The parameters of the backend named `name`, with their defaults.
    ///
    /// - Throws: `invalidSpec`, with the list of backends, where there is none.
    public func parameters(of name: String) throws(MetaLearnersError) -> [ParameterDescription] {
        try backend(named: name, at: .root).parameters
    }

    /// Makes the estimator that `choice` names and configures.
    ///
    /// - Throws: `invalidSpec` for an unknown backend (with the list) or an unusable parameter, `unsupported` for a
    ///   parameter that other backends have in common and this one cannot follow.
    public func makeEstimator(_ choice: EstimatorChoice, at place: SpecPath) throws(MetaLearnersError)
        -> any BaseEstimator
    {
        let backend = try backend(named: choice.backend, at: place.appending("backend"))
        for (key, value) in choice.parameters.entries where value != .null {
            guard CommonParameter(rawValue: key) != nil,
                !backend.parameters.contains(where: { $0.name == key })
            else { continue }
            throw MetaLearnersError(
                .unsupported, at: place.appending(key).description,
                "the backend '\(choice.backend)' has nothing like it", remedy: "leave it out for this backend"
            )
        }
        return try backend.make(.object(choice.parameters), place, self)
    }

    /// Reads a fitted estimator of the backend named `name`.
    ///
    /// - Throws: `unsupported` where the backend is not registered, naming the plug-in that is missing where it was
    ///   one; `corruptModel` for bytes that make no sense.
    public func decode(_ name: String, from reader: inout BinaryReader) throws(MetaLearnersError)
        -> any FittedEstimator
    {
        if let backend = backends.first(where: { $0.description.name == name }) {
            return try backend.decode(&reader, self)
        }
        if let stamp = PluginStamp(peekingAt: reader) { throw stamp.missing(problems) }
        throw MetaLearnersError(
            .unsupported, at: "model", "it was fitted with the backend '\(name)', which is not here",
            remedy: "known are " + descriptions.map(\.name).joined(separator: ", "))
    }

    private func backend(named name: String, at place: SpecPath) throws(MetaLearnersError) -> Backend {
        if let backend = backends.first(where: { $0.description.name == name }) { return backend }
        let names = descriptions.map(\.name)
        let near = SpellingSuggestion.nearest(toName: name, in: names).map { "did you mean '\($0)'? " } ?? ""
        let failed =
            problems.isEmpty ? "" : "; not loaded: " + problems.map(\.description).joined(separator: "; ")
        throw place.error(
            "unknown backend '\(name)'",
            remedy: near + "The backends are " + names.joined(separator: ", ") + failed)
    }
}
