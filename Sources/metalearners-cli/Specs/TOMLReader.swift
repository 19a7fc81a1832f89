import MetaLearnersCore

/// Reads TOML 1.0 into spec values.
///
/// Written here because what there is to take brings C++ and all of Foundation along, for files of a dozen lines.
struct TOMLReader {
    /// A table while the text is being read.
    private final class Table {
        /// How a table came to be, which decides who may add to it.
        enum Origin {
            /// On the way to another: a header may still define it.
            case passed
            /// By its own header.
            case header
            /// By a dotted key: only dotted keys of the same section may add to it.
            case dotted
        }

        var origin: Origin
        var keys: [String] = []
        var entries: [String: Entry] = [:]

        init(_ origin: Origin) { self.origin = origin }

        func set(_ key: String, _ entry: Entry) {
            keys.append(key)
            entries[key] = entry
        }

        var specValue: SpecValue {
            .object(
                SpecObject(keys.compactMap { key in entries[key].map { (key, $0.specValue) } }))
        }
    }

    private enum Entry {
        case value(SpecValue)
        case table(Table)
        case tables([Table])

        var specValue: SpecValue {
            switch self {
            case .value(let value): value
            case .table(let table): table.specValue
            case .tables(let tables): .array(tables.map(\.specValue))
            }
        }
    }

    /// What error messages call the text.
    let source: String

    /// The value of a document.
    ///
    /// - Throws: `invalidSpec`, naming line and column.
    func read(_ text: String) throws(MetaLearnersError) -> SpecValue {
        var scanner = TOMLScanner(text, source: source)
        let root = Table(.header)
        var section = root
        while true {
            try scanner.skipLines()
            guard scanner.next != nil else { return root.specValue }
            if scanner.skip("[[") {
                let key = try scanner.readKey()
                guard scanner.skip("]]") else { throw scanner.error("the header has no closing ]]") }
                section = try append(key, to: root, scanner)
            } else if scanner.skip("[") {
                let key = try scanner.readKey()
                guard scanner.skip("]") else { throw scanner.error("the header has no closing ]") }
                section = try define(key, in: root, scanner)
            } else {
                let key = try scanner.readKey()
                guard scanner.skip("=") else { throw scanner.error("the key is not followed by =") }
                scanner.skipBlanks()
                try add(key, scanner.readValue(), to: section, scanner)
            }
            try scanner.requireLineEnd()
        }
    }

    /// The table of a header.
    private func define(_ key: TOMLScanner.Key, in root: Table, _ scanner: TOMLScanner)
        throws(MetaLearnersError) -> Table
    {
        let (parent, name) = try parent(of: key, in: root, scanner)
        switch parent.entries[name] {
        case nil:
            let table = Table(.header)
            parent.set(name, .table(table))
            return table
        case .table(let table) where table.origin == .passed:
            table.origin = .header
            return table
        default: throw twice(key, scanner)
        }
    }

    /// One more table of a header in double brackets.
    private func append(_ key: TOMLScanner.Key, to root: Table, _ scanner: TOMLScanner)
        throws(MetaLearnersError) -> Table
    {
        let (parent, name) = try parent(of: key, in: root, scanner)
        let table = Table(.header)
        switch parent.entries[name] {
        case nil: parent.set(name, .tables([table]))
        case .tables(let others): parent.entries[name] = .tables(others + [table])
        default: throw twice(key, scanner)
        }
        return table
    }

    /// The table that the last part of a header's key is in, made where it is not there yet.
    private func parent(of key: TOMLScanner.Key, in root: Table, _ scanner: TOMLScanner)
        throws(MetaLearnersError) -> (table: Table, name: String)
    {
        var table = root
        for part in key.parts.dropLast() {
            switch table.entries[part] {
            case nil:
                let new = Table(.passed)
                table.set(part, .table(new))
                table = new
            case .table(let known): table = known
            case .tables(let known):
                guard let last = known.last else { throw twice(key, scanner) }
                table = last
            case .value: throw twice(key, scanner)
            }
        }
        return (table, key.parts.last ?? "")
    }

    /// Adds a key of a section or an inline table, dotted or not.
    private func add(
        _ key: TOMLScanner.Key, _ value: TOMLScanner.Value, to section: Table, _ scanner: TOMLScanner
    ) throws(MetaLearnersError) {
        var table = section
        for part in key.parts.dropLast() {
            switch table.entries[part] {
            case nil:
                let new = Table(.dotted)
                table.set(part, .table(new))
                table = new
            case .table(let known) where known.origin == .dotted: table = known
            default: throw twice(key, scanner)
            }
        }
        let name = key.parts.last ?? ""
        guard table.entries[name] == nil else { throw twice(key, scanner) }
        table.set(name, .value(try specValue(value, scanner)))
    }

    private func specValue(_ value: TOMLScanner.Value, _ scanner: TOMLScanner) throws(MetaLearnersError)
        -> SpecValue
    {
        switch value {
        case .plain(let value): return value
        case .array(let values):
            var elements: [SpecValue] = []
            for value in values { elements.append(try specValue(value, scanner)) }
            return .array(elements)
        case .table(let entries):
            let table = Table(.header)
            for (key, value) in entries { try add(key, value, to: table, scanner) }
            return table.specValue
        }
    }

    private func twice(_ key: TOMLScanner.Key, _ scanner: TOMLScanner) -> MetaLearnersError {
        scanner.error("'\(key.parts.joined(separator: "."))' occurs twice, or is no table", at: key.position)
    }
}
