import MetaLearnersCore

/// The effect among those who are ranked first: the top 10 %, 20 %, …
public struct UpliftSlicesAnalysis: Analysis {
    public static let name = "uplift_slices"
    public static let title = "Effect among those ranked first"
    public static let summary =
        "The average effect of the top slices of the ranking, with the shares of the arms"
    public static let topic = AnalysisTopic.ranking
    public static let parameters: [Parameter<UpliftSlicesAnalysis>] = [
        Parameter(
            "shares", "how large the slices are, as shares of the rows", range: "list of numbers, 0 < x ≤ 1",
            read: { value, place, spec throws(MetaLearnersError) in
                let list = (value.arrayValue ?? [value]).map(\.doubleValue)
                guard !list.isEmpty, list.allSatisfy({ $0.map { $0 > 0 && $0 <= 1 } ?? false }) else {
                    throw place.error(
                        "is \(value.json()), must be: list of numbers, 0 < x ≤ 1",
                        remedy: "[0.1, 0.2] asks about the top 10 % and 20 %")
                }
                spec.shares = list.compactMap(\.self).sorted()
            }, write: { .array($0.shares.map { .number($0) }) }),
        .level(\.level), .arm(\.arm),
    ]

    /// How large the slices are.
    public var shares = [0.1, 0.2, 0.3, 0.5, 1]
    /// The level of intervals.
    public var level = AverageEffect.standardLevel
    /// The arm that is asked about; nil for every one but the control.
    public var arm: String?

    public init() {}

    public var needs: StudyParts { [.scores, .effects] }

    public func run(_ study: CausalStudy, _ scheduler: Scheduler) throws(MetaLearnersError) -> AnalysisResult
    {
        var result = emptyResult
        var table = ResultTable(
            "slices", "Those ranked first",
            [
                ResultTable.Column("arm", "arm", .text), ResultTable.Column("share", "first", .share),
                ResultTable.Column("rows", "rows", .count),
                ResultTable.Column("treated_share", "in the arm", .share),
                ResultTable.Column("difference_in_means", "as observed", .number),
                ResultTable.Column("predicted", "predicted", .number),
            ] + ResultTable.estimateColumns(level: level) + [ResultTable.Column("note", "", .text)])
        let weights = study.rowWeights
        for arm in try study.treatedArms(arm) {
            let effects = try study.orderingEffect(arm)
            let scores = try study.scores(arm)
            let label = study.armLabels[arm]
            var drawn: [(share: Double, estimate: NormalEstimate)] = []
            for share in shares {
                let inside = Self.slice(effects, weights, share)
                let slice = Slice(study, arm, inside, effects)
                let estimate =
                    slice.units > 1
                    ? study.allowingForOrder(
                        NormalEstimate(
                            scores: scores, shares: [Double](repeating: 1, count: scores.count),
                            weights: inside, clusters: study.clusters), of: scores, picked: inside) : nil
                if let estimate { drawn.append((share, estimate)) }
                table.append(
                    [
                        .string(label), .number(share), .integer(slice.rows), .number(slice.treatedShare),
                        .number(slice.difference), .number(slice.predicted),
                    ] + ResultTable.cells(estimate, level: level) + [slice.note.map { .string($0) } ?? .null])
            }
            result.findings.append(finding(study, arm, drawn))
            let intervals = drawn.map { $0.estimate.interval(level: level) }
            result.charts.append(
                Chart(
                    "slices_\(label)", "Average effect of '\(label)' among those ranked first",
                    x: Chart.Axis("share ranked first", isShare: true), y: Chart.Axis("average effect"),
                    series: [
                        Chart.Series(
                            "doubly robust average", .points, x: drawn.map(\.share),
                            y: drawn.map(\.estimate.estimate), lower: intervals.map(\.lower),
                            upper: intervals.map(\.upper))
                    ], references: [Chart.Reference("no effect", 0)]))
        }
        result.tables = [table]
        result.assumptions = [
            Assumption.noConfounding, Assumption.overlap, Assumption.foreignEffects, Assumption.moreIsBetter,
        ]
        return result
    }

    /// The weight with which each row belongs to the slice: rows that share the last rank within it take part alike, with the
    /// part of their weight that there is room for.
    static func slice(_ priorities: [Double], _ weights: [Double], _ share: Double) -> [Double] {
        let order = priorities.indices.filter { weights[$0] > 0 }
            .sorted { (priorities[$0], weights[$0]) > (priorities[$1], weights[$1]) }
        let total = order.reduce(0) { $0 + weights[$1] }
        let wanted = share * total
        var result = [Double](repeating: 0, count: weights.count)
        var ahead = 0.0
        var start = 0
        // What is left of the room by rounding is no row.
        while start < order.count, wanted - ahead > 1e-9 * total {
            var end = start
            var inside = 0.0
            while end < order.count, priorities[order[end]] == priorities[order[start]] {
                inside += weights[order[end]]
                end += 1
            }
            let part = min(1, (wanted - ahead) / inside)
            for place in start..<end { result[order[place]] = weights[order[place]] * part }
            ahead += inside
            start = end
        }
        return result
    }

    /// What is seen in a slice.
    private struct Slice {
        var rows = 0
        var units = 0
        var treatedShare = Double.nan
        var difference = Double.nan
        var predicted = Double.nan
        var note: String?

        init(_ study: CausalStudy, _ arm: Int, _ weights: [Double], _ effects: [Double]) {
            var total = 0.0
            var sum = 0.0
            var means = [(weight: 0.0, sum: 0.0), (weight: 0.0, sum: 0.0)]
            var clusters: Set<Int32> = []
            for row in weights.indices where weights[row] > 0 {
                rows += 1
                total += weights[row]
                sum += weights[row] * effects[row]
                if let code = study.clusters?[row] { clusters.insert(code) }
                guard study.arms[row] == 0 || study.arms[row] == arm else { continue }
                means[study.arms[row] == arm ? 1 : 0].weight += weights[row]
                means[study.arms[row] == arm ? 1 : 0].sum += weights[row] * study.outcome[row]
            }
            units = study.clusters == nil ? rows : clusters.count
            guard total > 0 else { return }
            treatedShare = means[1].weight / total
            predicted = sum / total
            if means[0].weight > 0, means[1].weight > 0 {
                difference = means[1].sum / means[1].weight - means[0].sum / means[0].weight
            } else {
                note = means[0].weight > 0 ? "nobody in the arm" : "nobody in the control"
            }
            if units < 2 { note = "too few \(study.clusters == nil ? "rows" : "clusters") for an error" }
        }
    }

    private func finding(
        _ study: CausalStudy, _ arm: Int, _ slices: [(share: Double, estimate: NormalEstimate)]
    ) -> String {
        guard let first = slices.first, let last = slices.last, first.share < last.share else {
            return Sentence.arm(study, arm) + "There are no two slices to compare."
        }
        let numbers = [first.estimate.estimate, last.estimate.estimate]
        return Sentence.arm(study, arm) + "The average effect is "
            + "\(Sentence.number(numbers[0], with: numbers)) (\(Sentence.interval(first.estimate, level: level))) "
            + "among the \(Sentence.share(first.share)) ranked first and \(Sentence.number(numbers[1], with: numbers)) "
            + (last.share == 1 ? "among all." : "among the first \(Sentence.share(last.share)).")
    }
}
