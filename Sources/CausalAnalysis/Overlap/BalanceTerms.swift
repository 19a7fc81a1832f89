import MetaLearnersCore

/// A number whose balance is looked at: a covariate, whether it has one of its levels, or whether it is missing.
struct BalanceTerm {
    /// The covariate.
    let column: String
    /// The level, or "missing"; nil for numbers.
    let level: String?
    /// A number for each row; NaN where it is missing.
    let values: [Double]
    /// Whether a ratio of variances says something: not for numbers that are 0 or 1, whose variance follows from the mean.
    let hasVariance: Bool

    /// Of a category the most frequent levels are looked at, up to this many.
    static let mostLevels = 20

    /// The terms of a table's columns, in their order.
    static func terms(_ table: Table) -> [BalanceTerm] {
        table.columns.flatMap { column -> [BalanceTerm] in
            guard let levels = column.levels, let codes = column.codes() else { return numbers(column) }
            var counts = [Int](repeating: 0, count: levels.count)
            for code in codes where code >= 0 { counts[Int(code)] += 1 }
            let kept = counts.indices.filter { counts[$0] > 0 }
                .sorted { counts[$0] > counts[$1] }.prefix(mostLevels).sorted()
            var terms = kept.map { level in
                BalanceTerm(
                    column: column.name, level: levels[level],
                    values: codes.map { $0 < 0 ? .nan : Int($0) == level ? 1 : 0 }, hasVariance: false)
            }
            if codes.contains(where: { $0 < 0 }) {
                terms.append(missing(column.name, codes.map { $0 < 0 }))
            }
            return terms
        }
    }

    private static func numbers(_ column: Column) -> [BalanceTerm] {
        let values = column.values.doubles()
        let isIndicator = values.allSatisfy { $0.isNaN || $0 == 0 || $0 == 1 }
        let term = BalanceTerm(
            column: column.name, level: nil, values: values, hasVariance: !isIndicator)
        guard values.contains(where: \.isNaN) else { return [term] }
        return [term, missing(column.name, values.map(\.isNaN))]
    }

    private static func missing(_ name: String, _ isMissing: [Bool]) -> BalanceTerm {
        BalanceTerm(
            column: name, level: "missing", values: isMissing.map { $0 ? 1 : 0 }, hasVariance: false)
    }

    /// What charts and findings call it.
    var name: String { level.map { "\(column) = \($0)" } ?? column }
}
