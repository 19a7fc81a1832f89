extension EstimatorRegistry {
    /// The backends as the command line and the C interface show them: name, version, location, summary and
    /// capabilities, then what could not be loaded.
    ///
    /// - Parameter parameters: whether to list each backend's parameters too, with how it follows the common ones.
    public func specValue(parameters: Bool) -> SpecValue {
        let list = descriptions.map { backend -> SpecValue in
            var object = SpecObject([
                ("name", .string(backend.name)), ("version", .string(backend.version)),
                ("location", .string(backend.location)), ("summary", .string(backend.summary)),
                ("capabilities", .array(backend.foundCapabilities.names.map { .string($0) })),
            ])
            if parameters, let known = try? self.parameters(of: backend.name) {
                object["parameters"] = .array(known.filter { $0.range != "unsupported" }.map(\.specValue))
                object["common"] = .object(
                    SpecObject(
                        CommonParameter.allCases.map { ($0.rawValue, $0.mapping(among: known).specValue) }))
            }
            return .object(object)
        }
        var result = SpecObject([("backends", .array(list))])
        if !problems.isEmpty { result["problems"] = .array(problems.map { .string($0.description) }) }
        return .object(result)
    }
}

extension ParameterDescription {
    /// The parameter as JSON shows it.
    package var specValue: SpecValue {
        var object = SpecObject([
            ("name", .string(name)), ("summary", .string(summary)), ("range", .string(range)),
            ("default", defaultValue),
        ])
        if let mapping { object["mapping"] = mapping.specValue }
        return .object(object)
    }
}

extension ParameterMapping {
    /// The mapping as JSON shows it.
    var specValue: SpecValue {
        var object = SpecObject([("mapping", .string(kind))])
        if let engineName { object["engine"] = .string(engineName) }
        if let note { object["note"] = .string(note) }
        return .object(object)
    }
}
