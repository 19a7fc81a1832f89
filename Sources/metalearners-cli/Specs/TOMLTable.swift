import MetaLearnersCore

/// A table while its document is being read.
final class TOMLTable {
    /// How a table came about, which says who may add to it.
    enum Origin {
        /// By the name of a table within it: its own name may still come.
        case implied
        /// By its name in brackets.
        case named
        /// By a key of several parts: further such keys may add to it.
        case dotted
        /// In braces: it is complete.
        case braces
    }

    enum Entry {
        case value(SpecValue)
        case table(TOMLTable)
        case tables([TOMLTable])
    }

    var origin: Origin
    private(set) var keys: [String] = []
    private var entries: [String: Entry] = [:]

    init(_ origin: Origin) { self.origin = origin }

    subscript(key: String) -> Entry? {
        get { entries[key] }
        set {
            if entries.updateValue(newValue ?? .value(.null), forKey: key) == nil { keys.append(key) }
        }
    }

    /// The table as a value. Keys have few parts, so that this is not deep.
    var value: SpecValue {
        var object = SpecObject()
        for key in keys {
            switch entries[key] {
            case .value(let value): object[key] = value
            case .table(let table): object[key] = table.value
            case .tables(let tables): object[key] = .array(tables.map(\.value))
            case nil: break
            }
        }
        return .object(object)
    }
}
