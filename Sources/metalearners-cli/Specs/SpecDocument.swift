import MetaLearners
import MetaLearnersCore
import MetaLearnersKit

/// A complete spec as commented YAML: each key with its meaning and its range above it.
package enum SpecDocument {
    /// The document of `spec`.
    ///
    /// - Parameters:
    ///   - spec: every key with its value, base learners included.
    ///   - registry: where the parameters of the base learners are described.
    /// - Throws: `invalidSpec` for a backend that the registry does not know.
    package static func text(of spec: SpecValue, registry: EstimatorRegistry) throws(MetaLearnersError)
        -> String
    {
        var text = """
            # A metalearners spec with every key. Only data.treatment and data.outcome must be given;
            # a key that is left out keeps the value that it has here.

            """
        if spec.objectValue?["models"] == nil {
            text += """
                # The learner auto brings base learners of its own: those of the others stand in their specs
                # (metalearners spec --learner dr).

                """
        }
        for parameter in MetaLearnerSpec().parameterDescriptions {
            guard let value = spec.objectValue?[parameter.name] else { continue }
            text += "\n"
            try write(parameter, value, level: 0, registry, to: &text)
        }
        return text
    }

    private static func write(
        _ parameter: ParameterDescription, _ value: SpecValue, level: Int, _ registry: EstimatorRegistry,
        to text: inout String
    ) throws(MetaLearnersError) {
        let indent = String(repeating: "  ", count: level)
        let parameters = try parameters(below: parameter, value, registry)
        let range = value.objectValue == nil ? " (\(parameter.range))" : ""
        text += "\(indent)# \(parameter.summary)\(range)\n"
        guard let object = value.objectValue, !object.isEmpty else {
            text += "\(indent)\(parameter.name): \(scalar(value))\n"
            return
        }
        text += "\(indent)\(parameter.name):\n"
        for (key, entry) in object.entries {
            if let description = parameters.first(where: { $0.name == key }) {
                try write(description, entry, level: level + 1, registry, to: &text)
            } else if key == "backend" {
                let names = registry.descriptions.map(\.name).joined(separator: ", ")
                text += "\(indent)  # base learner (\(names)); its parameters follow\n"
                text += "\(indent)  backend: \(scalar(entry))\n"
            } else {
                text += "\(indent)  \(key): \(scalar(entry))\n"
            }
        }
    }

    /// The parameters within a section: its own, or those of the backend that it names.
    private static func parameters(
        below parameter: ParameterDescription, _ value: SpecValue, _ registry: EstimatorRegistry
    ) throws(MetaLearnersError) -> [ParameterDescription] {
        if !parameter.nested.isEmpty { return parameter.nested }
        guard let backend = value.objectValue?["backend"]?.stringValue else { return [] }
        return try registry.parameters(of: backend)
    }

    /// A value on one line, as YAML that reads back as the same.
    private static func scalar(_ value: SpecValue) -> String {
        guard case .string(let text) = value else { return value.json() }
        var reader = YAMLReader(source: "")
        let isPlain = text.unicodeScalars.allSatisfy {
            ("a"..."z").contains($0) || ("A"..."Z").contains($0) || ("0"..."9").contains($0) || $0 == "_"
                || $0 == "-"
        }
        return isPlain && (try? reader.read(text)) == value ? text : value.json()
    }
}
