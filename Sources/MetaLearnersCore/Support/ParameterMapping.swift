/// How a backend follows a parameter whose name all backends share.
public enum ParameterMapping: Sendable, Equatable {
    /// It means the same; `engine` is the engine's own name for it.
    case exact(engine: String)
    /// Something like it is done, as `note` says.
    case approximate(engine: String, note: String)
    /// It cannot be set, for the reason that `note` gives.
    case unsupported(note: String)

    /// The kind in one word: exact, approximate or unsupported.
    public var kind: String {
        switch self {
        case .exact: "exact"
        case .approximate: "approximate"
        case .unsupported: "unsupported"
        }
    }

    /// The engine's own name for the parameter, nil where it has none.
    public var engineName: String? {
        switch self {
        case .exact(let engine), .approximate(let engine, _): engine
        case .unsupported: nil
        }
    }

    /// What is done instead, or why nothing is; nil where the mapping is exact.
    public var note: String? {
        switch self {
        case .exact: nil
        case .approximate(_, let note), .unsupported(let note): note
        }
    }
}

extension Parameter {
    /// The same parameter, with how the engine follows it.
    public func mapped(_ mapping: ParameterMapping) -> Parameter {
        var parameter = self
        parameter.mapping = mapping
        return parameter
    }

    /// A name that other backends know and this one cannot follow: setting it is an error.
    public static func unsupported(_ name: String, _ summary: String, because note: String) -> Parameter {
        Parameter(name, summary, range: "unsupported") { _, place, _ throws(MetaLearnersError) in
            throw MetaLearnersError(
                .unsupported, at: place.description, note, remedy: "leave it out for this backend")
        } write: { _ in
            .null
        }.mapped(.unsupported(note: note))
    }
}
