import MetaLearnersCore

/// How a file of rows and fields is written: what separates fields, and what stands before the decimals of a number.
package struct CSVDialect: Sendable, Equatable {
    package var separator: UInt8
    package var decimal: UInt8

    /// Creates a dialect, by default that of commas and points.
    package init(separator: UInt8 = UInt8(ascii: ","), decimal: UInt8 = UInt8(ascii: ".")) {
        self.separator = separator
        self.decimal = decimal
    }

    /// Separators with their names, those that are recognised without being named first.
    static let separators: [(name: String, plural: String, byte: UInt8)] = [
        ("comma", "commas", UInt8(ascii: ",")), ("semicolon", "semicolons", UInt8(ascii: ";")),
        ("tab", "tabs", UInt8(ascii: "\t")), ("pipe", "vertical bars", UInt8(ascii: "|")),
    ]

    /// What is worth telling of a dialect that was recognised; nil for the usual one.
    var note: String? {
        let name = Self.separators.first { $0.byte == separator }?.plural ?? "'\(Self.text(separator))'"
        let isUsual = separator == UInt8(ascii: ",")
        if decimal == UInt8(ascii: ",") { return "fields are separated by \(name), decimals by commas" }
        return isUsual ? nil : "fields are separated by \(name)"
    }

    static func text(_ byte: UInt8) -> String { String(decoding: [byte], as: UTF8.self) }
}

/// What somebody said of a file's dialect; what is nil is found out.
package struct CSVDialectOptions: Sendable, Equatable {
    package var separator: UInt8?
    package var decimal: UInt8?

    /// Creates options, by default none.
    package init(separator: UInt8? = nil, decimal: UInt8? = nil) {
        self.separator = separator
        self.decimal = decimal
    }
}
