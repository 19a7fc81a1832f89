import CMetaLearners
import MetaLearnersCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The configuration of a plug-in's estimator: which plug-in, and a value for each parameter that it declares.
///
/// Its keys are known at run time only, so it is read with `init(_:_:at:)` and not by a list of the type.
public struct PluginSpec: BaseEstimatorSpec {
    /// None: what keys there are depends on the plug-in.
    public static let parameters: [Parameter<PluginSpec>] = []

    /// The plug-in, nil in an empty spec.
    public let plugin: Plugin?
    /// Every parameter with its value, in the plug-in's order.
    public let values: SpecObject
    /// Which parameters were set.
    let given: Set<String>

    /// Creates an empty spec, with which no estimator can be made.
    public init() {
        plugin = nil
        values = SpecObject()
        given = []
    }

    /// Reads the parameters of a plug-in; absent and null ones keep their defaults.
    ///
    /// - Throws: `invalidSpec` for an unknown key, a value of another kind or one out of its range; `unsupported`
    ///   for a common parameter that the plug-in cannot follow.
    public init(_ plugin: Plugin, _ value: SpecValue, at place: SpecPath) throws(MetaLearnersError) {
        let object: SpecObject
        switch value {
        case .null: object = SpecObject()
        case .object(let entries): object = entries
        default: throw place.error("must be a mapping, not \(value.kindName)")
        }
        let declared = plugin.declared
        for key in object.keys where !declared.contains(where: { $0.name == key }) {
            throw place.appending(key).error(
                "unknown key", remedy: SpellingSuggestion.clause(forName: key, in: declared.map(\.name)))
        }
        var values = SpecObject()
        var given: Set<String> = []
        for parameter in declared {
            if let entry = object[parameter.name], entry != .null {
                values[parameter.name] = try parameter.checked(entry, at: place.appending(parameter.name))
                given.insert(parameter.name)
            } else if !parameter.isUnsupported {
                values[parameter.name] = parameter.defaultValue
            }
        }
        self.plugin = plugin
        self.values = values
        self.given = given
    }

    public var specValue: SpecValue { .object(values) }

    /// What is followed approximately only, of the parameters that were set to another value than the default.
    var warnings: [String] {
        guard let plugin else { return [] }
        return plugin.declared.compactMap { parameter in
            guard case .approximate(let engine, let note)? = parameter.mapping,
                given.contains(parameter.name),
                values[parameter.name] != parameter.defaultValue
            else { return nil }
            return "\(parameter.name) is approximated (by \(engine)): \(note)"
        }
    }

    public static func == (left: PluginSpec, right: PluginSpec) -> Bool {
        left.plugin === right.plugin && left.values == right.values
    }
}

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
