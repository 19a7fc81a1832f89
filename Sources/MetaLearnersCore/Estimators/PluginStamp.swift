/// What a fitted estimator of a plug-in begins with, so that those who lack the plug-in can say which it is.
public struct PluginStamp: Sendable, Equatable {
    /// The name of the backend.
    public let name: String
    /// The version of the plug-in that fitted the model.
    public let version: String

    private static let mark: UInt64 = 0x6E69_6775_6C70_7472  // "rtplugin"

    /// Creates a stamp.
    public init(name: String, version: String) {
        self.name = name
        self.version = version
    }

    /// Writes the stamp.
    public func encode(to writer: inout BinaryWriter) {
        writer.write(Self.mark)
        writer.write(name)
        writer.write(version)
    }

    /// Reads what `encode` wrote.
    ///
    /// - Throws: `corruptModel`.
    public init(from reader: inout BinaryReader) throws(MetaLearnersError) {
        guard try reader.read(UInt64.self) == Self.mark else {
            throw BinaryReader.corrupt("the model of a plug-in does not begin as one")
        }
        name = try reader.readString()
        version = try reader.readString()
    }

    /// The stamp that `reader` is about to read, nil where it is none.
    init?(peekingAt reader: BinaryReader) {
        var reader = reader
        guard let stamp = try? PluginStamp(from: &reader) else { return nil }
        self = stamp
    }

    /// The error of a model whose plug-in is not here.
    func missing(_ problems: [MetaLearnersError]) -> MetaLearnersError {
        let failed =
            problems.isEmpty ? "" : " (not loaded: \(problems.map(\.description).joined(separator: "; ")))"
        return MetaLearnersError(
            .unsupported, at: "model",
            "it was fitted with the plug-in '\(name)' \(version), which is not loaded\(failed)",
            remedy:
                "give its library with --plugin, in METALEARNERS_PLUGIN_PATH or by mtlr_registry_load_plugin; or, where a "
                + "program implements it, add it by mtlr_registry_add_callbacks")
    }
}
