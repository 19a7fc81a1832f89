import MetaLearnersCore

/// Rows in groups by the values of a column: by level for categories and for numbers of few values, by quantiles for others.
public struct RowGroups: Sendable {
    /// The column.
    public let column: String
    /// What the groups are called, in order: levels, ranges of numbers, and at the end "missing" where values are missing.
    public let labels: [String]
    /// The group of each row, an index into `labels`.
    public let codes: [Int32]

    /// Groups the rows of a study.
    ///
    /// Numbers of more distinct values than groups are cut at their quantiles, rows of weight 0 left out of account: a group
    /// holds the numbers above the cut before it, up to and including its own. Cuts that coincide leave fewer groups.
    ///
    /// - Parameters:
    ///   - study: the study, which has the column among those to group by.
    ///   - name: the column.
    ///   - count: how many groups numbers are cut into.
    /// - Throws: `invalidData`, with the nearest name, where there is no such column.
    public init(_ study: CausalStudy, by name: String, count: Int) throws(MetaLearnersError) {
        column = name
        var column = try study.columns.requiredColumn(name, for: "by")
        let numbers = column.values.doubles()
        if column.levels == nil {
            let weights = study.rowWeights
            let used = numbers.indices.filter { weights[$0] > 0 && !numbers[$0].isNaN }.map { numbers[$0] }
            let sorted = used.sorted()
            if Set(sorted).count > count {
                let cuts = Self.cuts(sorted, count)
                labels = Self.ranges(sorted, cuts) + (numbers.contains(where: \.isNaN) ? ["missing"] : [])
                codes = numbers.map { number in
                    if number.isNaN { return Int32(cuts.count + 1) }
                    return Int32(cuts.firstIndex { number <= $0 } ?? cuts.count)
                }
                return
            }
            column = column.asCategorical()
        }
        let levels = column.levels ?? []
        let ofRows = column.codes() ?? []
        labels = levels + (ofRows.contains { $0 < 0 } ? ["missing"] : [])
        codes = ofRows.map { $0 < 0 ? Int32(levels.count) : $0 }
    }

    /// The rows of a group, ascending.
    public func rows(of group: Int) -> [Int] { codes.indices.filter { codes[$0] == group } }

    /// The quantiles between groups, each once and below the largest number.
    private static func cuts(_ sorted: [Double], _ count: Int) -> [Double] {
        var cuts: [Double] = []
        for group in 1..<max(count, 1) {
            let cut = OrderStatistics.quantile(ofSorted: sorted, Double(group) / Double(count))
            if cut < sorted[sorted.count - 1], cut != cuts.last { cuts.append(cut) }
        }
        return cuts
    }

    /// The numbers that each group holds, from the least to the largest.
    private static func ranges(_ sorted: [Double], _ cuts: [Double]) -> [String] {
        var labels: [String] = []
        var start = 0
        for cut in cuts + [sorted[sorted.count - 1]] {
            let end = sorted[start...].firstIndex { $0 > cut } ?? sorted.count
            labels.append("\(Column.label(of: sorted[start])) to \(Column.label(of: sorted[end - 1]))")
            start = end
        }
        return labels
    }
}
