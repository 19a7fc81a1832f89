/// What XGBoost says, made fit for an error or a warning of ours.
enum XGBoostMessage {
    /// The message without time, level, source line and stack trace, on one line.
    static func plain(_ message: String) -> String {
        var lines: [Substring] = []
        for line in message.split(separator: "\n") {
            if line.hasPrefix("Stack trace") { break }
            lines.append(line)
        }
        var text = lines.joined(separator: " ")[...]
        // "[12:34:56] WARNING: /src/learner.cc:738: the message"; the time alone differs from run to run.
        if text.hasPrefix("["), let end = text.firstIndex(of: "]") {
            text = text[text.index(after: end)...]
            text = text.drop { $0 == " " }
            if text.hasPrefix("WARNING: ") { text = text.dropFirst(9) }
            if let place = text.split(separator: " ", maxSplits: 1).first, place.hasSuffix(":"),
                place.contains(".cc:") || place.contains(".h:") || place.contains(".cu:")
            {
                text = text.dropFirst(place.count).drop { $0 == " " }
            }
        }
        while text.last == " " { text = text.dropLast() }
        return String(text)
    }

    /// The names in "Parameters: { "a", "b" } are not used.", nil for another message.
    static func unusedParameters(_ message: String) -> [String]? {
        guard message.hasPrefix("Parameters:"), message.contains("not used") else { return nil }
        let parts = message.split(separator: "\"", omittingEmptySubsequences: false)
        return parts.indices.filter { $0 % 2 == 1 }.map { String(parts[$0]) }
    }
}
