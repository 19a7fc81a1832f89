import MetaLearnersCore

/// A few rules that say whose effect is larger and whose smaller.
public struct SurrogateTreeAnalysis: Analysis {
    public static let name = "surrogate_tree"
    public static let title = "A few rules"
    public static let summary =
        "A small honest tree of doubly robust scores: rules, and the average effect where each holds"
    public static let topic = AnalysisTopic.heterogeneity
    public static let parameters: [Parameter<SurrogateTreeAnalysis>] = [
        .integer("depth", \.depth, in: 1...3, "conditions of a rule at most"),
        .number(
            "min_leaf_share", \.minLeafShare, in: 0...0.5,
            "share of the rows that each rule holds for at least"),
        .texts("columns", \.columns, "columns that rules may be made of; every covariate where empty"),
        .seed(\.seed), .level(\.level), .arm(\.arm),
    ]

    /// How many conditions a rule has at most.
    public var depth = 2
    /// The share of rows that each rule holds for at least.
    public var minLeafShare = 0.05
    /// The columns that rules may be made of; empty for every covariate.
    public var columns: [String] = []
    /// Decides which half chooses the rules.
    public var seed = 0
    /// The level of intervals.
    public var level = AverageEffect.standardLevel
    /// The arm that is asked about; nil for every one but the control.
    public var arm: String?

    public init() {}

    public var needs: StudyParts { columns.isEmpty ? [.scores, .covariates] : .scores }

    public func run(_ study: CausalStudy, _ scheduler: Scheduler) throws(MetaLearnersError) -> AnalysisResult
    {
        var result = emptyResult
        var table = ResultTable(
            "rules", "Average effect where each rule holds, from rows that had no say in the rules",
            [
                ResultTable.Column("arm", "arm", .text), ResultTable.Column("rule", "rule", .text),
                ResultTable.Column("rows", "rows", .count), ResultTable.Column("share", "share", .share),
            ] + ResultTable.estimateColumns(level: level) + [ResultTable.Column("note", "", .text)])
        let items = try Characteristics(study, columns, dropsFirstLevel: false).items
        let (choosing, estimating) = halves(study)
        for arm in try study.treatedArms(arm) {
            try scheduler.context.checkCancellation()
            let scores = try study.scores(arm)
            let tree = SurrogateTree(
                items, scores, weights: choosing, depth: depth, leastShare: minLeafShare)
            let leaves = tree.leaf(of: study.rowCount, weights: estimating)
            let means = GroupMeans(
                scores, groups: leaves, count: tree.leaves.count, weights: estimating,
                clusters: study.clusters)
            var sentences: [String] = []
            for (index, leaf) in tree.leaves.enumerated() {
                let rule = leaf.rule
                table.append(
                    [
                        .string(study.armLabels[arm]), .string(rule), .integer(means.counts[index]),
                        .number(means.shares[index]),
                    ] + ResultTable.cells(means.estimates[index], level: level)
                        + [means.estimates[index] == nil ? .string("too few rows for an error") : .null])
                guard let estimate = means.estimates[index] else { continue }
                sentences.append(
                    "where \(rule), \(Sentence.number(estimate.estimate)) (\(Sentence.interval(estimate, level: level)))"
                )
            }
            result.findings.append(
                Sentence.arm(study, arm)
                    + (tree.leaves.count == 1
                        ? "No rule separates larger from smaller effects clearly enough."
                        : "Average effects, with intervals of \(NumberText.percent(level)) %: "
                            + sentences.joined(separator: "; ") + "."))
        }
        result.tables = [table]
        result.assumptions = [Assumption.noConfounding, Assumption.overlap]
        return result
    }

    /// The weights of the half that chooses rules, and of the half that estimates.
    private func halves(_ study: CausalStudy) -> (choosing: [Double], estimating: [Double]) {
        var choosing = study.rowWeights
        var estimating = choosing
        var stream = RandomStream(seed: UInt64(truncatingIfNeeded: seed), path: 0x7472_6565)
        let clusterCount = Int(study.clusters?.max() ?? -1) + 1
        let count = study.clusters == nil ? study.rowCount : clusterCount
        var isChoosing = [Bool](repeating: false, count: count)
        stream.select(count / 2, of: count) { isChoosing[$0] = $1 }
        for row in choosing.indices {
            let unit = study.clusters.map { Int($0[row]) } ?? row
            if isChoosing[unit] { estimating[row] = 0 } else { choosing[row] = 0 }
        }
        return (choosing, estimating)
    }
}
