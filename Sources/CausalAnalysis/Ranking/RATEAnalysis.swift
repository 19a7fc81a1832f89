import MetaLearnersCore

/// Rank-weighted average treatment effects: do those who are ranked first gain most?
public struct RATEAnalysis: Analysis {
    public static let name = "rate"
    public static let title = "Quality of the ranking (RATE)"
    public static let summary =
        "Whether those who are ranked first gain most: AUTOC, QINI and the targeting operator characteristic"
    public static let topic = AnalysisTopic.ranking
    public static let parameters: [Parameter<RATEAnalysis>] = [
        .optionalText(
            "against", \.against, "column whose ranking is compared with that of the effects, in pairs"),
        .integer(
            "replicates", \.replicates, in: 2...1_000_000, "half-samples that standard errors are taken from"),
        .integer("points", \.points, in: 2...1000, "points of the curve"), .seed(\.seed), .level(\.level),
        .arm(\.arm),
    ]

    /// The column whose ranking is compared with that of the effects; nil for none.
    public var against: String?
    /// How many half-samples are drawn.
    public var replicates = 500
    /// At how many shares the curve is told.
    public var points = 10
    /// Decides the half-samples.
    public var seed = 0
    /// The level of intervals and bands.
    public var level = AverageEffect.standardLevel
    /// The arm that is asked about; nil for every one but the control.
    public var arm: String?

    public init() {}

    public var needs: StudyParts { [.scores, .effects] }

    /// The column of the other ranking.
    public var dataColumns: [String] { against.map { [$0] } ?? [] }
    public var foreignColumns: [String] { dataColumns }

    /// The estimates of one ranking, or of the difference of two.
    struct Ranking {
        let name: String
        /// AUTOC, QINI, and TOC at each share.
        let estimates: [Double]
        let errors: [Double]
        /// How many standard errors a band is wide; nil without any.
        let bandWidth: Double?

        func estimate(_ index: Int) -> NormalEstimate {
            NormalEstimate(estimate: estimates[index], stdError: errors[index])
        }
    }

    public func run(_ study: CausalStudy, _ scheduler: Scheduler) throws(MetaLearnersError) -> AnalysisResult
    {
        var result = emptyResult
        var rates = ResultTable(
            "rates", "Rank-weighted average effects",
            [
                ResultTable.Column("arm", "arm", .text), ResultTable.Column("ranking", "ranking", .text),
                ResultTable.Column("weighting", "weighting", .text),
            ] + ResultTable.estimateColumns(level: level))
        var curves = ResultTable(
            "toc", "Average effect of those ranked first, less that of everybody",
            [
                ResultTable.Column("arm", "arm", .text), ResultTable.Column("ranking", "ranking", .text),
                ResultTable.Column("share", "first", .share),
            ] + ResultTable.estimateColumns(level: level).dropLast() + [
                ResultTable.Column("band_lower", "band from", .number),
                ResultTable.Column("band_upper", "to", .number),
            ], isDetail: true)
        for arm in try study.treatedArms(arm) {
            let label = study.armLabels[arm]
            let (rankings, isComplete) = try rankings(study, arm, scheduler)
            result.isComplete = result.isComplete && isComplete
            for ranking in rankings {
                for (index, weighting) in ["autoc", "qini"].enumerated() {
                    rates.append(
                        [.string(label), .string(ranking.name), .string(weighting)]
                            + ResultTable.cells(ranking.estimate(index), level: level))
                }
                append(ranking, label, to: &curves)
            }
            result.charts.append(chart(rankings, label))
            result.findings += findings(study, arm, rankings)
            if !result.isComplete { break }
        }
        result.tables = [rates, curves]
        result.assumptions = [
            Assumption.noConfounding, Assumption.overlap, Assumption.foreignEffects, Assumption.moreIsBetter,
        ]
        return result
    }

    private var grid: [Double] { (1...points).map { Double($0) / Double(points) } }

    /// The ranking by effects, and where another is asked for that one and their difference.
    func rankings(_ study: CausalStudy, _ arm: Int, _ scheduler: Scheduler) throws(MetaLearnersError) -> (
        rankings: [Ranking], isComplete: Bool
    ) {
        let weights = study.rowWeights
        let scores = try study.scores(arm)
        let resampling = try Resampling(
            .halfSamples, weights: weights, clusters: study.clusters, seed: seed)
        var names = [study.source]
        var priorities = [try study.orderingEffect(arm)]
        if let against {
            names.append(against)
            priorities.append(try priority(study, against, weights))
        }
        let grid = grid
        let curves = priorities.map {
            TargetingCurve(
                priorities: $0, scores: scores, weights: weights, units: resampling.units, grid: grid)
        }
        @Sendable func values(_ counts: UnsafeBufferPointer<UInt8>?) -> [[Double]]? {
            var all = curves.compactMap { $0.values(counts) }
            guard all.count == curves.count else { return nil }
            if all.count == 2 { all.append(zip(all[0], all[1]).map { $0 - $1 }) }
            return all
        }
        guard let estimates = values(nil) else {
            throw MetaLearnersError(.invalidData, at: "rows", "no row has weight: there is nothing to rank")
        }
        if names.count == 2 { names.append("\(names[0]) − \(names[1])") }
        // Of an order that leaves everybody in one place nothing but rounding is left.
        let isUndivided = try study.isUndivided(arm)
        let (draws, isComplete) = try resampling.answers(replicates, "ranking", scheduler, values)
        guard draws.count > 1 else { throw MetaLearnersError(.cancelled, "the work was cancelled") }
        // (A column that is compared with the effects is no model of other folds; their difference has a part of each.)
        let factors = names.indices.map { $0 == 1 ? 1 : study.orderingErrorFactor }
        return (
            names.indices.map { index in
                if index == 0, isUndivided {
                    let none = [Double](repeating: 0, count: estimates[0].count)
                    return Ranking(name: names[0], estimates: none, errors: none, bandWidth: nil)
                }
                let ofRanking = draws.map { $0[index] }
                let errors = Resampling.deviations(ofRanking)
                // Of everybody TOC is 0, and has no error but rounding.
                let clean = errors.enumerated().map { $0.offset == errors.count - 1 ? 0 : $0.element }
                return Ranking(
                    name: names[index], estimates: estimates[index],
                    errors: clean.map { $0 * factors[index] },
                    bandWidth: Resampling.bandWidth(
                        ofRanking.map { Array($0.dropFirst(2)) },
                        around: Array(estimates[index].dropFirst(2)),
                        errors: Array(clean.dropFirst(2)), level: level))
            }, isComplete
        )
    }

    private func priority(_ study: CausalStudy, _ name: String, _ weights: [Double])
        throws(MetaLearnersError) -> [Double]
    {
        let column = try study.columns.requiredColumn(name, for: "against")
        guard column.levels == nil else {
            throw MetaLearnersError(
                .invalidArgument, at: "against", "column '\(name)' is text, and a ranking needs numbers")
        }
        let values = column.values.doubles()
        if let row = values.indices.first(where: { weights[$0] > 0 && values[$0].isNaN }) {
            throw MetaLearnersError(
                .invalidArgument, at: "against", "column '\(name)' has no number in row \(row + 1)",
                remedy: "give a number for each row")
        }
        return values
    }

    private func append(_ ranking: Ranking, _ label: String, to table: inout ResultTable) {
        for (index, share) in grid.enumerated() {
            let estimate = ranking.estimate(2 + index)
            let half = (ranking.bandWidth ?? 0) * estimate.stdError
            table.append(
                [.string(label), .string(ranking.name), .number(share)]
                    + ResultTable.cells(estimate, level: level).dropLast() + [
                        .number(estimate.estimate - half), .number(estimate.estimate + half),
                    ])
        }
    }

    private func chart(_ rankings: [Ranking], _ label: String) -> Chart {
        Chart(
            "toc_\(label)", "Average effect of '\(label)' on those ranked first, less that on everybody",
            x: Chart.Axis("share treated, ranked first", isShare: true), y: Chart.Axis("gain over everybody"),
            series: rankings.prefix(2).map { ranking in
                let values = Array(ranking.estimates.dropFirst(2))
                let halves = ranking.errors.dropFirst(2).map { $0 * (ranking.bandWidth ?? 0) }
                return Chart.Series(
                    ranking.name, .line, x: grid, y: values, lower: zip(values, halves).map { $0 - $1 },
                    upper: zip(values, halves).map { $0 + $1 })
            }, references: [Chart.Reference("treating at random", 0)])
    }

    private func findings(_ study: CausalStudy, _ arm: Int, _ rankings: [Ranking]) -> [String] {
        let start = Sentence.arm(study, arm)
        guard let own = rankings.first else { return [] }
        let autoc = own.estimate(0)
        let numbers = "AUTOC \(Sentence.estimate(autoc))"
        var findings = [
            own.errors.allSatisfy { $0 == 0 }
                ? Sentence.sameForEverybody(study, arm)
                : start
                    + (autoc.pValue >= 1 - level
                        ? "The ranking does not demonstrably find who gains more: \(numbers)."
                        : autoc.estimate > 0
                            ? "The ranking finds who gains more: \(numbers)."
                            : "The ranking is upside down, those who are ranked first gain less: \(numbers).")
        ]
        if rankings.count == 3 {
            let difference = rankings[2].estimate(0)
            let numbers = "a difference in AUTOC of \(Sentence.estimate(difference))"
            findings.append(
                start
                    + (difference.pValue >= 1 - level
                        ? "The rankings by \(own.name) and by \(rankings[1].name) are not demonstrably of different quality: \(numbers)."
                        : "The ranking by \(difference.estimate > 0 ? own.name : rankings[1].name) is the better one: \(numbers).")
            )
        }
        return findings
    }
}
