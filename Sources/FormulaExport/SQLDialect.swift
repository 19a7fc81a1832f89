import MetaLearnersCore

/// A dialect of SQL.
public enum SQLDialect: String, Sendable, CaseIterable {
    case duckdb, postgres

    /// An identifier in quotation marks.
    func identifier(_ name: String) -> String {
        "\"" + name.replacing("\"", with: "\"\"") + "\""
    }

    /// A name that may be qualified, such as `schema.table`: parts between points, each of which may stand in quotation marks.
    ///
    /// - Throws: `invalidArgument` for an empty part or a quotation mark that does not end.
    func qualified(_ name: String) throws(MetaLearnersError) -> String {
        var parts: [String] = []
        var rest = Substring(name)
        func refused() -> MetaLearnersError {
            MetaLearnersError(
                .invalidArgument, at: "table", "'\(name)' is no name of a table",
                remedy: "write table, schema.table or \"a name with points\"")
        }
        while true {
            var part = ""
            if rest.first == "\"" {
                rest.removeFirst()
                while true {
                    guard let end = rest.firstIndex(of: "\"") else { throw refused() }
                    part += rest[..<end]
                    rest = rest[rest.index(after: end)...]
                    guard rest.first == "\"" else { break }
                    part += "\""
                    rest.removeFirst()
                }
            } else {
                let end = rest.firstIndex(of: ".") ?? rest.endIndex
                part = String(rest[..<end])
                rest = rest[end...]
                guard !part.contains("\"") else { throw refused() }
            }
            guard !part.isEmpty, !part.utf8.contains(0) else { throw refused() }
            parts.append(part)
            guard !rest.isEmpty else { break }
            guard rest.removeFirst() == "." else { throw refused() }
        }
        return parts.map(identifier).joined(separator: ".")
    }

    /// A text as a literal, whatever the server's settings say of backslashes.
    func literal(_ text: String) -> String {
        let quoted = "'" + text.replacing("'", with: "''") + "'"
        guard self == .postgres, text.utf8.contains(UInt8(ascii: "\\")) else { return quoted }
        return "E" + quoted.replacing("\\", with: "\\\\")
    }

    /// A number in double precision, read back to the same bits; NaN is NULL.
    func number(_ value: Double) -> String {
        guard let text = shortestDecimal(value) else {
            return value.isNaN
                ? "CAST(NULL AS \(doubleType))"
                : "CAST('\(value < 0 ? "-" : "")Infinity' AS \(doubleType))"
        }
        switch self {
        case .duckdb:
            // Without an exponent it would be a decimal number.
            let exact = text.contains("e") ? text : text + "e0"
            return value.sign == .minus ? "(\(exact))" : exact
        case .postgres: return "'\(text)'::float8"
        }
    }

    /// The type of numbers in double precision.
    var doubleType: String { self == .duckdb ? "DOUBLE" : "float8" }

    /// NaN, which is missing.
    var nan: String { "CAST('NaN' AS \(doubleType))" }

    /// A boundary that the optimiser leaves alone: what a sub-select computes is computed once.
    var fence: String { self == .postgres ? " OFFSET 0" : "" }
}
