import MetaLearners
import MetaLearnersCore

/// Reads spec files, in the format that their extension names, and applies overrides from the command line.
package enum SpecLoader {
    /// The extensions of spec files.
    static let formats = ["yaml", "yml", "json", "toml"]

    /// Reads the spec at `path` (YAML from standard input for `-`).
    ///
    /// - Throws: `invalidSpec`, naming the file and, where it is known, the line.
    package static func load(_ path: String) throws(MetaLearnersError) -> SpecValue {
        let source = try ByteSource(path: path, kind: .invalidSpec, limit: 1 << 20)
        if try source.start(CATEModel.magic.count) == CATEModel.magic {
            throw MetaLearnersError(
                .invalidSpec, at: path, "is a fitted model, not a spec",
                remedy: "use it with predict, ate or inspect; its spec stands in what inspect prints")
        }
        let format = path == "-" ? "yaml" : Self.fileExtension(path)
        return try parse(source.bytes(), format: format, source: source.name)
    }

    /// Reads a spec from text.
    ///
    /// - Parameters:
    ///   - bytes: UTF-8 text.
    ///   - format: `yaml`, `yml`, `json` or `toml`.
    ///   - source: what error messages call the text.
    /// - Throws: `invalidSpec`.
    package static func parse(_ bytes: [UInt8], format: String, source: String) throws(MetaLearnersError)
        -> SpecValue
    {
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw MetaLearnersError(.invalidSpec, at: source, "is not UTF-8 text")
        }
        let value: SpecValue
        switch format {
        case "yaml", "yml":
            var reader = YAMLReader(source: source)
            value = try reader.read(text)
        case "json":
            value = try SpecValue(json: bytes, source: source)
        case "toml":
            value = try TOMLReader(source: source).read(text)
        case let format where ["csv", "tsv", "tab", "gz"].contains(format):
            throw MetaLearnersError(
                .invalidSpec, at: source, "is a data file by its name, and stands where a spec is expected",
                remedy:
                    "a spec is called .yaml, .yml, .json or .toml; without one, give --treatment and --outcome"
            )
        default:
            throw MetaLearnersError(
                .invalidSpec, at: source, "the extension says nothing of its format",
                remedy: "a spec is called .yaml, .yml, .json or .toml")
        }
        guard value == .null || value.objectValue != nil else {
            throw MetaLearnersError(
                .invalidSpec, at: source, "must be a mapping of keys, not \(value.kindName)")
        }
        return value
    }

    /// The extension of a file's name in lower case; empty where it has none.
    static func fileExtension(_ path: String) -> String {
        let name = path.split(separator: "/").last ?? ""
        return name.contains(".") ? name.split(separator: ".").last.map { $0.lowercased() } ?? "" : ""
    }
}
