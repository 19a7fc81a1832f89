/// The backends by name: a value, so that each caller may add its own without touching anybody else's.
public struct EstimatorRegistry: Sendable {
    /// A backend with its type erased.
    struct Backend: Sendable {
        let description: BackendDescription
        let parameters: [ParameterDescription]
        let make: @Sendable (SpecValue, SpecPath) throws(MetaLearnersError) -> any BaseEstimator
        let decode: @Sendable (inout BinaryReader) throws(MetaLearnersError) -> any FittedEstimator
    }

    private var backends: [Backend] = []

    /// Creates a registry without backends.
    public init() {}

    /// The registry with one more backend; one of the same name is replaced.
    public func registering<Estimator: BaseEstimator>(_: Estimator.Type) -> EstimatorRegistry {
        let backend = Backend(
            description: Estimator.backend,
            parameters: Estimator.Spec().parameterDescriptions,
            make: { value, place throws(MetaLearnersError) in
                try Estimator(Estimator.Spec(value, at: place))
            },
            decode: { reader throws(MetaLearnersError) in try Estimator.decode(from: &reader) })
        var registry = self
        registry.backends.removeAll { $0.description.name == backend.description.name }
        registry.backends.append(backend)
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
    /// - Throws: `invalidSpec` for an unknown backend (with the list) or an unusable parameter.
    public func makeEstimator(_ choice: EstimatorChoice, at place: SpecPath) throws(MetaLearnersError)
        -> any BaseEstimator
    {
        let backend = try backend(named: choice.backend, at: place.appending("backend"))
        return try backend.make(.object(choice.parameters), place)
    }

    /// Reads a fitted estimator of the backend named `name`.
    ///
    /// - Throws: `unsupported` where the backend is not registered, `corruptModel` for bytes that make no sense.
    public func decode(_ name: String, from reader: inout BinaryReader) throws(MetaLearnersError)
        -> any FittedEstimator
    {
        guard let backend = backends.first(where: { $0.description.name == name }) else {
            throw MetaLearnersError(
                .unsupported, at: "model", "it was fitted with the backend '\(name)', which is not here",
                remedy: "known are " + descriptions.map(\.name).joined(separator: ", "))
        }
        return try backend.decode(&reader)
    }

    private func backend(named name: String, at place: SpecPath) throws(MetaLearnersError) -> Backend {
        if let backend = backends.first(where: { $0.description.name == name }) { return backend }
        let names = descriptions.map(\.name)
        let near = SpellingSuggestion.nearest(to: name, in: names).map { "did you mean '\($0)'? " } ?? ""
        throw place.error(
            "unknown backend '\(name)'", remedy: near + "The backends are " + names.joined(separator: ", "))
    }
}
