import MetaLearnersCore

/// A spec as lines of YAML without comments.
enum SpecLines {
    /// The lines of `value`; keys without a value are left out.
    static func text(_ value: SpecValue) -> String {
        var text = ""
        append(value, indent: 0, to: &text)
        return text
    }

    private static func append(_ value: SpecValue, indent: Int, to text: inout String) {
        let margin = String(repeating: "  ", count: indent)
        for (key, entry) in value.objectValue?.entries ?? [] {
            if let object = entry.objectValue {
                if object.isEmpty { continue }
                text += "\(margin)\(key):\n"
                append(entry, indent: indent + 1, to: &text)
            } else if entry != .null, entry != .array([]) {
                text += "\(margin)\(key): \(entry.json())\n"
            }
        }
    }
}
