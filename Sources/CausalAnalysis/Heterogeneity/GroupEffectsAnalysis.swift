import MetaLearnersCore

/// Average effects in groups of rows: of a column's levels or quantiles, or of the estimated effects' own quantiles.
public struct GroupEffectsAnalysis: Analysis {
    public static let name = "group_effects"
    public static let title = "Average effects by group"
    public static let summary =
        "The doubly robust average effect within each group of rows, and whether groups differ"
    public static let topic = AnalysisTopic.heterogeneity
    public static let parameters: [Parameter<GroupEffectsAnalysis>] = [
        .optionalText("by", \.by, "column to group by; the quantiles of the effects where absent"),
        .integer("groups", \.groups, in: 2...100, "groups that numbers are cut into"),
        .level(\.level), .arm(\.arm),
    ]

    /// The column to group by; nil for the estimated effects.
    public var by: String?
    /// How many groups numbers are cut into.
    public var groups = 5
    /// The level of intervals.
    public var level = AverageEffect.standardLevel
    /// The arm that is asked about; nil for every one but the control.
    public var arm: String?

    public init() {}

    public var needs: StudyParts { by == nil ? [.scores, .effects] : .scores }

    /// Without a column to group by it says what the sorted groups say.
    public static let runsByDefault = false

    /// The column to group by.
    public var dataColumns: [String] { by.map { [$0] } ?? [] }

    public func run(_ study: CausalStudy, _ scheduler: Scheduler) throws(MetaLearnersError) -> AnalysisResult
    {
        var result = emptyResult
        let weights = study.rowWeights
        var groups = EffectGroupTable(
            "groups", "Average effect by \(by ?? "estimated effect")", group: by ?? "group",
            predicts: study.effects != nil, level: level)
        var tests = ResultTable(
            "tests", "Are the effects of all groups the same?",
            [
                ResultTable.Column("arm", "arm", .text),
                ResultTable.Column("statistic", "Wald", .number),
                ResultTable.Column("degrees_of_freedom", "df", .count),
                ResultTable.Column("denominator_df", "df of the variance", .number),
                ResultTable.Column("p_value", "p-value", .pValue), ResultTable.Column("note", "", .text),
            ])
        let named: RowGroups? =
            if let by { try RowGroups(study, by: by, count: self.groups) } else { nil }
        for arm in try study.treatedArms(arm) {
            let label = study.armLabels[arm]
            let codes: [Int32]
            let labels: [String]
            if let named {
                (codes, labels) = (named.codes, named.labels)
            } else {
                let cut = WeightedQuantiles.groups(
                    try study.orderingEffect(arm), weights: weights, count: self.groups)
                (codes, labels) = (cut.codes, GATESAnalysis.labels(cut.count))
            }
            let scores = try study.scores(arm)
            let means = GroupMeans(
                scores, groups: codes, count: labels.count, weights: weights,
                clusters: study.clusters)
            let predicted =
                study.effects == nil
                ? nil
                : EffectGroupTable.predicted(try study.orderingEffect(arm), codes, labels.count, weights)
            result.charts.append(
                groups.append(
                    label, labels, means,
                    estimates: named == nil ? study.allowingForOrder(means, of: scores, groups: codes) : nil,
                    predicted: predicted,
                    title: "Average effect of '\(label)' by \(by ?? "estimated effect")"))
            let test = means.equality(errorFactor: named == nil ? study.orderingErrorFactor : 1)
            tests.append([
                .string(label), test.map { .number($0.statistic) } ?? .null,
                test.map { .integer($0.degreesOfFreedom) } ?? .null,
                test.map { .number($0.denominator) } ?? .null, test.map { .number($0.pValue) } ?? .null,
                test == nil ? .string("needs two groups of enough rows") : .null,
            ])
            result.findings.append(finding(study, arm, labels, means, test))
            result.rowColumns.append(
                RowColumn("group_\(label)", codes.map { $0 < 0 ? .nan : Double($0) }, labels: labels))
        }
        result.tables = [groups.table, tests]
        result.assumptions = [Assumption.noConfounding, Assumption.overlap]
        if by == nil { result.assumptions.append(Assumption.foreignEffects) }
        return result
    }

    private func finding(
        _ study: CausalStudy, _ arm: Int, _ labels: [String], _ means: GroupMeans, _ test: WaldTest?
    ) -> String {
        let known = labels.indices.compactMap { group in means.estimates[group].map { (group, $0.estimate) } }
        guard let test, let least = known.min(by: { $0.1 < $1.1 }), let most = known.max(by: { $0.1 < $1.1 })
        else { return Sentence.arm(study, arm) + "There are not two groups of enough rows to compare." }
        let range =
            "from \(Sentence.number(least.1, with: [most.1])) (\(labels[least.0])) to "
            + "\(Sentence.number(most.1, with: [least.1])) (\(labels[most.0]))"
        return Sentence.arm(study, arm)
            + (test.pValue < 1 - level
                ? "Groups by \(by ?? "estimated effect") differ (\(Sentence.pValue(test.pValue))): average effects run \(range)."
                : "Groups by \(by ?? "estimated effect") do not differ beyond chance (\(Sentence.pValue(test.pValue))): "
                    + "average effects run \(range).")
    }
}
