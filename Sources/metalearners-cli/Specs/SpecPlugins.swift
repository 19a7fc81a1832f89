import MetaLearnersCore

/// The plug-ins that a spec names: their paths are relative to the spec's file.
package enum SpecPlugins {
    /// The spec with paths that hold from the current folder.
    package static func resolved(_ spec: SpecValue, besides path: String) -> SpecValue {
        guard var object = spec.objectValue, let plugins = object["plugins"], path != "-" else { return spec }
        let folder = path.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(
            separator: "/")
        func resolve(_ value: SpecValue) -> SpecValue {
            guard let name = value.stringValue, !name.isEmpty, !name.hasPrefix("/"), path.contains("/") else {
                return value
            }
            return .string(folder + "/" + name)
        }
        object["plugins"] = plugins.arrayValue.map { .array($0.map(resolve)) } ?? resolve(plugins)
        return .object(object)
    }
}
