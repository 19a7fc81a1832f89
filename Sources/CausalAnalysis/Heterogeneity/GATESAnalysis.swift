import MetaLearnersCore

/// Sorted group average treatment effects: do those with larger estimated effects really gain more?
public struct GATESAnalysis: Analysis {
    public static let name = "gates"
    public static let title = "Sorted groups (GATES)"
    public static let summary =
        "Average effects of groups sorted by estimated effect, and the difference between the first and the last"
    public static let topic = AnalysisTopic.heterogeneity
    public static let parameters: [Parameter<GATESAnalysis>] = [
        .integer("groups", \.groups, in: 2...100, "groups of equal weight"), .level(\.level), .arm(\.arm),
    ]

    /// How many groups of equal weight the rows are sorted into.
    public var groups = 5
    /// The level of intervals.
    public var level = AverageEffect.standardLevel
    /// The arm that is asked about; nil for every one but the control.
    public var arm: String?

    public init() {}

    public var needs: StudyParts { [.scores, .effects] }

    public func run(_ study: CausalStudy, _ scheduler: Scheduler) throws(MetaLearnersError) -> AnalysisResult
    {
        var result = emptyResult
        let weights = study.rowWeights
        var groups = EffectGroupTable(
            "groups", "Average effect by group of estimated effects", group: "group", predicts: true,
            level: level)
        var differences = ResultTable(
            "differences", "Highest group less lowest",
            [ResultTable.Column("arm", "arm", .text)] + ResultTable.estimateColumns(level: level)
                + [ResultTable.Column("note", "", .text)])
        for arm in try study.treatedArms(arm) {
            let label = study.armLabels[arm]
            let effects = try study.orderingEffect(arm)
            let cut = WeightedQuantiles.groups(effects, weights: weights, count: self.groups)
            let scores = try study.scores(arm)
            let means = GroupMeans(
                scores, groups: cut.codes, count: cut.count, weights: weights, clusters: study.clusters)
            result.charts.append(
                groups.append(
                    label, Self.labels(cut.count), means,
                    estimates: study.allowingForOrder(means, of: scores, groups: cut.codes),
                    predicted: EffectGroupTable.predicted(effects, cut.codes, cut.count, weights),
                    title: "Average effect of '\(label)' by group of estimated effects"))
            let difference =
                cut.count > 1
                ? means.difference(cut.count - 1, 0)?.withError(times: study.orderingErrorFactor) : nil
            differences.append(
                [.string(label)] + ResultTable.cells(difference, level: level)
                    + [
                        difference == nil
                            ? .string(
                                cut.count < 2
                                    ? "all estimated effects are the same" : "too few rows for an error")
                            : .null
                    ])
            result.findings.append(finding(study, arm, difference, means))
        }
        result.tables = [groups.table, differences]
        result.assumptions = [
            Assumption.noConfounding, Assumption.overlap, Assumption.foreignEffects,
        ]
        return result
    }

    /// What sorted groups are called.
    static func labels(_ count: Int) -> [String] {
        (1...max(count, 1)).map { group in
            group == 1 ? "1 (lowest)" : group == count ? "\(group) (highest)" : "\(group)"
        }
    }

    private func finding(
        _ study: CausalStudy, _ arm: Int, _ difference: NormalEstimate?, _ means: GroupMeans
    ) -> String {
        let start = Sentence.arm(study, arm)
        guard let difference, let top = means.estimates.last ?? nil, let bottom = means.estimates.first ?? nil
        else { return start + "There are not two groups to compare: the estimated effects hardly differ." }
        let numbers =
            "\(Sentence.number(top.estimate, with: [bottom.estimate])) in the highest group against "
            + "\(Sentence.number(bottom.estimate, with: [top.estimate])) in the lowest, a difference of "
            + Sentence.estimate(difference)
        guard difference.pValue < 1 - level else {
            return start
                + "Those with the largest estimated effects do not demonstrably gain more: \(numbers)."
        }
        return start
            + (difference.estimate > 0
                ? "Those with the largest estimated effects gain more: \(numbers)."
                : "The order is upside down, those with the largest estimated effects gain less: \(numbers).")
    }
}
