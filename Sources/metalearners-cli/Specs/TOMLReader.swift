import MetaLearnersCore
import TOMLKit

/// Reads TOML into spec values.
struct TOMLReader {
    /// What error messages call the text.
    let source: String

    /// The value of a document.
    ///
    /// - Throws: `invalidSpec`, naming the line.
    func read(_ text: String) throws(MetaLearnersError) -> SpecValue {
        // The parser stops at the first NUL, as C does; what follows must not be lost in silence.
        guard !text.utf8.contains(0) else {
            throw MetaLearnersError(.invalidSpec, at: source, "is not valid TOML (it contains a NUL)")
        }
        do {
            return try value(of: TOMLTable(string: text), at: .root)
        } catch let error as TOMLParseError {
            throw MetaLearnersError(
                .invalidSpec,
                at: "\(source), line \(error.source.begin.line), column \(error.source.begin.column)",
                "is not valid TOML (\(error.description))")
        } catch let error as MetaLearnersError {
            throw error
        } catch {
            throw MetaLearnersError(.invalidSpec, at: source, "is not valid TOML (\(error))")
        }
    }

    private func value(of table: TOMLTable, at place: SpecPath) throws(MetaLearnersError) -> SpecValue {
        var object = SpecObject()
        for key in table.keys {
            guard let entry = table[key] else { continue }
            object[key] = try value(of: entry, at: place.appending(key))
        }
        return .object(object)
    }

    private func value(of entry: any TOMLValueConvertible, at place: SpecPath) throws(MetaLearnersError)
        -> SpecValue
    {
        if let text = entry.string { return .string(text) }
        if let flag = entry.bool { return .boolean(flag) }
        if let number = entry.int { return .integer(number) }
        if let number = entry.double { return .normalized(number) }
        if let table = entry.table { return try value(of: table, at: place) }
        if let array = entry.array {
            var elements: [SpecValue] = []
            for element in array { elements.append(try value(of: element, at: place)) }
            return .array(elements)
        }
        throw place.error("is a date or a time, which no key takes", remedy: "put text into quotation marks")
    }
}
