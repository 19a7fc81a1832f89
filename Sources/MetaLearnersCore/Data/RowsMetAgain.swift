/// Whether rows are met for a second time, by their arms and outcomes: models judged by rows that they were fitted to look better than they are.
package enum RowsMetAgain {
    /// So many rows of each side are looked at.
    private static let sampled = 10_000

    /// The share of rows that have the arm and the outcome of one of the `known` rows, where that is more than outcomes of few values explain; nil
    /// where it is not.
    ///
    /// What they explain is the share of known rows that have a twin among the known ones. The first 10,000 rows of each side are looked for.
    ///
    /// - Complexity: O(known rows).
    package static func share(
        of arms: RowCodes, _ labels: [String], _ outcome: [Double], among knownArms: RowCodes,
        _ knownLabels: [String],
        _ knownOutcome: [Double]
    ) -> Double? {
        guard !outcome.isEmpty, knownOutcome.count > 1 else { return nil }
        // Arms by the labels of the known rows.
        let codes = labels.map { label in Int32(knownLabels.firstIndex(of: label) ?? -1) }
        func key(_ arm: Int32, _ value: Double) -> UInt64 {
            value.bitPattern &+ UInt64(UInt32(bitPattern: arm)) &* 0x9E37_79B9_7F4A_7C15
        }
        let asked = (0..<min(sampled, outcome.count)).map { key(codes[Int(arms[$0])], outcome[$0]) }
        let own = (0..<min(sampled, knownOutcome.count)).map { key(Int32(knownArms[$0]), knownOutcome[$0]) }
        var counts: [UInt64: Int] = [:]
        for key in asked { counts[key] = 0 }
        for key in own { counts[key] = 0 }
        for row in knownOutcome.indices {
            let key = key(Int32(knownArms[row]), knownOutcome[row])
            if let count = counts[key] { counts[key] = count + 1 }
        }
        let met = Double(asked.count { (counts[$0] ?? 0) > 0 }) / Double(asked.count)
        let twins = Double(own.count { (counts[$0] ?? 0) > 1 }) / Double(own.count)
        let error = (twins * (1 - twins) * (1 / Double(asked.count) + 1 / Double(own.count))).squareRoot()
        return met > twins + 0.1 + 3 * error ? met : nil
    }
}
