import MetaLearnersCore

/// The base learners as tables for people.
enum BackendTables {
    /// A row for each backend: name, version, where it was found, what it can do.
    static func backends(_ registry: EstimatorRegistry) -> String {
        var table = TextTable([
            ("name", .left), ("version", .left), ("found", .left), ("capabilities", .left),
        ])
        for backend in registry.descriptions {
            table.append([
                backend.name, backend.version, backend.location,
                backend.capabilities.names.joined(separator: ", "),
            ])
        }
        return table.text()
    }

    /// A row for each common parameter of each backend: how it is followed, by what name, with what caveat; then the
    /// names of its other parameters.
    static func parameters(_ registry: EstimatorRegistry) throws(MetaLearnersError) -> String {
        var text = ""
        for backend in registry.descriptions {
            let parameters = try registry.parameters(of: backend.name)
            var table = TextTable([
                ("parameter", .left), ("mapping", .left), ("engine", .left), ("note", .left),
            ])
            for parameter in CommonParameter.allCases {
                let mapping = parameter.mapping(among: parameters)
                table.append([
                    parameter.rawValue, mapping.kind, mapping.engineName ?? "-", mapping.note ?? "",
                ])
            }
            let others = parameters.filter { parameter in
                CommonParameter(rawValue: parameter.name) == nil && parameter.mapping?.kind != "unsupported"
            }
            text += (text.isEmpty ? "" : "\n") + backend.name + "\n" + table.text(indent: 2)
            if !others.isEmpty { text += "  its own: " + others.map(\.name).joined(separator: ", ") + "\n" }
        }
        return text
    }
}
