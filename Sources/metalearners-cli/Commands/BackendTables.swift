import Reporting
import MetaLearnersCore
import MetaLearnersKit

/// The base learners as tables for people.
enum BackendTables {
    /// Characters of a line at most.
    private static let width = 80

    /// A row for each backend: name, version, what it can do; then where those were found that are not built in.
    static func backends(_ registry: EstimatorRegistry) -> String {
        var table = TextTable([("name", .left), ("version", .left), ("capabilities", .left)])
        var places = TextTable([("engine", .left), ("found in", .left)])
        var hasPlaces = false
        for backend in registry.descriptions {
            let isFound = !backend.version.isEmpty
            table.append([
                backend.name, isFound ? backend.version : "-",
                backend.foundCapabilities.names.joined(separator: ", "),
            ])
            guard backend.location != "built in" else { continue }
            places.append([backend.name, backend.location])
            hasPlaces = true
        }
        return table.text(width: width) + (hasPlaces ? "\n" + places.text(width: width) : "")
    }

    /// For each backend a row for each common parameter that it follows, with the engine's name for it and with what is
    /// done instead where it is followed approximately; then the common names that it refuses, and its own.
    static func parameters(_ registry: EstimatorRegistry) throws(MetaLearnersError) -> String {
        var text = ""
        for backend in registry.descriptions {
            let parameters = try registry.parameters(of: backend.name)
            var table = TextTable([
                (titled("parameter"), .left), ("engine", .left), ("mapping", .left),
            ])
            var refused: [String] = []
            for parameter in CommonParameter.allCases {
                let mapping = parameter.mapping(among: parameters)
                guard let engine = mapping.engineName else {
                    refused.append(parameter.rawValue)
                    continue
                }
                table.append([
                    parameter.rawValue, engine, mapping.kind + (mapping.note.map { ": " + $0 } ?? ""),
                ])
            }
            let others = parameters.filter { parameter in
                CommonParameter(rawValue: parameter.name) == nil && parameter.mapping?.kind != "unsupported"
            }
            text += (text.isEmpty ? "" : "\n") + backend.name + "\n"
            if refused.count < CommonParameter.allCases.count { text += table.text(indent: 2, width: width) }
            text += list("unsupported", refused) + list("its own", others.map(\.name))
        }
        return text
    }

    /// A title as wide as the longest common parameter, so that all tables have the same first column.
    private static func titled(_ title: String) -> String {
        let longest = CommonParameter.allCases.map(\.rawValue.count).max() ?? 0
        return title + String(repeating: " ", count: max(longest - title.count, 0))
    }

    /// Names after a title, wrapped; nothing where there are none.
    private static func list(_ title: String, _ names: [String]) -> String {
        guard !names.isEmpty else { return "" }
        let start = "  " + titled(title) + "  "
        let margin = String(repeating: " ", count: start.count)
        return TextTable.wrapped(names.joined(separator: ", "), to: width - start.count).enumerated().map {
            ($0 == 0 ? start : margin) + $1 + "\n"
        }.joined()
    }
}
