/// Labels whose meaning is plain from their spelling, whatever their case and the blanks around them.
enum ObviousLabels {
    /// Names of a control arm, the plainest first.
    private static let controls = ["control", "placebo", "untreated", "none", "no", "false", "0"]
    /// Names of what did not happen, the plainest first.
    private static let negatives = ["no", "false", "0", "none", "negative", "n", "f"]

    /// Where the names of controls stand, the plainest first.
    static func controlPositions(in labels: [String]) -> [Int] { positions(of: controls, in: labels) }

    /// Where the plainest name of what did not happen stands; nil where there is none.
    static func negativePosition(in labels: [String]) -> Int? {
        positions(of: negatives, in: labels).first
    }

    private static func positions(of names: [String], in labels: [String]) -> [Int] {
        let folded = labels.map(folded)
        return names.flatMap { name in folded.indices.filter { folded[$0] == name } }
    }

    /// Labels that a person would take for the same.
    struct Lookalikes {
        /// Two or more, in the order of all labels.
        let labels: [String]
        /// Whether they are one number in several notations; else they differ in case or blanks alone.
        let areNumbers: Bool
    }

    /// Groups of labels that differ only in case or blanks, or that are one number in decimal notation: "1", "01" and "1.0". In the order of the
    /// labels.
    ///
    /// - Parameter mayBeCodes: whether labels may be codes some of which look like numbers (versions such as "1.10" beside "1.10.2"), so that they
    ///   are taken for numbers only where all of them are.
    static func lookalikes(in labels: [String], mayBeCodes: Bool = false) -> [Lookalikes] {
        let areNumbers = !mayBeCodes || labels.allSatisfy { shortestNumber(folded($0)) != nil }
        var groups: [String: [String]] = [:]
        var order: [String] = []
        for label in labels {
            // The name by which a person would take it for the same: "Drug A" and "drug  a" are, "10" and "1 0" are not.
            let name = folded(label)
            let key = (areNumbers ? shortestNumber(name) : nil) ?? name
            if groups[key] == nil { order.append(key) }
            groups[key, default: []].append(label)
        }
        return order.compactMap { key in
            guard let group = groups[key], group.count > 1 else { return nil }
            return Lookalikes(labels: group, areNumbers: Set(group.map(folded)).count > 1)
        }
    }

    /// A number in decimal notation without the digits and signs that say nothing; nil for other texts. It is done digit by digit, because labels may be
    /// longer than a floating-point number is exact.
    private static func shortestNumber(_ text: String) -> String? {
        let isNegative = text.hasPrefix("-")
        let digits = isNegative || text.hasPrefix("+") ? text.dropFirst() : text[...]
        let parts = digits.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.contains(where: { !$0.isEmpty }),
            parts.allSatisfy({ $0.utf8.allSatisfy((UInt8(ascii: "0")...UInt8(ascii: "9")).contains) })
        else { return nil }
        let whole = parts[0].drop { $0 == "0" }
        var fraction = parts.count > 1 ? parts[1] : ""
        while fraction.last == "0" { fraction.removeLast() }
        let size = (whole.isEmpty ? "0" : String(whole)) + (fraction.isEmpty ? "" : "." + fraction)
        return isNegative && size != "0" ? "-" + size : size
    }

    /// In lower case, without blanks at the ends, and with single blanks within.
    private static func folded(_ label: String) -> String {
        label.lowercased().split(whereSeparator: \.isWhitespace).joined(separator: " ")
    }
}
