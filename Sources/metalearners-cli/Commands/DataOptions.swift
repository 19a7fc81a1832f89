import ArgumentParser
import MetaLearnersCore

/// What commands that read a data file take.
struct DataOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "What separates fields: comma, semicolon, tab, pipe or another mark (default: by the first rows).",
            valueName: "mark"))
    var delimiter: FieldDelimiter?

    @Option(
        help: ArgumentHelp(
            "What stands before decimals: point or comma (default: by the first rows).", valueName: "mark"))
    var decimal: DecimalMark?

    @Option(
        name: .customLong("where"), parsing: .singleValue,
        help: ArgumentHelp(
            "Use only the rows whose column has this value; may be repeated, and then all must hold. The column is no covariate unless the spec names it.",
            valueName: "column=value"))
    var conditions: [RowCondition] = []

    /// What is said of the file's dialect.
    var dialect: CSVDialectOptions {
        CSVDialectOptions(separator: delimiter?.byte, decimal: decimal?.byte)
    }
}

/// A mark between fields, by its name or itself.
struct FieldDelimiter: ExpressibleByArgument {
    let byte: UInt8

    init?(argument: String) {
        let name = argument.lowercased()
        if let known = CSVDialect.separators.first(where: { [$0.name, $0.plural].contains(name) }) {
            byte = known.byte
        } else if ["\\t", "\t"].contains(name) {
            byte = UInt8(ascii: "\t")
        } else {
            // Numbers, words and quotation marks are what fields are made of.
            guard name.utf8.count == 1, let mark = name.utf8.first, (0x21...0x7E).contains(mark),
                !Character(Unicode.Scalar(mark)).isLetter, !Character(Unicode.Scalar(mark)).isNumber,
                ![UInt8(ascii: "\""), UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "+")].contains(mark)
            else { return nil }
            byte = mark
        }
    }
}

/// What stands before the decimals of a number.
struct DecimalMark: ExpressibleByArgument {
    let byte: UInt8

    init?(argument: String) {
        switch argument.lowercased() {
        case "point", ".", "dot", "period": byte = UInt8(ascii: ".")
        case "comma", ",": byte = UInt8(ascii: ",")
        default: return nil
        }
    }
}
