import MetaLearnersCore

/// Covariates as numbers for a regression.
///
/// - Numbers stay as they are. A missing one becomes the column's mean over the rows used, and an indicator says that it was
///   missing.
/// - A category becomes an indicator for each level but the first that occurs; missing is a level of its own, the last. Of a
///   category of more than 50 levels, the rarest beyond 50 become one, "other".
struct CovariateDesign {
    /// A name for each column.
    private(set) var names: [String] = []
    /// The columns, a number for each of the rows used.
    private(set) var columns: [[Double]] = []
    /// What was done to columns, in whole sentences.
    private(set) var notes: [String] = []

    private static let mostLevels = 50

    /// Makes the columns of `table` for the rows that take part.
    init(_ table: Table, rows: [Int], weights: [Double]) {
        let rows = rows.map(Int32.init)
        for column in table.columns {
            if column.levels == nil {
                append(numbers: column.values.doubles(rows), column.name, weights)
            } else {
                append(column.selecting(rows))
            }
        }
    }

    private mutating func append(numbers: [Double], _ name: String, _ weights: [Double]) {
        let isMissing = numbers.map(\.isNaN)
        guard isMissing.contains(true) else {
            names.append(name)
            columns.append(numbers)
            return
        }
        var (sum, total) = (0.0, 0.0)
        for (row, number) in numbers.enumerated() where !isMissing[row] {
            sum += weights[row] * number
            total += weights[row]
        }
        let mean = total > 0 ? sum / total : 0
        names += [name, "\(name) is missing"]
        columns += [numbers.map { $0.isNaN ? mean : $0 }, isMissing.map { $0 ? 1 : 0 }]
        let count = isMissing.count { $0 }
        notes.append(
            "'\(name)' is missing in \(NumberText.grouped(count)) of \(NumberText.grouped(numbers.count)) rows: these have "
                + "the column's mean and an indicator of their own.")
    }

    private mutating func append(_ column: Column) {
        let levels = column.levels ?? []
        let codes = (column.codes() ?? []).map { $0 < 0 ? levels.count : Int($0) }
        var counts = [Int](repeating: 0, count: levels.count + 1)
        for code in codes { counts[code] += 1 }
        var kept = counts.indices.filter { counts[$0] > 0 }
        if kept.count > Self.mostLevels {
            let frequent = kept.sorted { (counts[$1], $0) < (counts[$0], $1) }.prefix(Self.mostLevels)
            notes.append(
                "'\(column.name)' has \(NumberText.grouped(kept.count)) levels: those beyond the \(Self.mostLevels) most frequent "
                    + "count as one.")
            kept = frequent.sorted()
            let isKept = Set(kept)
            append(codes.map { isKept.contains($0) ? 0 : 1 }, "\(column.name) = other")
        }
        for level in kept.dropFirst() {
            append(
                codes.map { $0 == level ? 1 : 0 },
                level == levels.count ? "\(column.name) is missing" : "\(column.name) = \(levels[level])")
        }
    }

    private mutating func append(_ values: [Double], _ name: String) {
        names.append(name)
        columns.append(values)
    }
}
