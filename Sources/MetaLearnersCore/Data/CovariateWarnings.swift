/// What is doubtful about a covariate: that it is the outcome or the treatment in disguise, or a number that only names
/// the row.
struct CovariateWarnings {
    let column: Column
    let treatment: Treatment
    let outcome: Outcome

    /// Fewer rows than this agree by chance.
    private static let leastRows = 20

    /// The warnings, in a fixed order.
    ///
    /// - Complexity: O(rows), and much less where the first rows settle it.
    var texts: [String] {
        guard column.count >= Self.leastRows, column.values.sparse == nil else { return [] }
        var texts: [String] = []
        if isTreatment {
            texts.append(
                "column '\(column.name)' says which arm a row is in: name it under data.exclude, or no row has a counterpart"
            )
        }
        if isOutcome {
            texts.append(
                "column '\(column.name)' is the outcome in other units: name it under data.exclude, or it takes up every effect"
            )
        }
        if let reason = identifierReason {
            texts.append(
                "column '\(column.name)' is used as a number, and \(reason): if its numbers are identifiers, name it under data.exclude, data.cluster or data.categorical"
            )
        }
        return texts
    }

    /// Whether every value goes with one arm, and every arm with one value.
    private var isTreatment: Bool {
        var valueOfArm = [Double](repeating: .nan, count: treatment.armCount)
        let agrees = allRows { row, value in
            guard !value.isNaN else { return false }
            let arm = Int(treatment.arms[row])
            if valueOfArm[arm].isNaN { valueOfArm[arm] = value }
            return valueOfArm[arm] == value
        }
        return agrees && Set(valueOfArm).count == treatment.armCount
    }

    /// Whether the values are the outcome's, but for a factor and a constant.
    private var isOutcome: Bool {
        let target = outcome.values
        guard outcome.kind.effectClasses.isEmpty, let first = target.first,
            let other = target.firstIndex(where: { $0 != first })
        else { return false }
        let start = column.values[0]
        let slope = (column.values[other] - start) / (target[other] - first)
        guard slope.isFinite, slope != 0 else { return false }
        var scale = abs(start)
        return allRows { row, value in
            scale = max(scale, abs(value))
            return abs(value - (start + slope * (target[row] - first))) <= 1e-9 * scale
        }
    }

    /// Why a column of numbers looks like one of identifiers; nil where it does not.
    private var identifierReason: String? {
        guard column.levels == nil else { return nil }
        if Self.namesIdentifiers(column.name) {
            return holdsManyIntegers ? "its name is that of an identifier" : nil
        }
        var least = column.values[0]
        var greatest = least
        var previous = least
        var isAscending = true
        var isDescending = true
        var seen: Set<Double> = []
        // Numbers with fractions are measured, not given, and the same number twice identifies nothing.
        let identify = allRows { row, value in
            guard value == value.rounded(.towardZero), seen.insert(value).inserted else { return false }
            if row > 0 {
                isAscending = isAscending && value > previous
                isDescending = isDescending && value < previous
            }
            previous = value
            least = min(least, value)
            greatest = max(greatest, value)
            return true
        }
        guard identify else { return nil }
        if greatest - least == Double(column.count - 1) { return "it numbers the rows" }
        guard isAscending || isDescending else { return nil }
        return "its values are all different and \(isAscending ? "rise" : "fall") from row to row"
    }

    /// Whether all values are integers or missing, and more than two of them different.
    private var holdsManyIntegers: Bool {
        var distinct: Set<Double> = []
        let areIntegers = allRows { _, value in
            if value.isNaN { return true }
            if distinct.count < 3 { distinct.insert(value) }
            return value == value.rounded(.towardZero)
        }
        return areIntegers && distinct.count > 2
    }

    /// Whether `name` is "id", "index" and the like, or ends in "id" as a word ("user_id", "userId", "schoolid").
    private static func namesIdentifiers(_ name: String) -> Bool {
        let words = [
            "id", "ids", "idx", "index", "uuid", "guid", "key", "rowid", "rowname", "rownames", "rownumber",
        ]
        let owners = [
            "account", "case", "child", "class", "client", "clinic", "cluster", "country", "county",
            "customer",
            "device", "district", "employee", "family", "firm", "household", "hospital", "member", "order",
            "participant", "patient", "person", "product", "record", "region", "respondent", "row", "school",
            "session", "site", "store", "student", "subject", "teacher", "unit", "user", "village",
        ]
        let lower = name.lowercased()
        let last = String(lower.split { !($0.isLetter || $0.isNumber) }.last ?? "")
        if words.contains(last) { return true }
        // "userId" and "userID" by their capital, "schoolid" by what comes before.
        if name.hasSuffix("Id") || name.hasSuffix("ID"), let before = name.dropLast(2).last,
            before.isLowercase
        {
            return true
        }
        return last.hasSuffix("id") && owners.contains(String(last.dropLast(2)))
    }

    /// Whether `holds` is true of every row and its number or code; it is asked of no more rows once it was not.
    private func allRows(_ holds: (_ row: Int, _ value: Double) -> Bool) -> Bool {
        withUnsafeTemporaryAllocation(of: Double.self, capacity: 1024) { block in
            for start in stride(from: 0, to: column.count, by: block.count) {
                let rows = start..<min(start + block.count, column.count)
                column.values.copy(rows, to: block)
                for index in 0..<rows.count where !holds(start + index, block[index]) { return false }
            }
            return true
        }
    }
}
