import CMetaLearners
import MetaLearnersCore

/// A parameter as a plug-in declares it in JSON, and the checks of its values.
struct PluginParameter: Sendable {
    /// What a value may be; `any` where the default is null.
    enum Kind: Sendable {
        case integer
        case number
        case boolean
        case text(choices: [String])
        case array
        case object
        case any
    }

    let name: String
    let summary: String
    let kind: Kind
    let bounds: Bounds
    private(set) var defaultValue: SpecValue
    let mapping: ParameterMapping?

    /// What numbers are within.
    struct Bounds: Sendable {
        var minimum = -Double.infinity
        var maximum = Double.infinity
        var above = -Double.infinity

        func contains(_ number: Double) -> Bool { number >= minimum && number <= maximum && number > above }
    }

    /// Whether setting it is an error.
    var isUnsupported: Bool { mapping?.kind == "unsupported" }

    /// Reads a plug-in's list.
    ///
    /// - Throws: `invalidArgument`, saying which entry makes no sense.
    static func list(_ json: String, at place: String) throws(MetaLearnersError) -> [PluginParameter] {
        func refuse(_ problem: String) -> MetaLearnersError {
            MetaLearnersError(
                .invalidArgument, at: place, "the plug-in's parameters cannot be used: \(problem)",
                remedy: "see `parameters` of mtlr_plugin_vtable")
        }
        let value: SpecValue
        do throws(MetaLearnersError) {
            value = try SpecValue(json: json.utf8, source: "parameters")
        } catch {
            throw refuse(error.problem)
        }
        guard let entries = value.arrayValue else { throw refuse("they are \(value.kindName), not a list") }
        var list: [PluginParameter] = []
        for (index, entry) in entries.enumerated() {
            guard let object = entry.objectValue, let name = object["name"]?.stringValue, !name.isEmpty,
                name != "backend"
            else { throw refuse("number \(index + 1) is no object with a name") }
            guard !list.contains(where: { $0.name == name }) else { throw refuse("'\(name)' occurs twice") }
            let known = [
                "name", "summary", "default", "integer", "minimum", "maximum", "above", "choices", "mapping",
                "engine",
                "note",
            ]
            if let key = object.keys.first(where: { !known.contains($0) }) {
                throw refuse("'\(name)' has an unknown key '\(key)'")
            }
            do throws(MetaLearnersError) {
                list.append(try PluginParameter(name, object))
            } catch {
                throw refuse("'\(name)': \(error.problem)")
            }
        }
        return list
    }

    private init(_ name: String, _ object: SpecObject) throws(MetaLearnersError) {
        self.name = name
        summary = object["summary"]?.stringValue ?? ""
        let note = object["note"]?.stringValue ?? ""
        let engine = object["engine"]?.stringValue
        switch object["mapping"]?.stringValue ?? "exact" {
        case "exact": mapping = engine.map { .exact(engine: $0) }
        case "approximate": mapping = .approximate(engine: engine ?? name, note: note)
        case "unsupported": mapping = .unsupported(note: note.isEmpty ? "it has nothing like it" : note)
        default: throw MetaLearnersError(.invalidArgument, "its mapping is unknown")
        }
        var bounds = Bounds()
        bounds.minimum = object["minimum"]?.doubleValue ?? bounds.minimum
        bounds.maximum = object["maximum"]?.doubleValue ?? bounds.maximum
        bounds.above = object["above"]?.doubleValue ?? bounds.above
        self.bounds = bounds
        let value = object["default"] ?? .null
        switch value {
        case .integer, .number:
            if case .boolean(true)? = object["integer"] { kind = .integer } else { kind = .number }
        case .boolean: kind = .boolean
        case .string: kind = .text(choices: object["choices"]?.arrayValue?.compactMap(\.stringValue) ?? [])
        case .array: kind = .array
        case .object: kind = .object
        case .null: kind = .any
        }
        defaultValue = value
        if !isUnsupported { defaultValue = try checked(value, at: .root) }
    }

    /// The value in its canonical form.
    ///
    /// - Throws: `invalidSpec` for a value of another kind or out of its range; `unsupported` where there is none.
    func checked(_ value: SpecValue, at place: SpecPath) throws(MetaLearnersError) -> SpecValue {
        if case .unsupported(let note)? = mapping {
            throw MetaLearnersError(
                .unsupported, at: place.description, note, remedy: "leave it out for this backend")
        }
        switch kind {
        case .integer:
            guard let number = value.integerValue else {
                throw place.error("must be an integer, not \(value.kindName)")
            }
            guard bounds.contains(Double(number)) else {
                throw place.error("is \(number), must be: \(description.range)")
            }
            return .integer(number)
        case .number:
            guard let number = value.doubleValue else {
                throw place.error("must be a number, not \(value.kindName)")
            }
            guard number.isFinite, bounds.contains(number) else {
                throw place.error("is \(value.json()), must be: \(description.range)")
            }
            return .number(number)
        case .boolean:
            guard case .boolean = value else {
                throw place.error("must be true or false, not \(value.kindName)")
            }
        case .text(let choices):
            guard let text = value.stringValue else {
                throw place.error("must be text, not \(value.kindName)")
            }
            guard choices.isEmpty || choices.contains(text) else {
                throw place.error(
                    "unknown value '\(text)'", remedy: SpellingSuggestion.clause(for: text, in: choices))
            }
        case .array:
            guard value.arrayValue != nil else { throw place.error("must be a list, not \(value.kindName)") }
        case .object:
            guard value.objectValue != nil else {
                throw place.error("must be a mapping, not \(value.kindName)")
            }
        case .any: break
        }
        return value
    }

    /// The parameter as documentation shows it.
    var description: ParameterDescription {
        ParameterDescription(
            name: name, summary: summary, range: isUnsupported ? "unsupported" : range,
            defaultValue: defaultValue,
            nested: [], mapping: mapping)
    }

    private var range: String {
        func text(_ number: Double) -> String { Column.label(of: number) }
        switch kind {
        case .integer, .number:
            var parts: [String] = []
            if bounds.above > -.infinity { parts.append("> \(text(bounds.above))") }
            if bounds.minimum > -.infinity { parts.append("≥ \(text(bounds.minimum))") }
            if bounds.maximum < .infinity { parts.append("≤ \(text(bounds.maximum))") }
            let noun = if case .integer = kind { "integer" } else { "number" }
            return parts.isEmpty ? noun : noun + " " + parts.joined(separator: ", ")
        case .boolean: return "true or false"
        case .text(let choices): return choices.isEmpty ? "text" : choices.joined(separator: ", ")
        case .array: return "list"
        case .object: return "mapping"
        case .any: return "any value"
        }
    }
}
