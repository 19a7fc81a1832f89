import MetaLearnersCore

/// Which covariates a base learner sees: the key `columns` of a role's model.
public enum ColumnSelection: Sendable, Equatable {
    /// All of them.
    case all
    /// Those named, in the dataset's order.
    case only([String])
    /// All but those named.
    case allBut([String])

    /// Reads `[a, b]` or `{all_but: [a, b]}`; null is all.
    ///
    /// - Throws: `invalidSpec` for anything else, or a name that occurs twice.
    init(_ value: SpecValue, at place: SpecPath) throws(MetaLearnersError) {
        switch value {
        case .null: self = .all
        case .object(let object):
            guard object.keys == ["all_but"], let names = object["all_but"] else {
                throw place.error("must be a list of columns or {all_but: [...]}")
            }
            self = .allBut(try Self.names(names, at: place.appending("all_but")))
        default: self = .only(try Self.names(value, at: place))
        }
    }

    private static func names(_ value: SpecValue, at place: SpecPath) throws(MetaLearnersError) -> [String] {
        var names: [String] = []
        for element in value.arrayValue ?? [value] {
            guard let name = element.stringValue else {
                throw place.error("must be a list of columns, and holds \(element.kindName)")
            }
            guard !names.contains(name) else { throw place.error("names '\(name)' twice") }
            names.append(name)
        }
        return names
    }

    /// The selection as a spec has it; null for all.
    var specValue: SpecValue {
        switch self {
        case .all: .null
        case .only(let names): .array(names.map { .string($0) })
        case .allBut(let names): ["all_but": .array(names.map { .string($0) })]
        }
    }

    /// The positions of the selected columns among `columns`; nil for all.
    ///
    /// - Throws: `invalidSpec`, with the nearest name, for a column that is not there.
    func positions(in columns: [String], at place: SpecPath) throws(MetaLearnersError) -> [Int]? {
        let names: [String]
        let keeps: Bool
        switch self {
        case .all: return nil
        case .only(let given): (names, keeps) = (given, true)
        case .allBut(let given): (names, keeps) = (given, false)
        }
        for name in names where !columns.contains(name) {
            throw place.error(
                "there is no covariate '\(name)'", remedy: SpellingSuggestion.clause(for: name, in: columns))
        }
        return columns.indices.filter { names.contains(columns[$0]) == keeps }
    }
}
