/// A backend by name, with the parameters that a spec gives it: what `models.outcome` holds.
public struct EstimatorChoice: Sendable, Equatable {
    /// The backend's name.
    public var backend: String
    /// Its parameters, as far as they differ from the defaults.
    public var parameters: SpecObject

    /// Creates a choice.
    public init(_ backend: String, _ parameters: SpecObject = SpecObject()) {
        self.backend = backend
        self.parameters = parameters
    }

    /// Creates a choice with parameters by their types: `EstimatorChoice(TreesEstimator.self) { $0.maxLeaves = 4 }`.
    ///
    /// - Parameter configure: changes the backend's defaults.
    public init<Estimator: BaseEstimator>(
        _ type: Estimator.Type, _ configure: (inout Estimator.Spec) -> Void = { _ in }
    ) {
        var spec = Estimator.Spec()
        let standard = spec.specValue.objectValue ?? SpecObject()
        configure(&spec)
        let given = spec.specValue.objectValue ?? SpecObject()
        self.init(type.backend.name, SpecObject(given.entries.filter { $0.value != standard[$0.key] }))
    }

    /// Reads `{backend: NAME, …}`; without a backend, the parameters change those of `standard`.
    ///
    /// - Throws: `invalidSpec` for anything else.
    public init(_ value: SpecValue, at place: SpecPath, standard: EstimatorChoice) throws(MetaLearnersError) {
        if let name = value.stringValue {
            self.init(name)
            return
        }
        guard var object = value.objectValue else {
            throw place.error("must be a mapping with a backend, not \(value.kindName)")
        }
        guard let name = object["backend"] else {
            var parameters = standard.parameters
            for (key, value) in object.entries { parameters[key] = value }
            self.init(standard.backend, parameters)
            return
        }
        guard let name = name.stringValue else {
            throw place.appending("backend").error("must be text, not \(name.kindName)")
        }
        object["backend"] = nil
        self.init(name, object)
    }

    /// The choice as a spec has it.
    public var specValue: SpecValue {
        .object(SpecObject([("backend", .string(backend))] + parameters.entries.map { ($0.key, $0.value) }))
    }
}
