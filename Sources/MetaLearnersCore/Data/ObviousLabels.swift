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

    /// Groups of labels that differ only in case or blanks, each of two or more, in the order of the labels.
    static func lookalikes(in labels: [String]) -> [[String]] {
        var groups: [String: [String]] = [:]
        var order: [String] = []
        for label in labels {
            // The name by which a person would take it for the same: "Drug A" and "drug  a" are, "10" and "1 0" are not.
            let key = folded(label)
            if groups[key] == nil { order.append(key) }
            groups[key, default: []].append(label)
        }
        return order.compactMap { key in groups[key].flatMap { $0.count > 1 ? $0 : nil } }
    }

    /// In lower case, without blanks at the ends, and with single blanks within.
    private static func folded(_ label: String) -> String {
        label.lowercased().split(whereSeparator: \.isWhitespace).joined(separator: " ")
    }
}
