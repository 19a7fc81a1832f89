import MetaLearnersCore

/// The comment at the top of a file of C: columns in order with the codes of their levels, and what the functions give.
struct CSourceComment {
    let text: String

    init(_ document: FormulaDocument, _ inputs: ExportInputs, _ name: String) {
        var lines = [
            "Written by metalearners \(Version.current): formulas of a fitted model, in C99.", "",
            "double \(name)(const double *x): \(document.names.count == 1 ? "" : "the first of ")what is predicted.",
            "void \(name)_all(const double *x, double *out): all of it.", "",
            "Compile with -O2, without -ffast-math, and link with -lm where the platform wants it.", "",
            "out:",
        ]
        lines += document.names.enumerated().map { "  \($0)  \(Self.quoted($1))" }
        lines += [
            "",
            "x: numbers, NAN where one is missing; of a category the code of the level, NAN or -1 where it is missing.",
        ]
        let hasLevels = inputs.inputs.contains { $0.levels != nil }
        if hasLevels {
            lines.append(
                inputs.refusesUnseen
                    ? "A code that is none makes all of out NAN: the model refuses levels that it does not know."
                    : "A code that is none counts as missing.")
            lines.append(
                "int \(name)_code(int column, const char *level) finds the code of a level, -1 for none.")
        }
        for (index, input) in inputs.inputs.enumerated() {
            lines.append("  \(index)  \(Self.quoted(input.name))")
            for (code, level) in (input.levels ?? []).enumerated() {
                let missing = input.missingCodes.contains(code) ? " (counts as missing)" : ""
                lines.append("       \(code) = \(Self.quoted(level))\(missing)")
            }
        }
        let missing = inputs.inputs.first { !$0.missingNumbers.isEmpty }?.missingNumbers ?? []
        if !missing.isEmpty {
            let numbers = missing.map { "\($0)" }.joined(separator: ", ")
            lines.append("Numbers that count as missing: \(numbers).")
        }
        text = "/*\n" + lines.map { $0.isEmpty ? " *\n" : " * \($0)\n" }.joined() + " */\n"
    }

    /// A text as a literal of C, of which every compiler makes the same bytes.
    static func literal(_ text: String) -> String {
        var result = "\""
        for byte in text.utf8 { result += escaped(byte) }
        return result + "\""
    }

    /// A text within a comment: letters of all scripts as they are, nothing that could end the comment, hide a part of it or
    /// change the order in which it is read.
    static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            if scalar.value >= 128, scalar.properties.isAlphabetic {
                result.unicodeScalars.append(scalar)
            } else {
                for byte in String(scalar).utf8 {
                    result += byte == UInt8(ascii: "*") ? "\\052" : escaped(byte)
                }
            }
        }
        return result + "\""
    }

    private static func escaped(_ byte: UInt8) -> String {
        // A question mark may begin a trigraph.
        if (32..<127).contains(byte), byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\"),
            byte != UInt8(ascii: "?")
        {
            return String(UnicodeScalar(byte))
        }
        let octal = String(byte, radix: 8)
        return "\\" + String(repeating: "0", count: 3 - octal.utf8.count) + octal
    }
}
