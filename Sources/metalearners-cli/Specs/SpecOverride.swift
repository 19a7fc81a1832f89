import MetaLearnersCore

/// A key of a spec with another value: `models.effect.backend=ridge`.
package struct SpecOverride: Sendable, Equatable {
    /// The keys from the top.
    package let path: [String]
    /// The value; null removes the key, so that its default holds.
    package let value: SpecValue

    /// Sets `key`.
    package init(_ key: String, _ value: SpecValue) {
        path = key.split(separator: ".").map(String.init)
        self.value = value
    }

    /// Reads `KEY=VALUE` of an option of the command line, the value as YAML: `overlap.bounds=[0.05, 0.95]`, `models.effect={backend: ridge}`.
    ///
    /// - Throws: `invalidSpec`.
    package init(parsing text: String, option: String = "--set") throws(MetaLearnersError) {
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        let keys = (parts.first ?? "").split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 2, keys.allSatisfy({ !$0.isEmpty && !$0.contains(" ") }) else {
            throw MetaLearnersError(
                .invalidSpec, at: option, "'\(text)' is not of the form KEY=VALUE",
                remedy: "write it like models.effect.backend=ridge")
        }
        var reader = YAMLReader(source: "\(option) \(text)")
        value = try reader.read(String(parts[1]))
        path = keys.map(String.init)
    }

    /// Applies the override to a spec.
    ///
    /// - Throws: `invalidSpec` where a key on the way holds something other than a mapping.
    package func apply(to spec: inout SpecValue) throws(MetaLearnersError) {
        spec = try replacing(spec, path[...], at: .root)
    }

    private func replacing(_ current: SpecValue, _ rest: ArraySlice<String>, at place: SpecPath)
        throws(MetaLearnersError) -> SpecValue
    {
        guard let key = rest.first else { return value }
        var object: SpecObject
        switch current {
        case .object(let known): object = known
        case .null: object = SpecObject()
        case .string(let name) where place.description.hasPrefix("models."):
            // The short form of a backend: `effect: ridge`.
            object = SpecObject([("backend", .string(name))])
        default:
            throw place.error("is \(current.kindName), not a mapping: '\(key)' cannot be set in it")
        }
        let entry = try replacing(object[key] ?? .null, rest.dropFirst(), at: place.appending(key))
        object[key] = entry == .null ? nil : entry
        return .object(object)
    }
}
