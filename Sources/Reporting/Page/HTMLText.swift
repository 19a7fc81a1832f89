import CausalAnalysis

/// Text as HTML and SVG have it.
enum HTMLText {
    /// The text with everything that would be read as markup spelt out.
    static func escaped(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "'": result += "&#39;"
            case _ where scalar.value < 0x20 && scalar != "\n" && scalar != "\t": result += "\u{FFFD}"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    /// A place on the page: two decimals at most.
    static func place(_ number: Double) -> String {
        NumberText.shortest((number * 100).rounded() / 100)
    }
}
