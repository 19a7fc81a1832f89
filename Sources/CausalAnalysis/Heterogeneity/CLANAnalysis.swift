import MetaLearnersCore

/// Classification analysis: how those who are affected most differ from those who are affected least.
public struct CLANAnalysis: Analysis {
    public static let name = "clan"
    public static let title = "Who is affected most and least (CLAN)"
    public static let summary =
        "Average characteristics of those with the largest and the smallest estimated effects, and their differences"
    public static let topic = AnalysisTopic.heterogeneity
    public static let parameters: [Parameter<CLANAnalysis>] = [
        .integer(
            "groups", \.groups, in: 2...100, "sorted groups, of which the first and the last are compared"),
        .texts("columns", \.columns, "columns to compare; every covariate where empty"),
        .integer("limit", \.limit, in: 1...Int.max, "characteristics to list, those that differ most first"),
        .level(\.level), .arm(\.arm),
    ]

    /// How many sorted groups there are.
    public var groups = 5
    /// The columns to compare; empty for every covariate.
    public var columns: [String] = []
    /// How many characteristics are listed.
    public var limit = 10
    /// The level of intervals.
    public var level = AverageEffect.standardLevel
    /// The arm that is asked about; nil for every one but the control.
    public var arm: String?

    public init() {}

    public var needs: StudyParts { columns.isEmpty ? [.effects, .covariates] : .effects }

    /// A characteristic in both groups.
    private struct Comparison {
        let name: String
        let isIndicator: Bool
        let least: Double
        let most: Double
        let difference: NormalEstimate
        /// The difference in standard deviations of all rows.
        let standardised: Double
    }

    public func run(_ study: CausalStudy, _ scheduler: Scheduler) throws(MetaLearnersError) -> AnalysisResult
    {
        var result = emptyResult
        var table = ResultTable(
            "characteristics", "Averages of those affected most and least",
            [
                ResultTable.Column("arm", "arm", .text),
                ResultTable.Column("characteristic", "characteristic", .text),
                ResultTable.Column("most_affected", "most", .number),
                ResultTable.Column("least_affected", "least", .number),
                ResultTable.Column("standardised_difference", "std. difference", .number),
            ] + ResultTable.estimateColumns("difference", level: level))
        let characteristics = try Characteristics(study, columns, dropsFirstLevel: false)
        for arm in try study.treatedArms(arm) {
            let weights = study.rowWeights
            let cut = WeightedQuantiles.groups(try study.orderingEffect(arm), weights: weights, count: groups)
            guard cut.count > 1 else {
                result.findings.append(
                    Sentence.arm(study, arm)
                        + "All estimated effects are the same: there are no groups to compare.")
                continue
            }
            let comparisons = characteristics.items.compactMap {
                Self.compare($0, cut.codes, cut.count, weights, study.clusters)
            }.sorted { abs($0.standardised) > abs($1.standardised) }
            for entry in comparisons.prefix(limit) {
                table.append(
                    [
                        .string(study.armLabels[arm]), .string(entry.name), .number(entry.most),
                        .number(entry.least), .number(entry.standardised),
                    ] + ResultTable.cells(entry.difference, level: level))
            }
            result.findings.append(finding(study, arm, comparisons))
            if comparisons.count > limit {
                result.warnings.append(
                    "\(comparisons.count) characteristics were compared, of which the \(limit) that differ most are listed: "
                        + "the option limit lists more.")
            }
        }
        result.tables = [table]
        result.assumptions = [
            "That a characteristic goes with the effect does not mean that changing it would change the effect."
        ]
        return result
    }

    private static func compare(
        _ item: Characteristics.Item, _ codes: [Int32], _ count: Int, _ weights: [Double],
        _ clusters: [Int32]?
    ) -> Comparison? {
        let means = GroupMeans(
            item.values, groups: codes, count: count, weights: weights, clusters: clusters)
        guard let least = means.estimates[0], let most = means.estimates[count - 1],
            let difference = means.difference(count - 1, 0)
        else { return nil }
        let mean = Characteristics.mean(item.values, weights)
        let deviation = Characteristics.mean(
            item.values.map { ($0 - mean) * ($0 - mean) }, weights
        ).squareRoot()
        return Comparison(
            name: item.name, isIndicator: item.level != nil, least: least.estimate, most: most.estimate,
            difference: difference,
            standardised: deviation > 0 ? difference.estimate / deviation : 0)
    }

    private func finding(_ study: CausalStudy, _ arm: Int, _ comparisons: [Comparison]) -> String {
        let clear = comparisons.filter {
            $0.difference.pValue * Double(comparisons.count) < 1 - level
        }.prefix(3)
        let start = Sentence.arm(study, arm)
        guard !clear.isEmpty else {
            return start + "Those affected most and least do not differ clearly in any characteristic."
        }
        let parts = clear.map { entry in
            entry.isIndicator
                ? "\(entry.name) (\(Sentence.share(entry.most)) against \(Sentence.share(entry.least)))"
                : "\(entry.name) (\(Sentence.number(entry.most, with: [entry.least])) against "
                    + "\(Sentence.number(entry.least, with: [entry.most])) on average)"
        }
        return start + "Those with the largest estimated effects differ from those with the smallest in "
            + parts.joined(separator: ", ") + "."
    }
}
