import MetaLearnersCore

/// Groups of rows with the average effect of each, as tables and charts have them.
struct EffectGroupTable {
    var table: ResultTable
    let level: Double

    /// Creates a table without groups.
    init(_ name: String, _ title: String, group: String, predicts: Bool, level: Double) {
        self.level = level
        table = ResultTable(
            name, title,
            [
                ResultTable.Column("arm", "arm", .text), ResultTable.Column("group", group, .text),
                ResultTable.Column("rows", "rows", .count), ResultTable.Column("share", "share", .share),
            ] + (predicts ? [ResultTable.Column("predicted", "predicted", .number)] : [])
                + ResultTable.estimateColumns(level: level) + [ResultTable.Column("note", "", .text)])
    }

    /// Appends the groups of an arm, and returns their picture.
    ///
    /// - Parameters:
    ///   - estimates: the mean of each group with its error; nil for those of `means`.
    ///   - predicted: the mean of the estimated effects in each group; nil where there are none.
    mutating func append(
        _ arm: String, _ labels: [String], _ means: GroupMeans, estimates: [NormalEstimate?]? = nil,
        predicted: [Double]?, title: String
    ) -> Chart {
        let estimates = estimates ?? means.estimates
        for group in labels.indices {
            table.append(
                [
                    .string(arm), .string(labels[group]), .integer(means.counts[group]),
                    .number(means.shares[group]),
                ] + (predicted.map { [.number($0[group])] } ?? [])
                    + ResultTable.cells(estimates[group], level: level)
                    + [estimates[group] == nil ? .string("too few rows for an error") : .null])
        }
        let known = labels.indices.filter { estimates[$0] != nil }
        let intervals = known.compactMap { estimates[$0]?.interval(level: level) }
        var series = [
            Chart.Series(
                "doubly robust average", .points, x: known.map(Double.init),
                y: known.compactMap { estimates[$0]?.estimate }, lower: intervals.map(\.lower),
                upper: intervals.map(\.upper))
        ]
        if let predicted {
            series.append(
                Chart.Series("predicted", .points, x: known.map(Double.init), y: known.map { predicted[$0] }))
        }
        return Chart(
            "\(table.name)_\(arm)", title, x: Chart.Axis("group"), y: Chart.Axis("average effect"),
            series: series, categories: labels, references: [Chart.Reference("no effect", 0)])
    }

    /// The weighted mean of the estimated effects in each group; NaN for a group without rows.
    static func predicted(_ effects: [Double], _ groups: [Int32], _ count: Int, _ weights: [Double])
        -> [Double]
    {
        var sums = [Double](repeating: 0, count: count)
        var totals = [Double](repeating: 0, count: count)
        for row in effects.indices where groups[row] >= 0 && weights[row] > 0 {
            sums[Int(groups[row])] += weights[row] * effects[row]
            totals[Int(groups[row])] += weights[row]
        }
        return zip(sums, totals).map { $1 > 0 ? $0 / $1 : .nan }
    }
}
