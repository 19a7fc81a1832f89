import MetaLearnersCore

/// Uplift, gain and Qini curves with their areas.
public struct UpliftCurvesAnalysis: Analysis {
    public static let name = "uplift_curves"
    public static let title = "Uplift and Qini curves"
    public static let summary =
        "Uplift, gain and Qini curves from outcomes alone, with AUUC and Qini coefficient above treating at random"
    public static let topic = AnalysisTopic.ranking
    public static let parameters: [Parameter<UpliftCurvesAnalysis>] = [
        .integer("points", \.points, in: 2...1000, "points of the curves"),
        .integer(
            "replicates", \.replicates, in: 2...1_000_000, "half-samples that standard errors are taken from"),
        .seed(\.seed), .level(\.level), .arm(\.arm),
    ]

    /// At how many shares the curves are told.
    public var points = 10
    /// How many half-samples are drawn.
    public var replicates = 200
    /// Decides the half-samples.
    public var seed = 0
    /// The level of intervals.
    public var level = AverageEffect.standardLevel
    /// The arm that is asked about; nil for every one but the control.
    public var arm: String?

    /// The areas, in the order of `UpliftCurve.Areas.list`; those of a perfect ranking are for outcomes of 0 and 1 alone.
    private static let measures = [
        "auuc", "auuc_normalized", "auuc_of_perfect", "qini", "qini_normalized", "qini_of_perfect",
    ]

    public init() {}

    public var needs: StudyParts { .effects }

    public func run(_ study: CausalStudy, _ scheduler: Scheduler) throws(MetaLearnersError) -> AnalysisResult
    {
        var result = emptyResult
        var areas = ResultTable(
            "areas", "Areas between the curves and treating at random",
            [ResultTable.Column("arm", "arm", .text), ResultTable.Column("measure", "measure", .text)]
                + ResultTable.estimateColumns(level: level) + [ResultTable.Column("note", "", .text)])
        var curves = ResultTable(
            "curves", "Outcomes of those ranked first, treated against control",
            [
                ResultTable.Column("arm", "arm", .text), ResultTable.Column("share", "first", .share),
                ResultTable.Column("uplift", "uplift", .number), ResultTable.Column("gain", "gain", .number),
                ResultTable.Column("gain_std_error", "std. error", .number),
                ResultTable.Column("gain_random", "at random", .number),
                ResultTable.Column("qini", "Qini", .number),
                ResultTable.Column("qini_std_error", "std. error", .number),
                ResultTable.Column("qini_random", "at random", .number),
            ], isDetail: true)
        let weights = study.rowWeights
        let grid = (1...points).map { Double($0) / Double(points) }
        for arm in try study.treatedArms(arm) {
            let label = study.armLabels[arm]
            let resampling = try Resampling(
                .halfSamples,
                weights: weights.indices.map {
                    study.arms[$0] == 0 || study.arms[$0] == arm ? weights[$0] : 0
                },
                clusters: study.clusters, seed: seed)
            let curve = try UpliftCurve(study, arm, weights: weights, units: resampling.units, grid: grid)
            guard let whole = curve.areas() else {
                throw MetaLearnersError(
                    .invalidData, at: "arm '\(label)'", "the arm or the control has no row with weight")
            }
            let (draws, isComplete) = try resampling.answers(replicates, "curves", scheduler) {
                curve.areas($0)?.list
            }
            guard draws.count > 1 else {
                throw isComplete
                    ? MetaLearnersError(
                        .invalidData, at: "arm '\(label)'",
                        "half-samples leave no row of the arm or of the control")
                    : MetaLearnersError(.cancelled, "the work was cancelled")
            }
            result.isComplete = result.isComplete && isComplete
            let errors = Resampling.deviations(draws)
            for (index, measure) in Self.measures.enumerated() {
                let isKnown = whole.list[index].isFinite && errors[index].isFinite
                let estimate = NormalEstimate(
                    estimate: whole.list[index], stdError: errors[index] * study.orderingErrorFactor)
                let reason =
                    measure.hasSuffix("of_perfect") && !study.isBinary
                    ? "only for outcomes of 0 and 1" : "the effect of treating all is 0"
                areas.append(
                    [.string(label), .string(measure)]
                        + ResultTable.cells(isKnown ? estimate : nil, level: level)
                        + [isKnown ? .null : .string(reason)])
            }
            for (index, share) in grid.enumerated() {
                // The last point is the outcome of treating all, whatever the ranking: halves say nothing of its error.
                let error = { (curve: Int) -> SpecValue in
                    .number(
                        index + 1 == grid.count
                            ? .nan : errors[Self.measures.count + curve * grid.count + index])
                }
                curves.append([
                    .string(label), .number(share), .number(whole.gains[index] / share),
                    .number(whole.gains[index]), error(0),
                    .number(share * (whole.gains.last ?? 0)), .number(whole.qinis[index]), error(1),
                    .number(share * (whole.qinis.last ?? 0)),
                ])
            }
            result.charts += charts(label, grid, whole)
            result.findings.append(
                try study.isUndivided(arm)
                    ? Sentence.sameForEverybody(study, arm)
                    : finding(
                        study, arm,
                        NormalEstimate(
                            estimate: whole.qini, stdError: errors[3] * study.orderingErrorFactor)))
            if !result.isComplete { break }
        }
        result.tables = [areas, curves]
        result.assumptions = [
            "Arms were drawn at random: these curves compare outcomes as they are, without any adjustment.",
            Assumption.foreignEffects, Assumption.moreIsBetter,
        ]
        if !study.propensitiesAreKnown {
            result.warnings.append(
                "Where arms were not drawn at random, these curves are biased; the analysis rate adjusts for covariates."
            )
        }
        return result
    }

    private func charts(_ label: String, _ grid: [Double], _ areas: UpliftCurve.Areas) -> [Chart] {
        [("gain", "Gain of treating those ranked first", areas.gains), ("qini", "Qini curve", areas.qinis)]
            .map {
                name, title, values in
                Chart(
                    "\(name)_\(label)", "\(title): '\(label)'",
                    x: Chart.Axis("share treated, ranked first", isShare: true),
                    y: Chart.Axis("gain per row"),
                    series: [
                        Chart.Series("ranking", .line, x: [0] + grid, y: [0] + values),
                        Chart.Series("at random", .line, x: [0, 1], y: [0, values.last ?? 0]),
                    ])
            }
    }

    private func finding(_ study: CausalStudy, _ arm: Int, _ qini: NormalEstimate) -> String {
        let numbers = "Qini \(Sentence.estimate(qini)) above random"
        return Sentence.arm(study, arm)
            + (qini.pValue >= 1 - level
                ? "By outcomes alone, treating by the ranking is not demonstrably better than at random: \(numbers)."
                : qini.estimate > 0
                    ? "By outcomes alone, treating by the ranking beats treating at random: \(numbers)."
                    : "By outcomes alone, treating by the ranking is worse than at random: \(numbers).")
    }
}
