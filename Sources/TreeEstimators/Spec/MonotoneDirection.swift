import MetaLearnersCore

/// In which direction predictions move with a column.
public enum MonotoneDirection: String, CaseIterable, Sendable {
    /// They never fall as it rises.
    case increasing
    /// They never rise as it rises.
    case decreasing
}

extension Parameter {
    /// Directions by the names of columns.
    static func monotone(
        _ name: String, _ path: any WritableKeyPath<Spec, [String: MonotoneDirection]> & Sendable,
        _ summary: String
    ) -> Parameter {
        Parameter(name, summary, range: "mapping of columns to increasing or decreasing") {
            value, place, spec throws(MetaLearnersError) in
            guard let object = value.objectValue else {
                throw place.error("must be a mapping of columns, not \(value.kindName)")
            }
            var directions: [String: MonotoneDirection] = [:]
            for (column, value) in object.entries {
                let names = MonotoneDirection.allCases.map(\.rawValue)
                guard let direction = value.stringValue.flatMap(MonotoneDirection.init(rawValue:)) else {
                    throw place.appending(column).error(
                        "is \(value.json()), must be: \(names.joined(separator: ", "))")
                }
                directions[column] = direction
            }
            spec[keyPath: path] = directions
        } write: { spec in
            .object(
                SpecObject(
                    spec[keyPath: path].sorted { $0.key < $1.key }.map {
                        ($0.key, .string($0.value.rawValue))
                    }))
        }
    }
}
