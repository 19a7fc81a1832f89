import CMetaLearners
import MetaLearnersCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A spec in C's memory, for the length of a call.
enum PluginSpecView {
    /// Hands the spec to a call.
    static func with(_ spec: PluginSpec, _ body: (UnsafePointer<mtlr_plugin_spec>) -> Int32) -> Int32 {
        var texts: [UnsafeMutablePointer<CChar>?] = []
        defer { for text in texts { free(text) } }
        func copy(_ text: String) -> UnsafePointer<CChar>? {
            let copy = text.withCString { strdup($0) }
            texts.append(copy)
            return UnsafePointer(copy)
        }
        let values = spec.values.entries.map { name, value in
            var view = mtlr_plugin_value()
            view.name = copy(name)
            view.number = value.doubleValue ?? .nan
            switch value {
            case .integer, .number: view.kind = MTLR_PLUGIN_NUMBER
            case .boolean(let flag):
                view.kind = MTLR_PLUGIN_BOOLEAN
                view.number = flag ? 1 : 0
            case .string: view.kind = MTLR_PLUGIN_TEXT
            case .array, .object, .null: view.kind = MTLR_PLUGIN_JSON
            }
            view.text = copy(value.stringValue ?? value.json())
            view.is_set = spec.given.contains(name) ? 1 : 0
            return view
        }
        var view = mtlr_plugin_spec()
        view.struct_size = MemoryLayout<mtlr_plugin_spec>.size
        view.json = copy(spec.specValue.json())
        view.value_count = Int64(values.count)
        return values.withUnsafeBufferPointer { buffer in
            view.values = buffer.baseAddress
            return withUnsafePointer(to: &view) { body($0) }
        }
    }
}
