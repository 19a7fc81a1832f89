import MetaLearnersCore

/// A dialect of SQL.
public enum SQLDialect: String, Sendable, CaseIterable {
    case duckdb, postgres

    /// An identifier in quotation marks.
    func identifier(_ name: String) -> String {
        "\"" + Self.doubling(UInt8(ascii: "\""), in: name) + "\""
    }

    /// The text with one of the marks of ASCII twice wherever it stands: byte by byte, since a mark with an accent behind it is another
    /// character to Swift, and still a mark to SQL.
    private static func doubling(_ mark: UInt8, in text: String) -> String {
        String(decoding: text.utf8.flatMap { $0 == mark ? [mark, mark] : [$0] }, as: UTF8.self)
    }

    /// A name that may be qualified, such as `schema.table`: parts between points, each of which may stand in quotation marks.
    ///
    /// - Throws: `invalidArgument` for an empty part or a quotation mark that does not end.
    func qualified(_ name: String) throws(MetaLearnersError) -> String {
        let (mark, point) = (UInt8(ascii: "\""), UInt8(ascii: "."))
        var parts: [String] = []
        var rest = Array(name.utf8)[...]
        func refused() -> MetaLearnersError {
            MetaLearnersError(
                .invalidArgument, at: "table", "'\(name)' is no name of a table",
                remedy: "write table, schema.table or \"a name with points\"")
        }
        while true {
            var part: [UInt8] = []
            if rest.first == mark {
                rest.removeFirst()
                while true {
                    guard let end = rest.firstIndex(of: mark) else { throw refused() }
                    part += rest[..<end]
                    rest = rest[(end + 1)...]
                    guard rest.first == mark else { break }
                    part.append(mark)
                    rest.removeFirst()
                }
            } else {
                let end = rest.firstIndex(of: point) ?? rest.endIndex
                part = Array(rest[..<end])
                rest = rest[end...]
                guard !part.contains(mark) else { throw refused() }
            }
            guard !part.isEmpty, !part.contains(0) else { throw refused() }
            parts.append(String(decoding: part, as: UTF8.self))
            guard !rest.isEmpty else { break }
            guard rest.removeFirst() == point else { throw refused() }
        }
        return parts.map(identifier).joined(separator: ".")
    }

    /// A text as a literal, whatever the server's settings say of backslashes.
    func literal(_ text: String) -> String {
        let quoted = "'" + Self.doubling(UInt8(ascii: "'"), in: text) + "'"
        guard self == .postgres, text.utf8.contains(UInt8(ascii: "\\")) else { return quoted }
        return "E" + Self.doubling(UInt8(ascii: "\\"), in: quoted)
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
